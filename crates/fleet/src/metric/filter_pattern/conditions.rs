//! `&&`, `||` and parentheses; `&&` binds closer.

use super::scanner::Scanner;
use super::{Conditions, PatternError};

type Parsed<T> = Result<Conditions<T>, PatternError>;

/// Conditions, each read by `one`.
pub(super) fn read<T>(
    scanner: &mut Scanner<'_>,
    one: impl Fn(&mut Scanner<'_>) -> Result<T, PatternError> + Copy,
) -> Parsed<T> {
    joined(scanner, "||", Conditions::Any, |scanner| {
        joined(scanner, "&&", Conditions::All, |scanner| operand(scanner, one))
    })
}

fn joined<T>(
    scanner: &mut Scanner<'_>,
    sign: &str,
    join: impl FnOnce(Vec<Conditions<T>>) -> Conditions<T>,
    read: impl Fn(&mut Scanner<'_>) -> Parsed<T>,
) -> Parsed<T> {
    let first = read(scanner)?;
    if !scanner.stands_here(sign) {
        return Ok(first);
    }
    let mut all = vec![first];
    while scanner.take(sign) {
        all.push(read(scanner)?);
    }
    Ok(join(all))
}

fn operand<T>(
    scanner: &mut Scanner<'_>,
    one: impl Fn(&mut Scanner<'_>) -> Result<T, PatternError> + Copy,
) -> Parsed<T> {
    if !scanner.take("(") {
        return one(scanner).map(Conditions::One);
    }
    let inner = scanner.deeper(|scanner| read(scanner, one))?;
    scanner.expect(")")?;
    Ok(inner)
}

impl<T> Conditions<T> {
    /// Whether they hold, where `holds` says so of each.
    pub fn hold(&self, holds: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::One(one) => holds(one),
            Self::All(all) => all.iter().all(|conditions| conditions.hold(holds)),
            Self::Any(any) => any.iter().any(|conditions| conditions.hold(holds)),
        }
    }

    /// The same with every condition made into another.
    pub fn map<U>(&self, change: &impl Fn(&T) -> U) -> Conditions<U> {
        let each = |inner: &[Self]| inner.iter().map(|conditions| conditions.map(change)).collect();
        match self {
            Self::One(one) => Conditions::One(change(one)),
            Self::All(all) => Conditions::All(each(all)),
            Self::Any(any) => Conditions::Any(each(any)),
        }
    }
}
