//! The story for people: a block for each call, and what it came to.

use std::iter::once;

use karma_ops::Unit;

use super::between::Asked;
use super::event::{Amount, Beginning, Currency, Holding, Payment};
use super::report::{Chapter, Report, Told};
use crate::printer::{Printer, Style};
use crate::quantity::quantity;
use crate::table::{Cell, Table};

/// Narrower than this no terminal is taken to be, and wider than this nobody likes to read.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=100;

/// Before the text of a block stands its number.
const INDENT: &str = "    ";

/// So wide are status and time, with the blanks before them.
const STATUS: usize = 5;
const TIME: usize = 10;

/// How a story is printed.
#[derive(Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) printer: Printer,
    columns: usize,
    currency: Option<&'a Currency>,
}

impl<'a> Layout<'a> {
    /// For a terminal of so many columns.
    pub(super) fn new(columns: usize, currency: Option<&'a Currency>, printer: Printer) -> Self {
        let columns = columns.clamp(*WIDTHS.start(), *WIDTHS.end());
        Self {
            printer,
            columns,
            currency,
        }
    }

    /// What it is about, and whose money is spent.
    pub(super) fn beginning(self, beginning: &Beginning, url: &str) -> String {
        let title = self.paragraph(&beginning.title, "", Some(Style::Bold));
        let who = match (&beginning.account, self.currency) {
            (Some(account), Some(currency)) => {
                format!("You are {account} and pay with {}, through {url}.", currency.symbol)
            }
            _ => format!("You ask through {url}. No chain runs, so nothing is paid: `karma up --chain` has one."),
        };
        format!("{title}{}", self.paragraph(&who, "", Some(Style::Dim)))
    }

    /// The heading of a part.
    pub(super) fn chapter(self, chapter: &Chapter) -> String {
        let title = self.paragraph(&chapter.title, "", Some(Style::Bold));
        let about = chapter
            .about
            .iter()
            .map(|about| self.paragraph(about, "", Some(Style::Dim)));
        once(format!("\n{title}")).chain(about).collect()
    }

    /// A call: who asked whom for what, what was asked for it among the services, what came of it, and where to look closer.
    pub(super) fn call(self, number: usize, told: &Told) -> String {
        let Told { call, between } = told;
        let mut text = String::from("\n");
        let head = format!("you → {}: {}", call.to, call.what);
        let price = call.paid.as_ref().map(|paid| paid.amount);
        text += &self.row(
            &format!("{number:>2}  "),
            &head,
            Some(Style::Bold),
            (call.status, call.seconds),
            &self.price(price, false),
        );
        for asked in between.iter().flatten() {
            text += &self.asked(asked);
        }
        for finding in &call.findings {
            text += &self.paragraph(finding, INDENT, None);
        }
        text + &self.references(told)
    }

    fn asked(self, asked: &Asked) -> String {
        let path = asked
            .request
            .split_once(' ')
            .map_or(asked.request.as_str(), |(_, path)| path);
        let head = format!("└ {} → {}: {path}", asked.from, asked.to);
        let price = asked.paid.as_ref().map(|paid| paid.amount);
        let price = self.price(price, asked.misses_its_price());
        self.row(INDENT, &head, None, (asked.status, asked.seconds), &price)
    }

    /// The trace, and the transactions in the order in which they were paid.
    fn references(self, told: &Told) -> String {
        let own = told.call.paid.iter();
        let among = told.between.iter().flatten().filter_map(|asked| asked.paid.as_ref());
        // What an agent buys it buys before it is paid itself.
        let transactions: Vec<String> = among.chain(own).map(|paid| self.transaction(paid)).collect();
        let mut parts = vec![format!("trace {}", told.call.trace_id)];
        if told.between.is_none() {
            parts.push("not sampled: what services asked each other for it is not known".to_owned());
        }
        if !transactions.is_empty() {
            parts.push(format!("paid by {}", transactions.join(", ")));
        }
        self.paragraph(&parts.join(" · "), INDENT, Some(Style::Dim))
    }

    /// With `-v` the whole hash.
    fn transaction(self, payment: &Payment) -> String {
        let hash = &payment.transaction;
        match hash.get(..8) {
            Some(begin) if !self.printer.is_verbose() && hash.len() > begin.len() => format!("{begin}…"),
            _ => hash.clone(),
        }
    }

