//! The one door for output: data to stdout, talk to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much to say beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// What a person wants to follow.
    Normal,
    /// All there is.
    Verbose,
}

/// Prints what a command has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    verbosity: Verbosity,
    color_data: bool,
    color_talk: bool,
}

/// A colour or weight, where colours are on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
    /// Healthy, added.
    Green,
    /// Wrong.
    Red,
    /// Under way, deserving a look.
    Yellow,
}

impl Printer {
    pub(crate) fn new(choice: ColorChoice, verbosity: Verbosity) -> Self {
        let wanted = |is_terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && environment_allows_color(),
        };
        Self {
            verbosity,
            color_data: wanted(io::stdout().is_terminal()),
            color_talk: wanted(io::stderr().is_terminal()),
        }
    }

    /// The same for data that goes into a file: without colours.
    pub(crate) fn without_colors(self) -> Self {
        Self {
            color_data: false,
            ..self
        }
    }

    /// Data: the answer to the question that was asked, as it is.
    #[expect(clippy::unused_self, reason = "who prints has been handed the door")]
    pub(crate) fn data(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// A line of data.
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        self.data(&format!("{text}\n"))
    }

    /// Data as bytes, whatever they are.
    #[expect(clippy::unused_self, reason = "who prints has been handed the door")]
    pub(crate) fn bytes(self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// What another program says on its standard error, as it is.
    #[expect(clippy::unused_self, reason = "who prints has been handed the door")]
    pub(crate) fn error_bytes(self, bytes: &[u8]) -> io::Result<()> {
        io::stderr().lock().write_all(bytes)
    }

    /// Talk: a line about what is going on. Nobody listening is no reason to stop.
    pub(crate) fn talk(self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.error(text);
        }
    }

    /// Talk that only `-v` wants.
    pub(crate) fn detail(self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.error(text);
        }
    }

    /// What is said even with `-q`.
    #[expect(clippy::unused_self, reason = "who prints has been handed the door")]
    pub(crate) fn error(self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Whether `-v` was given.
    pub(crate) fn is_verbose(self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Whether anything is said beside the data.
    pub(crate) fn talks(self) -> bool {
        self.verbosity >= Verbosity::Normal
    }

    /// Whether talk is coloured.
    pub(crate) fn colors_talk(self) -> bool {
        self.color_talk
    }

    /// Text for [`Printer::data`] in a style.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        paint(self.color_data, style, text)
    }

    /// Text for [`Printer::talk`] in a style.
    pub(crate) fn paint_talk(self, style: Style, text: &str) -> String {
        paint(self.color_talk, style, text)
    }
}

fn paint(enabled: bool, style: Style, text: &str) -> String {
    let code = match style {
        Style::Bold => "1",
        Style::Dim => "2",
        Style::Green => "32",
        Style::Red => "31",
        Style::Yellow => "33",
    };
    if enabled {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

fn environment_allows_color() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}
