//! Patterns of terms.

use super::scanner::Scanner;
use super::{PatternError, Term, TermRole, TermText};

pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Vec<Term>, PatternError> {
    let mut terms = Vec::new();
    while !scanner.is_at_end() {
        terms.extend(term(scanner)?);
    }
    Ok(terms)
}

/// `""` and `" "` are no terms: they mean every event.
fn term(scanner: &mut Scanner<'_>) -> Result<Option<Term>, PatternError> {
    let role = role(scanner);
    if let Some(regex) = scanner.regex()? {
        let text = TermText::Regex(regex);
        return Ok(Some(Term { role, text }));
    }
    let quoted = scanner.quoted()?;
    let text = quoted.or_else(|| scanner.bare_term().map(str::to_owned));
    let text = text.ok_or_else(|| scanner.unexpected("a term"))?;
    let is_term = !text.trim().is_empty();
    let text = TermText::Exact(text);
    Ok(is_term.then_some(Term { role, text }))
}

fn role(scanner: &mut Scanner<'_>) -> TermRole {
    if scanner.take_close("?") {
        TermRole::Optional
    } else if scanner.take_close("-") {
        TermRole::Excluded
    } else {
        TermRole::Required
    }
}
