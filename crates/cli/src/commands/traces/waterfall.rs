//! One trace, a line for each span: what it was, and when.

use std::iter::repeat_n;
use std::time::Duration;

use karma_ops::{PlacedSpan, SpanKind, SpanStatus, Trace, TraceSpan};

use super::time;
use crate::printer::{Printer, Style};

/// So many characters are the whole time of the trace.
const WIDTH: usize = 40;

/// So many are left for what a span was.
const TITLE: usize = 60;

/// Spans below this depth stand as far in as this.
const DEEPEST: usize = 12;

/// The trace as text.
pub(super) fn render(trace: &Trace, printer: Printer) -> String {
    let id = printer.paint(Style::Bold, &trace.id.to_string());
    let start = trace.start.strftime("%Y-%m-%d %H:%M:%S%.3f");
    let mut text = format!("{id}  {start}  {}\n", time(trace.duration));
    let titles: Vec<String> = trace.spans.iter().map(title).collect();
    let width = titles
        .iter()
        .map(|title| title.chars().count())
        .max()
        .unwrap_or_default();
    for (PlacedSpan { span, .. }, title) in trace.spans.iter().zip(&titles) {
        let took = time(span.duration());
        let bar = bar(trace, span);
        let painted = if span.is_error() {
            printer.paint(Style::Red, &bar)
        } else {
            bar
        };
        let line = format!("{title:width$}  {took:>8}  {painted}  {}", outcome(span));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `  └ karmacadabra-hello GET /health`
fn title(placed: &PlacedSpan) -> String {
    let PlacedSpan { depth, span } = placed;
    let lead = match depth.min(&DEEPEST) {
        0 => String::new(),
        depth => format!("{}└ ", "  ".repeat(depth - 1)),
    };
    let arrow = if span.kind == SpanKind::Client { "→ " } else { "" };
    let title = format!("{lead}{} {arrow}{}", span.service, span.name);
    match title.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title,
    }
}

/// Where a span lies in the time of its trace; however short, it is seen.
fn bar(trace: &Trace, span: &TraceSpan) -> String {
    let before = Duration::try_from(span.start.duration_since(trace.start)).unwrap_or_default();
    let from = column(before, trace.duration).min(WIDTH - 1);
    let to = column(before + span.duration(), trace.duration).clamp(from + 1, WIDTH);
    let rest = repeat_n(' ', WIDTH - to);
    repeat_n('·', from)
        .chain(repeat_n('█', to - from))
        .chain(rest)
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share between 0 and 1 of a few characters"
)]
fn column(at: Duration, whole: Duration) -> usize {
    if whole.is_zero() {
        return 0;
    }
    (at.div_duration_f64(whole).clamp(0.0, 1.0) * WIDTH as f64).round() as usize
}

/// The status code where there is one, else what its service said.
fn outcome(span: &TraceSpan) -> &str {
    let code = span.attributes.get("http.response.status_code");
    match (code, span.status) {
        (Some(code), _) => code,
        (None, SpanStatus::Error) => "error",
        (None, SpanStatus::Ok | SpanStatus::Unset) => "",
    }
}
