//! The project's own chores, run as `cargo xtask CHORE`. [`CHORES`] is the list; `cargo xtask help` prints it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore has no reader but the person or the CI log that called it"
)]

mod bench;
mod bless;
mod dependencies;
mod process;
mod python;
mod report;
mod test;
mod test_output;
mod workspace;

use std::process::ExitCode;

/// `EX_USAGE` of sysexits: the chore or one of its arguments does not exist.
const WRONG_USAGE: u8 = 64;

/// One thing this program does.
struct Chore {
    name: &'static str,
    /// What may follow the name.
    arguments: &'static [&'static str],
    help: &'static str,
    run: fn(&[String]) -> ExitCode,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "check",
        arguments: &[],
        help: "the quick inner loop: format, lints, laws, unit tests",
        run: |_| test::check(),
    },
    Chore {
        name: "test",
        arguments: &[],
        help: "everything that must hold before a change lands; CI runs this",
        run: |_| test::everything(),
    },
    Chore {
        name: "bless",
        arguments: &[],
        help: "rewrite golden files and snapshots; read the diff afterwards",
        run: |_| bless::run(),
    },
    Chore {
        name: "bench",
        arguments: &["--cold", "--agents", "--balancer", "--images"],
        help: "measure start-up, plan, memory, images, agents and the balancer against their goals; --cold adds a first build, \
               the others are all that is measured",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        None => wrong_usage("no chore given"),
        // No chore: `bench` calls itself so.
        Some((name, rest)) if name == "hold" => bench::hold(rest),
        Some((name, _)) if ["help", "--help", "-h"].contains(&name.as_str()) => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        Some((name, rest)) => match CHORES.iter().find(|chore| chore.name == name) {
            None => wrong_usage(&format!("there is no chore `{name}`")),
            Some(chore) => run(chore, rest),
        },
    }
}

fn run(chore: &Chore, arguments: &[String]) -> ExitCode {
    match arguments
        .iter()
        .find(|argument| !chore.arguments.contains(&argument.as_str()))
    {
        Some(unknown) => wrong_usage(&format!("`{}` does not take `{unknown}`", chore.name)),
        None => (chore.run)(arguments),
    }
}

fn wrong_usage(problem: &str) -> ExitCode {
    eprint!("error: {problem}\n\n{}", help());
    ExitCode::from(WRONG_USAGE)
}

fn help() -> String {
    let chores: Vec<String> = CHORES.iter().map(help_line).collect();
    format!("Usage: cargo xtask CHORE\n\nChores:\n{}\n", chores.join("\n"))
}

fn help_line(
    Chore {
        name, arguments, help, ..
    }: &Chore,
) -> String {
    let call = if arguments.is_empty() {
        (*name).to_owned()
    } else {
        format!("{name} [{}]", arguments.join("] ["))
    };
    format!("  {call:<16} {help}")
}
