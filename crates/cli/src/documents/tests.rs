use std::collections::BTreeSet;

use karma_cost::PriceBook;
use karma_fleet::Fleet;
use karma_terraform::{Inputs, Sources, evaluate, parse};
use proptest::prelude::*;

use super::markdown::{code, prose};
use super::markers::find;
use super::{Facts, Problem, Revision, revise};

const STACK: &str = r#"
variable "names" {
  description = "Any | of *these*."
  type        = map(object({ port = number }))
  default     = { first = { port = 80 }, second = { port = 81 } }
}

variable "key" {
  description = <<-EOT
    One line.
    Another with `a*b`.
  EOT
  sensitive   = true
  default     = "hunter2"
}

variable "size" { default = 1 }

variable "cpu_architecture" {
  type    = string
  default = "X86_64"
}

resource "aws_cloudwatch_dashboard" "this" {
  count          = var.size + (var.cpu_architecture == "ARM64" ? 0 : 1)
  dashboard_name = "demo-${count.index}"
  dashboard_body = "{}"
}

resource "aws_ecr_repository" "this" {
  for_each = var.names
  name     = "demo/${each.key}"
}

output "secret" {
  description = "Hidden."
  value       = var.key
  sensitive   = true
}
"#;

fn revised(text: &str) -> Result<Revision, Problem> {
    let sources = Sources::from_iter([("main.tf", STACK), ("profiles/large.tfvars", "size = 3\n")]);
    let (module, problems) = parse(&sources);
    assert!(problems.is_empty(), "{problems:?}");
    let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
    let (fleet, _) = Fleet::from_stack(&stack);
    revise(
        text,
        &Facts {
            to_stack: "../",
            sources: &sources,
            module: &module,
            inputs: &Inputs::default(),
            stack: &stack,
            fleet: &fleet,
            prices: PriceBook::embedded("us-east-1").as_ref(),
        },
    )
}

/// The content of one generated block.
fn block(name: &str) -> String {
    let (begin, end) = (format!("<!-- karma docs: {name} -->\n\n"), "\n\n<!-- end -->\n");
    let text = revised(&format!("{begin}{end}")).unwrap().text;
    text.strip_prefix(&begin).unwrap().strip_suffix(end).unwrap().to_owned()
}

#[test]
fn variables_are_rows_that_a_table_can_hold() {
    insta::assert_snapshot!(block("variables"));
}

#[test]
fn outputs_say_what_is_sensitive() {
    insta::assert_snapshot!(block("outputs"));
}

#[test]
fn files_resources_and_summary_count() {
    let text = ["files", "resources", "summary"].map(block).join("\n\n");
    insta::assert_snapshot!(text);
}

#[test]
fn prices_are_those_of_the_bill() {
    let text = ["bill", "price", "profile-prices", "savings"].map(block).join("\n\n");
    insta::assert_snapshot!(text);
}

#[test]
fn a_stack_without_a_fleet_has_an_empty_picture() {
    assert_eq!(block("agents").lines().count(), 2, "heading only");
    assert_eq!(block("diagram"), "```text\nclients\n```");
}

#[test]
fn what_is_outside_of_blocks_stays_and_what_is_inside_does_not() {
    let text = "before\n<!-- karma docs: summary -->\nold\n<!-- end -->\nbetween\n<!-- karma docs: outputs -->\n<!-- end -->\nafter";
    let revision = revised(text).unwrap();
    assert!(
        revision
            .text
            .starts_with("before\n<!-- karma docs: summary -->\n\nWith its defaults")
    );
    assert!(
        revision
            .text
            .contains("<!-- end -->\nbetween\n<!-- karma docs: outputs -->\n\n|")
    );
    assert!(revision.text.ends_with("<!-- end -->\nafter") && !revision.text.contains("old"));
    let stale: Vec<_> = revision.stale.iter().map(|it| (it.line, it.name.as_str())).collect();
    assert_eq!(stale, [(2, "summary"), (6, "outputs")]);
}

#[test]
fn what_was_written_is_not_stale() {
    let text = "<!-- karma docs: resources -->\n<!-- end -->\n";
    let once = revised(text).unwrap();
    let twice = revised(&once.text).unwrap();
    assert_eq!((twice.text, twice.stale), (once.text, vec![]));
}

#[test]
fn lines_end_as_the_marker_does() {
    let text = revised("a\r\n<!-- karma docs: outputs -->\r\n<!-- end -->\r\n")
        .unwrap()
        .text;
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn a_document_of_somebody_else_is_left_alone() {
    for text in [
        "",
        "no markers",
        "a stray\n<!-- end -->\n",
        "inline <!-- karma docs: summary --> is prose",
        "```\n<!-- karma docs: summary -->\n```\n",
        "~~~~\n```\n<!-- karma docs: nonsense -->\n~~~\n~~~~\n",
    ] {
        let revision = revised(text).unwrap();
        assert_eq!((revision.text.as_str(), revision.blocks), (text, 0));
    }
}

#[test]
fn what_is_not_balanced_is_told_with_its_line() {
    let complaint = |text: &str| {
        let problem = revised(text).unwrap_err();
        (problem.line, problem.message)
    };
    let begin = "<!-- karma docs: summary -->\n";
    let no_end = (2, "the block `summary` has no end".to_owned());
    assert_eq!(complaint(&format!("\n{begin}text\n")), no_end);
    assert_eq!(complaint(&format!("\n{begin}{begin}<!-- end -->\n")), no_end);
    assert_eq!(
        complaint(&format!("{begin}<!-- end -->\n\n<!-- end -->\n")),
        (4, "`<!-- end -->` ends no block".to_owned())
    );
    assert_eq!(
        complaint("<!-- karma docs: summary\n-->\n"),
        (1, "this marker does not end on its line".to_owned())
    );
}

#[test]
fn an_unknown_block_is_told_with_those_that_are_known() {
    let problem = revised("\n<!-- karma docs: summery -->\n<!-- end -->\n").unwrap_err();
    assert_eq!(problem.line, 2);
    assert!(problem.message.contains("`summery`") && problem.hint.contains("summary, variables"));
}

#[test]
fn code_holds_whatever_it_is_given() {
    for (text, expected) in [("", ""), ("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```")] {
        assert_eq!(code(text), expected);
    }
    assert_eq!(prose("a*b `c*d` <e>"), r"a\*b `c*d` \<e>");
}

proptest! {
    /// Whatever a document holds: either it is refused, or all that is outside of its blocks is kept.
    #[test]
    fn no_text_is_lost(lines in prop::collection::vec(prop::sample::select(LINES), 0..12)) {
        let text = lines.concat();
        if let Ok(revision) = revised(&text) {
            prop_assert_eq!(outside(&revision.text), outside(&text));
            prop_assert!(revised(&revision.text).unwrap().stale.is_empty());
        }
    }
}

const LINES: &[&str] = &[
    "text\n",
    "\r\n",
    "```\n",
    "~~~~ text\n",
    "<!-- karma docs: summary -->\n",
    "  <!-- karma docs:outputs-->\r\n",
    "<!-- end -->\n",
    "ä € no line end",
];

/// The text without what is inside of its blocks.
fn outside(text: &str) -> String {
    let inside: BTreeSet<usize> = find(text).unwrap().into_iter().flat_map(|block| block.inside).collect();
    let kept = text.char_indices().filter(|(position, _)| !inside.contains(position));
    kept.map(|(_, char)| char).collect()
}
