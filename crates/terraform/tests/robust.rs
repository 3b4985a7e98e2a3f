//! Whatever the text, nothing panics and nothing overflows the stack.

#![expect(clippy::disallowed_methods, reason = "tests find their cases on the disk")]

use std::fmt::Write as _;
use std::path::Path;

use karma_terraform::{Inputs, Provider, Sources, evaluate, parse, plan_json, read};

/// Rounds of mutation; each evaluates one whole stack.
const ROUNDS: usize = 3_000;

#[test]
fn mutated_stacks_never_panic() {
    let seeds = seeds();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..ROUNDS {
        let mut files = seeds[round % seeds.len()].clone();
        let victim = random.below(files.len());
        for _ in 0..=random.below(4) {
            files[victim].1 = mutate(&files[victim].1, &mut random);
        }
        evaluated(files);
    }
}

#[test]
fn deep_nesting_is_a_diagnostic() {
    let deep = 10_000;
    let nested = |open: &str, middle: &str, close: &str| {
        format!(
            "output \"a\" {{\n  value = {}{middle}{}\n}}\n",
            open.repeat(deep),
            close.repeat(deep)
        )
    };
    let texts = [
        nested("(", "1", ")"),
        nested("[", "1", "]"),
        nested("{ a = ", "1", " }"),
        nested("\"${", "1", "}\""),
        nested("!", "true", ""),
        nested("-", "1", ""),
        nested("upper(", "1", ")"),
        nested("true ? 1 : ", "2", ""),
        nested("[for x in ", "[]", ": x]"),
        nested("1 + ", "1", ""),
        nested("a[", "0", "]"),
        format!(
            "output \"a\" {{\n  value = \"{}{}\"\n}}\n",
            "%{ if true }".repeat(deep),
            "%{ endif }".repeat(deep)
        ),
        format!(
            "variable \"a\" {{\n  type = {}any{}\n}}\n",
            "list(".repeat(deep),
            ")".repeat(deep)
        ),
        format!("{}{}", "block {\n".repeat(deep), "}\n".repeat(deep)),
        "(".repeat(deep),
        "\"${".repeat(deep),
    ];
    for text in texts {
        let problems = evaluated(vec![("main.tf".to_owned(), text.clone())]);
        assert!(problems > 0, "no diagnostic for {}...", &text[..60]);
    }
}

#[test]
fn long_chains_of_references_are_no_recursion() {
    let text = chain("1", 20_000, |before| format!("local.v{before}"));
    assert_eq!(evaluated(vec![("main.tf".to_owned(), text)]), 0);
}

#[test]
fn values_cannot_grow_without_end() {
    let deep = chain("1", 20_000, |before| format!("[local.v{before}]"));
    let wide = chain("1", 60, |before| format!("[local.v{before}, local.v{before}]"));
    let long = chain("\"x\"", 60, |before| {
        format!("\"${{local.v{before}}}${{local.v{before}}}\"")
    });
    for text in [deep, wide, long] {
        assert!(evaluated(vec![("main.tf".to_owned(), text)]) > 0);
    }
}

/// Local values of which each is made of the one before, and an output of the last.
fn chain(first: &str, length: usize, next: impl Fn(usize) -> String) -> String {
    let mut text = format!("locals {{\n  v0 = {first}\n");
    for position in 1..length {
        writeln!(text, "  v{position} = {}", next(position - 1)).expect("a string takes all");
    }
    writeln!(text, "}}\noutput \"last\" {{\n  value = local.v{}\n}}", length - 1).expect("a string takes all");
    text
}

/// Evaluates a stack in every way and says how many problems it has. Every span of theirs has to stand in the sources.
fn evaluated(files: Vec<(String, String)>) -> usize {
    let sources = Sources::from_iter(files);
    let (module, mut problems) = parse(&sources);
    let (stack, more) = evaluate(&module, &Inputs::default(), &Provider::default());
    problems.extend(more);
    let _json = plan_json(&stack).to_string();
    let _debug = format!("{stack:?}");
    for span in problems.iter().filter_map(|problem| problem.span.as_ref()) {
        assert!(
            sources.position(&span.file, span.start).is_some(),
            "{span:?} begins nowhere"
        );
        assert!(
            sources.position(&span.file, span.end).is_some(),
            "{span:?} ends nowhere"
        );
    }
    problems.len()
}

/// The stacks of the golden cases.
fn seeds() -> Vec<Vec<(String, String)>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut directories: Vec<_> = ["cases", "errors"]
        .iter()
        .flat_map(|kind| std::fs::read_dir(tests.join(kind)).expect("the cases are there"))
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    directories.sort();
    directories
        .iter()
        .map(|directory| {
            let sources = read(directory).expect("the case can be read");
            let terraform = sources.iter().filter(|(path, _)| path.contains(".tf"));
            terraform
                .map(|(path, text)| (path.to_string(), text.to_owned()))
                .collect()
        })
        .collect()
}

/// Deletes, doubles, swaps or overwrites some letters or lines.
fn mutate(text: &str, random: &mut Random) -> String {
    const SPICE: [&str; 16] = [
        "\"", "{", "}", "${", "%{", "[", "]", "(", ")", "\n", "*", "...", "<<-EOT\n", "~", "\\u00", "é",
    ];
    let by_lines = random.below(3) == 0;
    let mut parts: Vec<String> = if by_lines {
        text.split_inclusive('\n').map(str::to_owned).collect()
    } else {
        text.chars().map(String::from).collect()
    };
    if parts.is_empty() {
        return SPICE[random.below(SPICE.len())].to_owned();
    }
    let (here, there) = (random.below(parts.len()), random.below(parts.len()));
    match random.below(5) {
        0 => drop(parts.remove(here)),
        1 => parts.insert(here, parts[there].clone()),
        2 => parts.swap(here, there),
        3 => parts.insert(here, SPICE[random.below(SPICE.len())].to_owned()),
        _ => parts.truncate(here),
    }
    parts.concat()
}

/// The same numbers on every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap_or(0) % end.max(1)
    }
}
