//! `Fleet::from_stack` on stacks put together by hand; `cases.rs` has whole stacks in Terraform.

mod listeners;
mod load_balancers;
mod robust;
mod services;
mod support;
mod target_groups;
mod task_definitions;
