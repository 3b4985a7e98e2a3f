//! Diagnostics for a person's eyes (and, with `--json`, for a program's).

use std::fmt;

use karma_terraform::{Diagnostic, Diagnostics, Severity, Sources};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::json;

use crate::printer::Printer;
use crate::settings::StackDirectory;

/// Prints every diagnostic in a frame that shows the source.
pub(crate) fn diagnostics(printer: Printer, directory: &StackDirectory, sources: &Sources, all: &Diagnostics) {
    let theme = if printer.colors_talk() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(120)
        .with_context_lines(1);
    for diagnostic in all {
        let report = Report::new(directory, sources, diagnostic);
        let mut text = String::new();
        handler
            .render_report(&mut text, &report)
            .expect("writing to a string cannot fail");
        let text = text.trim_end();
        match diagnostic.severity {
            Severity::Warning => printer.talk(text),
            Severity::Error => printer.error(text),
        }
    }
}

/// The diagnostics as data: the shape of `terraform validate -json`, a little flatter.
pub(crate) fn diagnostics_json(sources: &Sources, all: &Diagnostics) -> serde_json::Value {
    all.iter()
        .map(|diagnostic| {
            let position = diagnostic
                .span
                .as_ref()
                .and_then(|span| Some((span, sources.position(&span.file, span.start)?)));
            json!({
                "severity": match diagnostic.severity { Severity::Warning => "warning", Severity::Error => "error" },
                "summary": diagnostic.summary,
                "detail": diagnostic.detail,
                "file": position.map(|(span, _)| span.file.as_ref()),
                "line": position.map(|(_, position)| position.line),
                "column": position.map(|(_, position)| position.column),
                "help": diagnostic.help,
            })
        })
        .collect()
}

/// A diagnostic in miette's terms: the summary is the title, the detail its cause, the source the frame.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    detail: Detail,
    source: Option<NamedSource<String>>,
}

#[derive(Debug)]
struct Detail(String);

impl<'a> Report<'a> {
    fn new(directory: &StackDirectory, sources: &Sources, diagnostic: &'a Diagnostic) -> Self {
        let source = diagnostic.span.as_ref().and_then(|span| {
            let text = sources.get(&span.file)?.to_owned();
            Some(NamedSource::new(directory.display_file(&span.file), text))
        });
        Self {
            diagnostic,
            detail: Detail(diagnostic.detail.clone()),
            source,
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Detail {}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.diagnostic.summary)
    }
}

impl std::error::Error for Report<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.detail)
    }
}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.diagnostic.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.diagnostic.span.as_ref()?;
        let length = span.end.saturating_sub(span.start);
        Some(Box::new(std::iter::once(LabeledSpan::new(None, span.start, length))))
    }
}
