//! Patterns of fields: `[ip, user, ..., status = 4* || status = 5*, bytes]`.

use super::scanner::Scanner;
use super::{Comparison, Conditions, Field, PatternError, conditions};

/// Reads what stands after the opening bracket, and the closing one.
pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Vec<Field>, PatternError> {
    let mut fields = Vec::new();
    if scanner.take("]") {
        return Ok(fields);
    }
    loop {
        fields.push(field(scanner)?);
        if scanner.take("]") {
            break;
        }
        scanner.expect(",")?;
    }
    match fields.iter().filter(|field| **field == Field::Rest).count() {
        0 | 1 => Ok(fields),
        _ => Err(PatternError("`...` may stand in it once".to_owned())),
    }
}

fn field(scanner: &mut Scanner<'_>) -> Result<Field, PatternError> {
    if scanner.take("...") {
        return Ok(Field::Rest);
    }
    if scanner.stands_here("(") {
        return conditional(scanner);
    }
    // A name alone is a field of which nothing is asked.
    let before = scanner.clone();
    let name = scanner
        .name()
        .ok_or_else(|| scanner.unexpected("the name of a field"))?;
    if scanner.stands_here(",") || scanner.stands_here("]") {
        let name = name.to_owned();
        return Ok(Field::Named { name, conditions: None });
    }
    *scanner = before;
    conditional(scanner)
}

/// Every condition of a field begins with its name.
fn conditional(scanner: &mut Scanner<'_>) -> Result<Field, PatternError> {
    let named = conditions::read(scanner, |scanner| {
        let name = scanner
            .name()
            .ok_or_else(|| scanner.unexpected("the name of a field"))?;
        Ok((name.to_owned(), Comparison::read(scanner)?))
    })?;
    let name = only_name(&named)?.to_owned();
    let conditions = Some(named.map(&|(_, comparison): &(String, Comparison)| comparison.clone()));
    Ok(Field::Named { name, conditions })
}

fn only_name(conditions: &Conditions<(String, Comparison)>) -> Result<&str, PatternError> {
    match conditions {
        Conditions::One((name, _)) => Ok(name),
        Conditions::All(all) | Conditions::Any(all) => {
            let mut names = all.iter().map(only_name);
            let first = names.next().expect("there are two at least")?;
            for name in names {
                let name = name?;
                if name != first {
                    return Err(PatternError(format!(
                        "`{first}` and `{name}` are fields of their own: put a comma between them"
                    )));
                }
            }
            Ok(first)
        }
    }
}
