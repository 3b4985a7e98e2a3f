//! Reads what Rust's test harness prints, line by line: what to show, what to count, which tests were skipped.
//!
//! The harness runs with `--show-output`, so that the `SKIPPED name: reason` lines of tests that passed are seen at all.
//! Its format: <https://doc.rust-lang.org/rustc/tests/index.html>.

/// How many checks held, and which ones could not be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// `name: reason` of each check that could not be made.
    pub(crate) skipped: Vec<String>,
}

/// The reader: give it every line, then ask for the [`Tally`].
#[derive(Default)]
pub(crate) struct TestOutput {
    tally: Tally,
    section: Section,
}

#[derive(Default, PartialEq)]
enum Section {
    /// One line per test, then the verdict of the test program.
    #[default]
    Tests,
    /// What tests printed that passed: of no interest but for its skips.
    Successes,
    /// What tests printed that failed.
    Failures,
}

impl TestOutput {
    /// Takes in the next line, and gives it back if a person should see it.
    pub(crate) fn read<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        match line {
            "successes:" => self.section = Section::Successes,
            "failures:" => self.section = Section::Failures,
            _ => {}
        }
        if let Some(verdict) = line.strip_prefix("test result: ") {
            self.section = Section::Tests;
            self.add_verdict(verdict);
            return verdict.starts_with("FAILED").then_some(line);
        }
        // A test may say so past the harness, behind its own name.
        if let Some((_, skip)) = line
            .split_once("SKIPPED ")
            .filter(|(before, _)| before.is_empty() || before.ends_with(" ... "))
        {
            self.skip(skip.to_owned());
            return Some(line);
        }
        match self.section {
            Section::Failures => Some(line),
            Section::Successes => None,
            Section::Tests => self.read_test(line),
        }
    }

    /// The count over all lines read. A test that said it was skipped is not one that passed.
    pub(crate) fn finish(self) -> Tally {
        let said = self
            .tally
            .skipped
            .iter()
            .filter(|skip| !skip.ends_with(IGNORED))
            .count();
        Tally {
            passed: self.tally.passed.saturating_sub(said),
            ..self.tally
        }
    }

    fn read_test<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let uninteresting =
            line.is_empty() || line.starts_with("running ") || line.ends_with(" ... ok") || line == "ok";
        if let Some((name, _)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... ignored"))
        {
            self.skip(format!("{name}{IGNORED}"));
        }
        (!uninteresting).then_some(line)
    }

    fn skip(&mut self, skip: String) {
        if !self.tally.skipped.contains(&skip) {
            self.tally.skipped.push(skip);
        }
    }

    /// `ok. 2 passed; 1 failed; 0 ignored; ...`
    fn add_verdict(&mut self, verdict: &str) {
        let count = |word: &str| {
            let before = verdict.split_once(word)?.0.trim_end();
            before.rsplit(' ').next()?.parse::<usize>().ok()
        };
        self.tally.passed += count("passed").unwrap_or(0);
        self.tally.failed += count("failed").unwrap_or(0);
    }
}

const IGNORED: &str = ": marked #[ignore]";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, shown: &[&str], tally: &Tally) {
        let mut reader = TestOutput::default();
        let seen: Vec<&str> = output.lines().filter_map(|line| reader.read(line)).collect();
        assert_eq!(seen, shown);
        assert_eq!(&reader.finish(), tally);
    }

    #[test]
    fn tests_that_pass_are_counted_and_not_shown() {
        let output = "\nrunning 2 tests\ntest a ... ok\ntest b - should panic ... ok\n\n\
            successes:\n\n---- a stdout ----\nchatter\n\nsuccesses:\n    a\n    b\n\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        check(
            output,
            &[],
            &Tally {
                passed: 2,
                ..Tally::default()
            },
        );
    }

    #[test]
    fn tests_that_fail_are_shown_with_what_they_printed() {
        let output = "running 2 tests\ntest a ... FAILED\ntest b ... ok\n\nsuccesses:\n\n---- b stdout ----\nchatter\n\n\
            successes:\n    b\n\nfailures:\n\n---- a stdout ----\nwhy\n\nfailures:\n    a\n\n\
            test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let verdict = output.lines().last().unwrap();
        let shown = [
            "test a ... FAILED",
            "failures:",
            "",
            "---- a stdout ----",
            "why",
            "",
            "failures:",
            "    a",
            "",
            verdict,
        ];
        check(
            output,
            &shown,
            &Tally {
                passed: 1,
                failed: 1,
                skipped: vec![],
            },
        );
    }

    #[test]
    fn a_test_that_says_it_was_skipped_did_not_pass() {
        let output = "test a ... ok\ntest b ... ok\n\nsuccesses:\n\n---- a stdout ----\nSKIPPED a: no terraform here\n\n\
            successes:\n    a\n    b\n\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let skipped = vec!["a: no terraform here".to_owned()];
        check(
            output,
            &["SKIPPED a: no terraform here"],
            &Tally {
                passed: 1,
                failed: 0,
                skipped,
            },
        );
    }

    #[test]
    fn a_test_may_say_past_the_harness_that_it_was_skipped() {
        let output = "running 1 test\ntest a ... SKIPPED a: no terraform here\nok\n\n\
            test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let skipped = vec!["a: no terraform here".to_owned()];
        check(
            output,
            &["test a ... SKIPPED a: no terraform here"],
            &Tally {
                passed: 0,
                failed: 0,
                skipped,
            },
        );
    }

    #[test]
    fn an_ignored_test_is_skipped() {
        let output = "test a ... ignored\ntest b ... ignored, too slow\n\
            test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let skipped = vec![format!("a{IGNORED}"), format!("b{IGNORED}")];
        let shown = ["test a ... ignored", "test b ... ignored, too slow"];
        check(
            output,
            &shown,
            &Tally {
                passed: 3,
                failed: 0,
                skipped,
            },
        );
    }

    #[test]
    fn verdicts_of_several_test_programs_add_up() {
        let verdict = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        check(
            &verdict.repeat(3),
            &[],
            &Tally {
                passed: 36,
                ..Tally::default()
            },
        );
    }
}
