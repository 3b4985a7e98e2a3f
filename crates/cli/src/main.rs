//! `karma`: runs an ordinary Terraform ECS stack on this machine.
//!
//! Parse the arguments, call, print. How anything is done is known elsewhere.

mod args;
mod commands;

mod chain;
mod change;
mod conversation;
mod cost;
mod deploy;
mod detach;
mod doctor;
mod documents;
mod fidelity;
mod images;
mod karma_toml;
mod local_environment;
mod local_secrets;
mod on;
mod operation;
mod programs;
mod question;
mod replace;
mod secrets;
mod service_names;
mod settings;
mod stack;
mod terraform;
mod toolchain;
mod variables;
mod watch;
mod wiring;

mod age;
mod chart;
mod exit;
mod failure;
mod printer;
mod progress;
mod quantity;
mod render;
mod stopped;
mod table;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::stack::Reporter;

/// A load balancer asks for memory and gives it back all the time: with the C library's allocator a request takes a tenth more processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if karma_runtime::is_launch() {
        return karma_runtime::launch();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let printer = Printer::new(arguments.global.color, arguments.global.verbosity());
    let status = run(arguments, printer).unwrap_or_else(|failure| {
        if !failure.is_closed_pipe() {
            printer.error(&failure.render());
        }
        failure.status()
    });
    status.into()
}

fn run(arguments: Arguments, printer: Printer) -> Result<ExitStatus, Failure> {
    let json = arguments.global.json;
    match arguments.command {
        Command::Plan(plan) => commands::plan::run(&plan, json, printer),
        Command::Cost(cost) => commands::cost::run(&cost, json, printer),
        Command::Prices(prices) => commands::prices::run(&prices, json, printer),
        Command::Image(image) => commands::image::run(&image, Reporter { json, printer }),
        Command::Up(up) => commands::up::run(up, json, printer),
        Command::Down(down) => commands::down::run(&down, json, printer),
        Command::Status(status) => commands::status::run(&status, json, printer),
        Command::Exec(exec) => commands::exec::run(exec, json, printer),
        Command::Logs(logs) => commands::logs::run(logs, json, printer),
        Command::Tasks(tasks) => commands::tasks::run(&tasks, json, printer),
        Command::Wait(wait) => commands::wait::run(&wait, json, printer),
        Command::Scale(scale) => commands::scale::run(&scale, json, printer),
        Command::Restart(restart) => commands::restart::run(&restart, json, printer),
        Command::Rollback(rollback) => commands::rollback::run(&rollback, json, printer),
        Command::Drill(drill) => commands::drill::run(&drill, json, printer),
        Command::Metrics(metrics) => commands::metrics::run(&metrics, json, printer),
        Command::Alarms(alarms) => commands::alarms::run(&alarms, json, printer),
        Command::Traces(traces) => commands::traces::run(&traces, json, printer),
        Command::Demo(demo) => commands::demo::run(&demo, json, printer),
        Command::Deploy(deploy) => commands::deploy::run(&deploy, json, printer),
        Command::Destroy(destroy) => commands::destroy::run(&destroy, json, printer),
        Command::History(history) => commands::history::run(&history, json, printer),
        Command::Doctor(doctor) => commands::doctor::run(&doctor, json, printer),
        Command::Secrets(secrets) => commands::secrets::run(&secrets, json, printer),
        Command::Docs(docs) => commands::docs::run(&docs, json, printer),
        Command::Completions(completions) => commands::completions::run(&completions, printer),
    }
}

/// Help and version are answers (0); everything else clap says is a wrong command line (64).
fn usage(error: &clap::Error) -> ExitCode {
    // If nobody reads the help, there is nobody left to tell.
    let _ = error.print();
    if error.use_stderr() {
        ExitStatus::Usage.into()
    } else {
        ExitStatus::Yes.into()
    }
}
