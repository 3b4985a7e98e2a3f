//! Small charts of blocks, for a terminal.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A line of blocks, one for each value, from zero to the largest of them. What is not known is a blank.
pub(crate) fn sparkline(values: &[Option<f64>]) -> String {
    let largest = largest(values.iter().flatten());
    let level = |value: f64| LEVELS[share(value, largest, LEVELS.len() - 1)];
    values.iter().map(|value| value.map_or(' ', level)).collect()
}

/// A bar as long as `value`, where `largest` is `width` blocks long.
pub(crate) fn bar(value: f64, largest: f64, width: usize) -> String {
    let eighths = share(value, largest, width * EIGHTHS.len());
    let (whole, part) = (eighths / EIGHTHS.len(), eighths % EIGHTHS.len());
    let mut bar = "█".repeat(whole);
    bar.extend((part > 0).then(|| EIGHTHS[part]));
    bar
}

/// The largest of some values, zero at least.
pub(crate) fn largest<'v>(values: impl IntoIterator<Item = &'v f64>) -> f64 {
    values.into_iter().copied().fold(0.0, f64::max)
}

/// `value` out of `largest`, as steps out of so many.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a small number of steps is one of them"
)]
fn share(value: f64, largest: f64, steps: usize) -> usize {
    if largest <= 0.0 {
        return 0;
    }
    ((value / largest).clamp(0.0, 1.0) * steps as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_from_zero_to_the_largest_value() {
        let check = |values: &[Option<f64>], expected: &str| assert_eq!(sparkline(values), expected);
        check(&[Some(0.0), Some(50.0), Some(100.0)], "▁▅█");
        check(&[Some(3.0), None, Some(3.0)], "█ █");
        check(&[Some(0.0), Some(0.0)], "▁▁");
        check(&[Some(-5.0), Some(5.0)], "▁█");
        check(&[], "");
    }

    #[test]
    fn a_bar_is_as_long_as_its_value() {
        let check = |value, expected: &str| assert_eq!(bar(value, 8.0, 4), expected);
        check(8.0, "████");
        check(4.0, "██");
        check(3.0, "█▌");
        check(0.0, "");
        check(-1.0, "");
        check(9.0, "████");
    }
}
