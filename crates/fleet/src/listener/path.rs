//! Where a person finds what stands behind a listener.

use karma_terraform::Address;

use super::Listener;
use super::action::Action;
use super::condition::Condition;

impl Listener {
    /// The path of the first rule that leads to a target group; empty where the default action does, `None` where nothing does.
    pub fn path_to(&self, group: &Address) -> Option<String> {
        let leads = |action: &Action| match action {
            Action::Forward(forward) => forward.target_groups.iter().any(|target| target.target_group == *group),
            Action::Redirect(_) | Action::FixedResponse { .. } | Action::Unmodeled(_) => false,
        };
        if let Some(rule) = self.rules.iter().find(|rule| leads(&rule.action)) {
            let paths = rule.conditions.iter().find_map(|condition| match condition {
                Condition::PathPattern(patterns) => Some(patterns),
                _ => None,
            });
            return Some(paths.map(|patterns| plain_path(patterns)).unwrap_or_default());
        }
        leads(&self.default_action).then(String::new)
    }
}

/// A path that a person can open: a pattern without wildcards, else what stands before the first wildcard.
fn plain_path(patterns: &[String]) -> String {
    let is_plain = |pattern: &&String| !pattern.contains(['*', '?']);
    let pattern = patterns
        .iter()
        .find(is_plain)
        .or(patterns.first())
        .map_or("", String::as_str);
    let before = pattern.split(['*', '?']).next().unwrap_or_default();
    before.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_can_open_the_path_of_a_rule() {
        let check = |patterns: &[&str], expected: &str| {
            let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            assert_eq!(plain_path(&patterns), expected);
        };
        check(&["/validator", "/validator/*"], "/validator");
        check(&["/validator/*", "/v"], "/v");
        check(&["/validator/*"], "/validator");
        check(&["*"], "");
        check(&["/"], "");
    }
}