    fn price(self, paid: Option<Amount>, is_unknown: bool) -> String {
        match (self.currency, paid) {
            (None, _) => String::new(),
            (Some(currency), Some(amount)) => currency.price(amount),
            (Some(_), None) if is_unknown => "not known".to_owned(),
            (Some(_), None) => "free".to_owned(),
        }
    }

    /// Text on the left, as many lines as it takes, and figures on the right of the first.
    fn row(
        self,
        lead: &str,
        text: &str,
        style: Option<Style>,
        (status, seconds): (Option<u16>, f64),
        price: &str,
    ) -> String {
        let money = self.currency.map_or(0, |currency| currency.symbol.chars().count() + 8);
        let width = self.columns.saturating_sub(INDENT.len() + STATUS + TIME + money);
        let code = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let code = format!("{code:>STATUS$}");
        let good = status.is_some_and(|status| status < 400);
        let code = self.printer.paint(if good { Style::Green } else { Style::Red }, &code);
        let time = quantity(seconds, Unit::Seconds);
        let figures = format!("{code}{time:>TIME$}{price:>money$}");
        let mut lines = wrap(text, width).into_iter();
        let first = lines.next().unwrap_or_default();
        let space = " ".repeat(width.saturating_sub(first.chars().count()));
        let mut row = format!("{lead}{}{space}{figures}\n", self.painted(style, &first));
        for line in lines {
            row += &format!("{INDENT}{}\n", self.painted(style, &line));
        }
        row
    }

    fn paragraph(self, text: &str, indent: &str, style: Option<Style>) -> String {
        let lines = wrap(text, self.columns - indent.len());
        let line = |line: &String| format!("{indent}{}\n", self.painted(style, line));
        lines.iter().map(line).collect()
    }

    fn painted(self, style: Option<Style>, text: &str) -> String {
        style.map_or_else(|| text.to_owned(), |style| self.printer.paint(style, text))
    }

    /// What it came to: how much was asked, and who has how much now.
    pub(super) fn end(self, report: &Report) -> String {
        let (calls, between) = (report.calls().count(), report.between().count());
        let seconds: f64 = report.calls().map(|told| told.call.seconds).sum();
        let spent = self
            .currency
            .map(|currency| format!(", {} of yours spent", currency.price(report.spent())));
        let calls = if calls == 1 {
            "1 call".to_owned()
        } else {
            format!("{calls} calls")
        };
        let sum = format!(
            "{calls} of yours, {between} among the services, {}{}.",
            quantity(seconds, Unit::Seconds),
            spent.unwrap_or_default()
        );
        let sum = format!("\n{}", self.paragraph(&sum, "", None));
        let accounts = self.currency.filter(|_| !report.accounts.is_empty());
        let table = accounts.map(|currency| format!("\n{}", accounts_table(report, currency).render(self.printer)));
        // The one that has most to show.
        let calls = report.calls();
        let best = calls.max_by_key(|told| told.between.as_ref().map(Vec::len));
        let closer = best.map(|told| closer(told.call.trace_id));
        let closer = closer.map(|text| format!("\n{}", self.paragraph(&text, "", Some(Style::Dim))));
        once(sum).chain(table).chain(closer).collect()
    }
}

fn closer(trace: karma_ops::TraceId) -> String {
    format!("`karma traces {trace}` shows the way of a call, `karma logs -f` what the services write.")
}

fn accounts_table(report: &Report, currency: &Currency) -> Table {
    let mut table = Table::new(["ACCOUNT", "PAID", "EARNED", "BALANCE", ""]);
    let number = |amount: Amount| match amount {
        Amount(0) => Cell::number("-"),
        amount => Cell::number(currency.number(amount)),
    };
    for holding in &report.accounts {
        let (paid, earned) = turnover(report, holding);
        let note = if adds_up(holding, paid, earned) {
            ""
        } else {
            "others paid or were paid meanwhile"
        };
        table.row([
            Cell::from(&holding.name),
            number(paid),
            number(earned),
            Cell::number(currency.price(holding.after)),
            Cell::styled(note, Style::Dim),
        ]);
    }
    table
}

/// The visitor earns nothing, and pays what the calls cost.
fn turnover(report: &Report, holding: &Holding) -> (Amount, Amount) {
    if report.beginning.account.as_ref() == Some(&holding.account) {
        (report.spent(), Amount(0))
    } else {
        report.turnover(&holding.name)
    }
}

fn adds_up(holding: &Holding, paid: Amount, earned: Amount) -> bool {
    holding.before.0.checked_add(earned.0) == holding.after.0.checked_add(paid.0)
}

/// Lines of no more than so many characters, but where a word is longer.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
