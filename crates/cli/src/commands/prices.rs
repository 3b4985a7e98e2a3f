//! `karma prices`: the price books, and newer prices.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use karma_cost::{PriceBook, Rate};
use serde_json::json;

use crate::cost::{PriceList, PriceLists, Reading, read_price_book, today};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::replace;
use crate::table::{Cell, Table};

/// Show the prices that bills are made of, or read newer ones from AWS
#[derive(Debug, Args)]
#[command(after_long_help = "Example: karma prices refresh eu-west-1 -o prices.csv")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: PricesCommand,
}

#[derive(Debug, Subcommand)]
enum PricesCommand {
    Show(ShowArguments),
    Refresh(RefreshArguments),
}

/// Show the regions that there are prices of, or all prices of one
#[derive(Debug, Args)]
#[command(after_long_help = "Example: karma prices show us-east-1")]
struct ShowArguments {
    /// The region
    region: Option<String>,

    /// Show what `karma prices refresh -o FILE` wrote
    #[arg(long, env = "KARMA_PRICES", value_name = "FILE", requires = "region")]
    prices: Option<PathBuf>,
}

/// Read AWS's public price lists into a file for `karma cost --prices`
///
/// Needs no AWS account. One of the lists, that of EC2, has hundreds of megabytes. What the lists do not have keeps the price that came with
/// the program; each price says its day and source.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma prices refresh eu-west-1 -o prices.csv"
)]
struct RefreshArguments {
    /// The region
    region: String,

    /// Read them from another server, or from a directory, which have them under the same paths as AWS
    #[arg(long, value_name = "URL|DIR")]
    from: Option<PriceLists>,

    /// Write the prices into a file; without it they are printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        PricesCommand::Show(show) => self::show(show, json, printer),
        PricesCommand::Refresh(refresh) => self::refresh(refresh, json, printer),
    }
}

fn show(arguments: &ShowArguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let text = match &arguments.region {
        None => regions(json, printer),
        Some(region) => rates(&read_price_book(region, arguments.prices.as_deref())?, json, printer),
    };
    printer.data(&text)?;
    Ok(ExitStatus::Yes)
}

/// The regions, how old their prices are, and how many are too old.
fn regions(json: bool, printer: Printer) -> String {
    let books: Vec<_> = PriceBook::embedded_regions().filter_map(PriceBook::embedded).collect();
    if json {
        let regions: Vec<_> = books.iter().map(book_json).collect();
        return format!("{}\n", json!({ "regions": regions }));
    }
    let mut table = Table::new(["REGION", "PRICES", "OLDEST", "NEWEST", "STALE"]);
    for book in &books {
        let (oldest, newest) = dates(book);
        table.row([
            Cell::from(book.region.as_str()),
            Cell::number(book.rates().count().to_string()),
            Cell::from(oldest),
            Cell::from(newest),
            Cell::number(book.stale(today()).count().to_string()),
        ]);
    }
    table.render(printer)
}

fn book_json(book: &PriceBook) -> serde_json::Value {
    let (oldest, newest) = dates(book);
    json!({
        "region": book.region,
        "prices": book.rates().count(),
        "oldest": oldest,
        "newest": newest,
        "stale": book.stale(today()).count(),
    })
}

fn dates(book: &PriceBook) -> (String, String) {
    let dates = || book.rates().map(|rate| &rate.as_of);
    let oldest = dates().min_by_key(|date| date.earliest());
    let newest = dates().max_by_key(|date| date.earliest());
    let text = |date: Option<&karma_cost::PriceDate>| date.map(ToString::to_string).unwrap_or_default();
    (text(oldest), text(newest))
}

fn rates(book: &PriceBook, json: bool, printer: Printer) -> String {
    if json {
        let rates: Vec<_> = book.rates().collect();
        return format!("{}\n", json!({ "region": book.region, "rates": rates }));
    }
    let mut table = Table::new(["SKU", "USD", "PER", "AS OF", "SOURCE"]);
    for rate in book.rates() {
        let as_of = rate.as_of.to_string();
        table.row([
            Cell::from(rate.sku.as_str()),
            Cell::number(rate.usd.exact()),
            Cell::from(rate.unit.as_str()),
            if rate.is_stale(today()) {
                Cell::styled(format!("{as_of} (stale)"), Style::Yellow)
            } else {
                Cell::from(as_of)
            },
            Cell::from(rate.source.as_str()),
        ]);
    }
    table.render(printer)
}

fn refresh(arguments: &RefreshArguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let region = arguments.region.as_str();
    let fresh = read(arguments.from.as_ref().unwrap_or(&PriceLists::Aws), region, printer)?;
    let old = PriceBook::embedded(region).unwrap_or_else(|| PriceBook::new(region, []));
    let mut book = old.clone();
    let count = fresh.len();
    book.update(fresh);
    report(&old, &book, count, printer);
    let text = if json && arguments.output.is_none() {
        rates(&book, json, printer)
    } else {
        book.to_csv()
    };
    match &arguments.output {
        None => printer.data(&text)?,
        Some(path) => write(path, &text)?,
    }
    Ok(ExitStatus::Yes)
}

/// The rates of all lists that can be read. Which cannot, is told; none at all is a failure, and changes nothing.
fn read(lists: &PriceLists, region: &str, printer: Printer) -> Result<Vec<Rate>, Failure> {
    let mut rates = Vec::new();
    let mut problems = Vec::new();
    for list in PriceList::all_of(region) {
        let place = lists.place(&list);
        printer.detail(&format!("reading {place}"));
        match lists.read(&list, region) {
            Reading::Rates(found) => rates.extend(found),
            Reading::Missing => problems.push(format!("{place} is not there")),
            Reading::Broken(why) => problems.push(format!("{place}: {why}")),
        }
    }
    if rates.is_empty() {
        return Err(Failure::unable(format!("no prices of {region} could be read")).hints(problems.into_iter().take(1)));
    }
    for problem in problems {
        printer.talk(&format!("warning: {problem}"));
    }
    Ok(rates)
}

/// How much is new, on stderr: the book itself may go to stdout.
fn report(old: &PriceBook, new: &PriceBook, read: usize, printer: Printer) {
    let mut changed = 0;
    for rate in new.rates() {
        let before = old.rate(&rate.sku).map(|rate| rate.usd);
        if before != Some(rate.usd) {
            changed += 1;
            let before = before.map_or_else(|| "new".to_owned(), karma_cost::Usd::exact);
            printer.detail(&format!("{}: {before} → {}", rate.sku, rate.usd.exact()));
        }
    }
    let all = new.rates().count();
    printer.talk(&format!(
        "prices of {}: {read} of {all} read, {changed} are others than came with this program",
        new.region
    ));
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    replace::replace(path, text).map_err(|error| Failure::caused_by(format!("cannot write {}", path.display()), &error))
}
