//! `karma cost [DIR]`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use karma_cost::{Changes, Feature, Figure, Measured, Usage, Usd};

use crate::cost::{self, Answer, Format, Judged, Limit, Pricer, Subject};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::replace;
use crate::settings::StackDirectory;
use crate::stack::{self, Loaded, Reporter, StackArguments, read_text};
use crate::terminal;
use crate::wiring;

/// Print what the stack costs in a month, line by line
///
/// Offline, from prices that came with the program, each with its day and source. What no Terraform file says, such as the number of requests,
/// is assumed, and the bill says what. Two totals: at list price, and with what AWS always gives every account for free. With -v each line
/// shows its resources, rate and reason.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "\
With --budget the exit code is 1 where the stack costs more.

Example: karma cost terraform --compare lean --budget 96"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    #[command(flatten)]
    pricing: PricingArguments,

    #[command(flatten)]
    question: QuestionArguments,

    /// How to write the answer; --json goes before it
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    format: Format,

    /// Write the answer into a file
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
}

/// What is priced, and at which prices.
#[derive(Debug, Args)]
#[command(next_help_heading = "Prices")]
struct PricingArguments {
    /// Price a plan in place of DIR: what `terraform show -json` printed
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Take this region's prices, whatever the stack's region is
    #[arg(long, env = "KARMA_REGION", value_name = "NAME")]
    region: Option<String>,

    /// Take the prices that `karma prices refresh -o FILE` wrote
    #[arg(long, env = "KARMA_PRICES", value_name = "FILE")]
    prices: Option<PathBuf>,

    /// A TOML file with what a month is like: `requests = 2_000_000`
    #[arg(long, env = "KARMA_USAGE", value_name = "FILE")]
    usage: Option<PathBuf>,

    /// Take requests, their size and the volume of logs from what runs here, as if the whole month were like that
    #[arg(long, value_enum, value_name = "WHERE")]
    usage_from: Option<UsageSource>,
}

/// Where use is measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum UsageSource {
    /// The run of `karma up`
    Local,
}

/// What is asked, if not just for the bill.
#[derive(Debug, Args)]
#[command(next_help_heading = "Questions")]
struct QuestionArguments {
    /// What differs from another stack: a directory, a plan's file, or a profile in DIR/profiles
    #[arg(long, value_name = "DIR|FILE|PROFILE")]
    compare: Option<String>,

    /// Exit with 1 where it costs more than so many US dollars a month, and say how it would not
    #[arg(long, value_name = "USD", value_parser = cost::usd)]
    budget: Option<Usd>,

    /// What each change of the stack's variables alone would save, and what else it would cost
    #[arg(long, conflicts_with_all = ["compare", "budget"])]
    what_if: bool,

    /// Print the variables that make it cheapest
    #[arg(long, conflicts_with_all = ["compare", "budget", "what_if", "format"])]
    optimise: bool,

    /// What --optimise must leave as it is: spot, alb, logs, zones, ...
    #[arg(long, value_name = "FEATURES", value_delimiter = ',', requires = "optimise")]
    keep: Vec<Feature>,

    /// Which of the two prices --budget and --optimise look at
    #[arg(long, value_enum, default_value_t = PriceChoice::List, value_name = "PRICE")]
    by: PriceChoice,
}

/// [`Figure`], as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PriceChoice {
    /// The list price
    List,
    /// With what is always free
    FreeTier,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let reporter = Reporter { json, printer };
    let subject = subject(arguments, reporter)?;
    let pricer = pricer(arguments, &subject, printer)?;
    if arguments.question.optimise {
        return optimise(arguments, &subject, &pricer, reporter);
    }
    let judged = Judged {
        answer: answer(arguments, &subject, &pricer, reporter)?,
        budget: budget(&arguments.question, &subject, &pricer),
    };
    let format = if json { Format::Json } else { arguments.format };
    match &arguments.output {
        Some(path) => write(path, &judged.text(format, None, printer.without_colors())?)?,
        None => printer.data(&judged.text(format, terminal::columns(), printer)?)?,
    }
    Ok(if judged.is_over() {
        ExitStatus::No
    } else {
        ExitStatus::Yes
    })
}

fn subject(arguments: &Arguments, reporter: Reporter) -> Result<Subject, Failure> {
    match &arguments.pricing.plan {
        Some(path) => Subject::read_plan(path),
        None => Ok(Subject::Evaluated(Box::new(stack::load(&arguments.stack, reporter)?))),
    }
}

