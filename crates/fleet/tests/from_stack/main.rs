//! `Fleet::from_stack` on stacks put together by hand; `cases.rs` has whole stacks in Terraform.

mod alarms;
mod clusters;
mod deployments;
mod listeners;
mod load_balancers;
mod robust;
mod scaling;
mod services;
mod support;
mod target_groups;
mod task_definitions;
