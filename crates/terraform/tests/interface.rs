//! What a module says of its variables and outputs.

use karma_terraform::{Module, Sources, parse};

const TEXT: &str = r#"
variable "zones" {
  description = "Where it runs."
  type        = list(string)
  default     = ["a", "b"]
}

variable "key" {
  sensitive = true
}

variable "agents" {
  description = <<-EOT
    The agents.
    port: where one listens.
  EOT
  type = map(object({
    port = optional(number, 80)
  }))
}

output "b_first" {
  description = "Comes ${"first"}."
  value       = var.zones
}

output "a_second" {
  value     = var.key
  sensitive = true
}
"#;

fn module(text: &str) -> Module {
    let (module, diagnostics) = parse(&Sources::from_iter([("main.tf", text)]));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    module
}

#[test]
fn variables_are_as_they_are_written() {
    let module = module(TEXT);
    let seen: Vec<_> = module
        .variables()
        .into_iter()
        .map(|it| (it.name, it.description, it.ty, it.default, it.sensitive))
        .collect();
    let agents = "map(object({\n    port = optional(number, 80)\n  }))";
    assert_eq!(
        seen,
        [
            (
                "zones",
                Some("Where it runs."),
                Some("list(string)"),
                Some(r#"["a", "b"]"#),
                false
            ),
            ("key", None, None, None, true),
            (
                "agents",
                Some("The agents.\nport: where one listens.\n"),
                Some(agents),
                None,
                false
            ),
        ]
    );
}

#[test]
fn outputs_are_in_the_order_of_the_text() {
    let module = module(TEXT);
    let seen: Vec<_> = module
        .outputs()
        .into_iter()
        .map(|it| (it.name, it.description, it.sensitive))
        .collect();
    assert_eq!(
        seen,
        [("b_first", Some("Comes first."), false), ("a_second", None, true)]
    );
}

#[test]
fn a_declaration_knows_its_line() {
    let module = module(TEXT);
    let sources = Sources::from_iter([("main.tf", TEXT)]);
    let lines: Vec<usize> = module
        .variables()
        .iter()
        .map(|it| {
            sources
                .position(&it.declared_at.file, it.declared_at.start)
                .unwrap()
                .line
        })
        .collect();
    assert_eq!(lines, [2, 8, 12]);
}

#[test]
fn an_override_file_changes_what_is_said() {
    let override_file = "variable \"zones\" {\n  description = \"Elsewhere.\"\n  default     = []\n}\n";
    let sources = Sources::from_iter([("main.tf", TEXT), ("x_override.tf", override_file)]);
    let (module, _) = parse(&sources);
    let zones = module.variables()[0];
    assert_eq!((zones.description, zones.default), (Some("Elsewhere."), Some("[]")));
    assert_eq!(zones.ty, Some("list(string)"), "kept from the file that is overridden");
}

#[test]
fn a_description_has_to_be_constant() {
    let text = "variable \"a\" {\n  description = var.b\n}\nvariable \"b\" {}\n";
    let (module, diagnostics) = parse(&Sources::from_iter([("main.tf", text)]));
    assert!(diagnostics.has_errors());
    assert_eq!(module.variables()[0].description, None);
}

#[test]
fn an_empty_module_shows_nothing() {
    assert!(Module::default().variables().is_empty());
    assert!(Module::default().outputs().is_empty());
}
