//! Which program on this machine stands for an image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What an image is on this machine: the program that it would pack, and the files beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program, as an absolute path on this machine.
    pub program: PathBuf,
    /// Where the image has it; the image's entry point.
    pub image_path: String,
    /// The image's command.
    pub args: Vec<String>,
    /// What else the image has: its path there, and where it is here.
    pub files: BTreeMap<String, PathBuf>,
}

/// Programs by the repository of their image.
pub type Programs = BTreeMap<String, Program>;

impl Program {
    /// What an image is where the image itself is run: nothing of it is here, and nothing is mapped.
    pub(crate) fn inside_its_image() -> Self {
        Self {
            program: PathBuf::new(),
            image_path: String::new(),
            args: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// A word of a command or the value of a variable: a path of the image becomes the path here.
    pub(crate) fn map_word(&self, word: &str) -> String {
        if word == self.image_path && !word.is_empty() {
            return self.program.display().to_string();
        }
        let below = |(image_path, local): (&String, &PathBuf)| {
            let rest = word.strip_prefix(image_path.trim_end_matches('/'))?;
            match rest.strip_prefix('/') {
                Some(rest) if !rest.is_empty() => Some(local.join(rest)),
                Some(_) => Some(local.clone()),
                None => rest.is_empty().then(|| local.clone()),
            }
        };
        // The longest path wins, where one lies inside another.
        let mapped = self.files.iter().rev().find_map(below);
        mapped.map_or_else(|| word.to_owned(), |path| path.display().to_string())
    }

    /// A line for a shell: every word in it that is the image's program becomes the program here.
    pub(crate) fn map_shell_line(&self, line: &str) -> String {
        if self.image_path.is_empty() {
            return line.to_owned();
        }
        let mut mapped = String::new();
        let mut rest = line;
        while let Some(position) = find_word(rest, &self.image_path) {
            mapped.push_str(&rest[..position]);
            mapped.push_str(&quote(&self.program));
            rest = &rest[position + self.image_path.len()..];
        }
        mapped + rest
    }
}

/// The first place where `word` stands alone, between what may surround a word in a shell.
fn find_word(line: &str, word: &str) -> Option<usize> {
    let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "\"'`;|&()<>$=".contains(c));
    line.match_indices(word)
        .map(|(position, _)| position)
        .find(|&position| {
            is_edge(line[..position].chars().next_back()) && is_edge(line[position + word.len()..].chars().next())
        })
}

/// A path as a word of a shell line, quoted only where it must be.
fn quote(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        Program {
            program: "/home/me/a b/agent".into(),
            image_path: "/bin/agent".to_owned(),
            args: vec![],
            files: [
                ("/app/data".to_owned(), "/home/me/data".into()),
                ("/app/data/x".to_owned(), "/x".into()),
            ]
            .into(),
        }
    }

    #[test]
    fn words_that_are_paths_of_the_image_are_mapped() {
        let check = |word: &str, expected: &str| assert_eq!(program().map_word(word), expected, "{word}");
        check("/bin/agent", "/home/me/a b/agent");
        check("/bin/agents", "/bin/agents");
        check("/app/data", "/home/me/data");
        check("/app/data/", "/home/me/data");
        check("/app/data/logs/1.json", "/home/me/data/logs/1.json");
        check("/app/data/x/y", "/x/y");
        check("/app/database", "/app/database");
        check("--flag", "--flag");
    }

    #[test]
    fn a_shell_line_is_mapped_word_by_word() {
        let check = |line: &str, expected: &str| assert_eq!(program().map_shell_line(line), expected);
        check("/bin/agent health || exit 1", "'/home/me/a b/agent' health || exit 1");
        check("/bin/agents; /usr/bin/agent", "/bin/agents; /usr/bin/agent");
        check("x=$(/bin/agent)", "x=$('/home/me/a b/agent')");
    }
}
