//! Durations as Go writes them: `1h30m`, `-1.5s`; see <https://pkg.go.dev/time#ParseDuration>.

use jiff::SignedDuration;

/// The duration, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<SignedDuration, String> {
    let invalid = || format!("invalid duration {text:?}");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(
            rest.find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len()),
        );
        let (unit, next) = after.split_at(
            after
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(after.len()),
        );
        if !number.contains(|c: char| c.is_ascii_digit()) {
            return Err(invalid());
        }
        if unit.is_empty() {
            return Err(format!("missing unit in duration {text:?}"));
        }
        let nanoseconds = unit_length(unit).ok_or_else(|| format!("unknown unit {unit:?} in duration {text:?}"))?;
        total = total
            .checked_add(scaled(number, nanoseconds).ok_or_else(invalid)?)
            .ok_or_else(invalid)?;
        rest = next;
    }
    // Go keeps durations in 64 bits, about 292 years.
    let total = i64::try_from(total).map_err(|_| invalid())?;
    Ok(SignedDuration::from_nanos(if text.starts_with('-') {
        -total
    } else {
        total
    }))
}

fn unit_length(unit: &str) -> Option<i128> {
    match unit {
        "ns" => Some(1),
        "us" | "µs" | "μs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        "m" => Some(60_000_000_000),
        "h" => Some(3_600_000_000_000),
        _ => None,
    }
}

/// `1.5` times the unit, in whole nanoseconds.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    const DIGITS: usize = 18;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = &fraction[..fraction.len().min(DIGITS)];
    let parts: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    whole
        .checked_mul(unit)?
        .checked_add(parts.checked_mul(unit)? / denominator)
}
