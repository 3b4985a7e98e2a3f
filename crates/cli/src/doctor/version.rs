//! Whether a version of Terraform is one that a module takes.
//! <https://developer.hashicorp.com/terraform/language/expressions/version-constraints>

/// Whether a version meets all of some constraints, such as `>= 1.10, < 2.0`; `None` where one of the two cannot be read.
pub(super) fn meets(version: &str, constraints: &str) -> Option<bool> {
    let version = parse(version)?.0;
    let mut met = true;
    for constraint in constraints.split(',') {
        met &= meets_one(version, constraint.trim())?;
    }
    Some(met)
}

type Version = [u64; 3];

fn meets_one(version: Version, constraint: &str) -> Option<bool> {
    let start = constraint.find(|letter: char| letter.is_ascii_digit())?;
    let (operator, wanted) = constraint.split_at(start);
    let (wanted, parts) = parse(wanted)?;
    Some(match operator.trim() {
        "" | "=" => version == wanted,
        "!=" => version != wanted,
        ">" => version > wanted,
        ">=" => version >= wanted,
        "<" => version < wanted,
        "<=" => version <= wanted,
        // Only the last part that is written may grow.
        "~>" => version >= wanted && version[..parts.saturating_sub(1)] == wanted[..parts.saturating_sub(1)],
        _ => return None,
    })
}

/// The numbers, and how many of them are written. What follows a hyphen is left out: a pre-release counts as its release.
fn parse(text: &str) -> Option<(Version, usize)> {
    let numbers = text.split(['-', '+']).next()?.trim().trim_start_matches('v');
    let mut version = [0; 3];
    let mut parts = 0;
    for number in numbers.split('.') {
        *version.get_mut(parts)? = number.parse().ok()?;
        parts += 1;
    }
    Some((version, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: &str, constraints: &str, expected: Option<bool>) {
        assert_eq!(meets(version, constraints), expected, "{version} {constraints}");
    }

    #[test]
    fn constraints_are_read_as_terraform_reads_them() {
        check("1.11.4", ">= 1.10", Some(true));
        check("1.9.8", ">= 1.10", Some(false));
        check("1.11.4", "~> 1.5", Some(true));
        check("2.0.0", "~> 1.5", Some(false));
        check("1.5.9", "~> 1.5.2", Some(true));
        check("1.6.0", "~> 1.5.2", Some(false));
        check("1.11.4", ">= 1.10, < 2.0.0, != 1.11.0", Some(true));
        check("1.11.0", "!= 1.11.0", Some(false));
        check("1.11.0-rc1", "= 1.11.0", Some(true));
        check("1.11.0", "1.11.0", Some(true));
        check("1.11.0", "<= 1.11, > 1.10", Some(true));
    }

    #[test]
    fn what_cannot_be_read_is_not_judged() {
        check("of unknown version", ">= 1.10", None);
        check("1.11.4", "latest", None);
        check("1.11.4", "=> 1.10", None);
        check("1.2.3.4", ">= 1.10", None);
        check("1.11.4", "", None);
    }
}
