//! "Did you mean ..?": the known name nearest to a misspelt one.

/// The candidate nearest to `name`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let tolerance = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= tolerance && *candidate != name)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The nearest candidate as a question for the user.
pub(crate) fn question<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, candidates).map(|candidate| format!("Did you mean \"{candidate}\"?"))
}

/// How many edits lead from one name to the other, where swapping two neighbours is one edit (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = match (i, j) {
                (0, edits) | (edits, 0) => edits,
                _ => cheapest(&rows, &from, &to, i, j),
            };
        }
    }
    rows[from.len()][to.len()]
}

/// The cheapest last edit between the first `i` and the first `j` letters.
fn cheapest(rows: &[Vec<usize>], from: &[char], to: &[char], i: usize, j: usize) -> usize {
    let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
    let added_or_removed = rows[i - 1][j].min(rows[i][j - 1]) + 1;
    let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
    let swapped = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
    replaced.min(added_or_removed).min(swapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["vpc_cidr", "region", "tags"];
        assert_eq!(nearest("vpc_cdir", known), Some("vpc_cidr"));
        assert_eq!(nearest("regoin", known), Some("region"));
        assert_eq!(nearest("tgas", known), Some("tags"));
        assert_eq!(nearest("instance_type", known), None);
    }
}