fn pricer(arguments: &Arguments, subject: &Subject, printer: Printer) -> Result<Pricer, Failure> {
    let Arguments { stack, pricing, .. } = arguments;
    let of_stack = || karma_cost::region(subject.stack());
    let region = pricing.region.clone().or_else(of_stack).ok_or_else(|| {
        Failure::unable("the stack does not say its region").hint("say it: karma cost --region us-east-1")
    })?;
    let assumed = pricing.usage.as_deref().map_or_else(|| Ok(Usage::default()), usage)?;
    Ok(Pricer {
        usage: match pricing.usage_from {
            None => assumed,
            Some(UsageSource::Local) => measured(stack, &assumed, printer)?,
        },
        prices: cost::read_price_book(&region, pricing.prices.as_deref())?,
    })
}

/// What runs here has used, scaled to a month; what is not measured stays assumed.
fn measured(stack: &StackArguments, assumed: &Usage, printer: Printer) -> Result<Usage, Failure> {
    let totals = wiring::usage(&StackDirectory::resolve(stack.dir.as_deref())?)?;
    let measured = Measured {
        duration: totals.duration,
        requests: totals.requests,
        request_bytes: totals.processed_bytes,
        log_bytes: totals.log_bytes,
    };
    let usage = assumed.with_measured(&measured).ok_or_else(|| {
        Failure::no("what runs here has only just begun, so nothing is measured yet").hint("ask again in a minute")
    })?;
    printer.talk(&format!(
        "measured here for {} s: {} requests of {} bytes in all, {} bytes of logs",
        totals.duration.as_secs(),
        totals.requests,
        totals.processed_bytes,
        totals.log_bytes
    ));
    Ok(usage)
}

fn usage(path: &Path) -> Result<Usage, Failure> {
    Usage::from_toml(&read_text(path)?)
        .map_err(|error| Failure::caused_by(format!("cannot use {}", path.display()), &error))
}

fn answer(arguments: &Arguments, subject: &Subject, pricer: &Pricer, reporter: Reporter) -> Result<Answer, Failure> {
    let question = &arguments.question;
    let price = |changes: &Changes| subject.price(changes, pricer);
    if question.what_if {
        evaluated(subject)?;
        let outcomes = karma_cost::what_if(price).expect("the stack as it is has a bill");
        return Ok(Answer::WhatIf(outcomes));
    }
    let bill = pricer.price(subject.stack());
    let Some(typed) = &question.compare else {
        return Ok(Answer::Bill {
            name: subject.name(),
            bill: Box::new(bill),
        });
    };
    let (from, other) = subject.other(typed, &arguments.stack, reporter)?;
    Ok(Answer::Comparison {
        from,
        to: subject.name(),
        comparison: Box::new(karma_cost::compare(&pricer.price(&other), &bill)),
    })
}

fn budget(question: &QuestionArguments, subject: &Subject, pricer: &Pricer) -> Option<(Limit, karma_cost::Budget)> {
    let limit = Limit {
        usd: question.budget?,
        figure: question.by.into(),
    };
    let price = |changes: &Changes| subject.price(changes, pricer);
    let budget = karma_cost::budget(limit.usd, limit.figure, price).expect("the stack as it is has a bill");
    Some((limit, budget))
}

/// The variables are the answer: they can be redirected into a file for --var-file.
fn optimise(
    arguments: &Arguments,
    subject: &Subject,
    pricer: &Pricer,
    reporter: Reporter,
) -> Result<ExitStatus, Failure> {
    let loaded = evaluated(subject)?;
    let (keep, figure) = (&arguments.question.keep, arguments.question.by.into());
    let optimum = karma_cost::optimise(keep, figure, |changes| subject.price(changes, pricer))
        .expect("the stack as it is has a bill");
    let text = if reporter.json {
        format!("{}\n", serde_json::json!({ "schema": 1, "optimum": optimum }))
    } else {
        cost::tfvars(&optimum, figure, &loaded.module)
    };
    match &arguments.output {
        Some(path) => write(path, &text)?,
        None => reporter.printer.data(&text)?,
    }
    Ok(ExitStatus::Yes)
}

fn evaluated(subject: &Subject) -> Result<&Loaded, Failure> {
    match subject {
        Subject::Evaluated(loaded) => Ok(loaded),
        Subject::Planned { .. } => Err(Failure::unable("a plan cannot be planned again with other variables")
            .hint("name the directory of its .tf files in place of --plan")),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    replace::replace(path, text).map_err(|error| Failure::caused_by(format!("cannot write {}", path.display()), &error))
}

impl From<PriceChoice> for Figure {
    fn from(choice: PriceChoice) -> Self {
        match choice {
            PriceChoice::List => Self::List,
            PriceChoice::FreeTier => Self::WithFreeTier,
        }
    }
}
