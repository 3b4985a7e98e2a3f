//! Documents with generated blocks: what is a fact of the stack is never written by hand.
//!
//! ```text
//! text ─markers::find─▶ the blocks it has ─blocks::content─▶ what they should say ─▶ Revision
//! ```
//!
//! Nothing here touches a file: `commands/docs.rs` does.

mod blocks;
mod costs;
mod diagram;
mod facts;
mod markdown;
mod markers;

use std::ops::Range;

pub(crate) use blocks::names;
pub(crate) use facts::Facts;

/// A document as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The whole text.
    pub(crate) text: String,
    /// How many generated blocks it has.
    pub(crate) blocks: usize,
    /// Those whose text was another before, from top to bottom.
    pub(crate) stale: Vec<StaleBlock>,
}

/// A generated block that does not say what the stack is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaleBlock {
    /// The line of its first marker, counted from one.
    pub(crate) line: usize,
    /// Its name.
    pub(crate) name: String,
}

/// Why the blocks of a document cannot be told from its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Counted from one.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: String,
}

/// Writes every generated block of a document anew. What stands outside of them stays as it is, byte for byte.
pub(crate) fn revise(text: &str, facts: &Facts<'_>) -> Result<Revision, Problem> {
    let found = markers::find(text)?;
    let contents = found
        .iter()
        .map(|block| blocks::content(block, facts))
        .collect::<Result<Vec<_>, _>>()?;
    let stale = found
        .iter()
        .zip(&contents)
        .filter(|(block, content)| text[block.inside.clone()] != **content)
        .map(|(block, _)| StaleBlock {
            line: block.line,
            name: block.name.to_owned(),
        })
        .collect();
    let inside = found.iter().map(|block| block.inside.clone());
    Ok(Revision {
        text: replaced(text, inside.zip(&contents)),
        blocks: contents.len(),
        stale,
    })
}

/// The text with other contents at these places, which follow one another.
fn replaced<'a>(text: &str, places: impl Iterator<Item = (Range<usize>, &'a String)>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut done = 0;
    for (place, content) in places {
        whole.push_str(&text[done..place.start]);
        whole.push_str(content);
        done = place.end;
    }
    whole.push_str(&text[done..]);
    whole
}

#[cfg(test)]
mod tests;
