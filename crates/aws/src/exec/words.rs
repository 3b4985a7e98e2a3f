//! [`command_line`]: a program and its arguments as one text, which ECS asks for.

/// Joins words so that the agent, which splits the text as a POSIX shell would, gets the same ones back. The agent runs the first of them: no shell
/// is in between.
pub fn command_line(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: &str) {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        assert_eq!(command_line(&words), expected);
    }

    #[test]
    fn only_what_needs_quotes_has_them() {
        check(&["env"], "env");
        check(&["/bin/sh", "-c", "echo $HOME; ls"], "/bin/sh -c 'echo $HOME; ls'");
        check(&["echo", ""], "echo ''");
        check(&["echo", "it's"], r#"echo 'it'"'"'s'"#);
    }

    /// A shell reads the words as they were.
    #[test]
    fn a_shell_splits_it_back() {
        let words = [
            "printf",
            "%s\n",
            "a b",
            "it's",
            "\"quoted\"",
            "$HOME",
            "*",
            "back\\slash",
            "",
        ];
        let line = command_line(&words.map(str::to_owned));
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let expected = words[2..].join("\n") + "\n";
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
}
