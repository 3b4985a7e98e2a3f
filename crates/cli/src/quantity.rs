//! Numbers with their units, as people read them.

use karma_ops::Unit;

/// What units there are above and below one, largest first.
const BYTES: [(&str, f64); 4] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)];
const SECONDS: [(&str, f64); 4] = [("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)];

/// A value with three digits that count: `12.3%`, `4.56 ms`, `1.2 MB`.
pub(crate) fn quantity(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{}%", digits(value)),
        Unit::Seconds => scaled(value, &SECONDS),
        Unit::Milliseconds => scaled(value / 1e3, &SECONDS),
        Unit::Bytes => scaled(value, &BYTES),
        Unit::Megabytes => format!("{} MiB", digits(value)),
        Unit::Count | Unit::None => digits(value),
    }
}

fn scaled(value: f64, units: &[(&str, f64)]) -> String {
    let fits = units.iter().find(|(_, size)| value.abs() >= *size);
    let (name, size) = fits.or(units.last()).expect("there are units");
    format!("{} {name}", digits(value / size))
}

/// Whole numbers as they are, others with three digits that count.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 || size.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        let check = |value, unit, expected: &str| assert_eq!(quantity(value, unit), expected);
        check(12.345, Unit::Percent, "12.3%");
        check(100.0, Unit::Percent, "100%");
        check(0.0, Unit::Seconds, "0 µs");
        check(0.004_56, Unit::Seconds, "4.56 ms");
        check(1.5, Unit::Seconds, "1.5 s");
        check(90.0, Unit::Seconds, "1.5 min");
        check(4.56, Unit::Milliseconds, "4.56 ms");
        check(1_234_567.0, Unit::Bytes, "1.23 MB");
        check(999.0, Unit::Bytes, "999 B");
        check(123_456.0, Unit::Count, "123456");
        check(0.125, Unit::None, "0.125");
        check(-2.5, Unit::None, "-2.5");
    }
}
