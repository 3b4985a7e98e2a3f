//! Where the generated blocks of a document are: between `<!-- karma docs: NAME -->` and `<!-- end -->`, each on a line of its own.
//!
//! A marker inside a code fence is an example, not a marker. A document without a first marker is nobody's business, whatever else it has.

use std::ops::Range;

use super::Problem;

const BEGIN: &str = "<!-- karma docs:";
const END: &str = "<!-- end -->";

/// A generated block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// The line of its first marker, counted from one.
    pub(super) line: usize,
    /// What it is to show.
    pub(super) name: &'a str,
    /// Where its content is: from the end of the first marker's line to the beginning of the last marker's.
    pub(super) inside: Range<usize>,
    /// How lines end here.
    pub(super) line_ending: &'static str,
}

/// One line of a document.
struct Line<'a> {
    number: usize,
    start: usize,
    text: &'a str,
}

/// Finds the blocks from top to bottom.
pub(super) fn find(text: &str) -> Result<Vec<Block<'_>>, Problem> {
    let mut finder = Finder::default();
    for line in lines(text) {
        finder.read(&line)?;
    }
    finder.finish()
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(position, text)| {
        let line = Line {
            number: position + 1,
            start,
            text,
        };
        start += text.len();
        line
    })
}

#[derive(Default)]
struct Finder<'a> {
    blocks: Vec<Block<'a>>,
    /// The block whose last marker is still to come; its range is empty so far.
    open: Option<Block<'a>>,
    /// The first last marker that no first one belongs to.
    stray_end: Option<usize>,
    /// What ends the code fence we are in.
    fence: Option<&'a str>,
}

impl<'a> Finder<'a> {
    fn read(&mut self, line: &Line<'a>) -> Result<(), Problem> {
        let trimmed = line.text.trim();
        if self.open.is_none() && self.is_code(trimmed) {
            return Ok(());
        }
        if let Some(name) = trimmed.strip_prefix(BEGIN) {
            return self.begin(line, name);
        }
        if trimmed == END {
            self.end(line);
        }
        Ok(())
    }

    /// Whether a line belongs to a code fence, its first and last line included. <https://spec.commonmark.org/0.31.2/#fenced-code-blocks>
    fn is_code(&mut self, trimmed: &'a str) -> bool {
        if let Some(fence) = self.fence {
            let closes = trimmed.len() >= fence.len() && trimmed.trim_end_matches(&fence[..1]).is_empty();
            self.fence = self.fence.filter(|_| !closes);
            return true;
        }
        self.fence = fence(trimmed);
        self.fence.is_some()
    }

    fn begin(&mut self, line: &Line<'a>, rest: &'a str) -> Result<(), Problem> {
        if let Some(open) = &self.open {
            return Err(unclosed(open));
        }
        let name = rest.strip_suffix("-->").map(str::trim).ok_or_else(|| Problem {
            line: line.number,
            message: "this marker does not end on its line".to_owned(),
            hint: format!("write `{BEGIN} NAME -->`"),
        })?;
        let content = line.start + line.text.len();
        self.open = Some(Block {
            line: line.number,
            name,
            inside: content..content,
            line_ending: if line.text.ends_with("\r\n") { "\r\n" } else { "\n" },
        });
        Ok(())
    }

    fn end(&mut self, line: &Line<'a>) {
        match self.open.take() {
            Some(mut block) => {
                block.inside.end = line.start;
                self.blocks.push(block);
            }
            None => {
                self.stray_end.get_or_insert(line.number);
            }
        }
    }

    fn finish(self) -> Result<Vec<Block<'a>>, Problem> {
        if let Some(open) = &self.open {
            return Err(unclosed(open));
        }
        match self.stray_end {
            Some(line) if !self.blocks.is_empty() => Err(Problem {
                line,
                message: format!("`{END}` ends no block"),
                hint: format!("take it away, or write `{BEGIN} NAME -->` above"),
            }),
            _ => Ok(self.blocks),
        }
    }
}

fn unclosed(block: &Block<'_>) -> Problem {
    Problem {
        line: block.line,
        message: format!("the block `{}` has no end", block.name),
        hint: format!("write `{END}` on a line of its own where it ends"),
    }
}

/// The run of backticks or tildes that a code fence begins with.
fn fence(trimmed: &str) -> Option<&str> {
    let first = trimmed.chars().next().filter(|first| ['`', '~'].contains(first))?;
    let length = trimmed.chars().take_while(|char| *char == first).count();
    (length >= 3).then(|| &trimmed[..length])
}
