//! Which value a variable of the root module gets: the order of Terraform's precedence, and how typed values are read.

use karma_terraform::{CommandLine, Inputs, Provider, Severity, Sources, evaluate, parse};

const MAIN: &str = r#"
    variable "name" {
      type    = string
      default = "default"
    }
    variable "ports" {
      type    = list(number)
      default = []
    }
    variable "anything" {
      default = null
    }
    output "name"     { value = var.name }
    output "ports"    { value = var.ports }
    output "anything" { value = var.anything }
"#;

/// Evaluates the module above with these files and inputs; answers the outputs as text and the diagnostics' summaries.
fn check(files: &[(&str, &str)], inputs: &Inputs) -> (String, Vec<String>) {
    let sources: Sources = files.iter().copied().chain([("main.tf", MAIN)]).collect();
    let (module, mut problems) = parse(&sources);
    let (stack, more) = evaluate(&module, inputs, &Provider::default());
    problems.extend(more);
    let output = |name: &str| {
        stack
            .outputs
            .get(name)
            .map_or_else(String::new, |output| format!("{:?}", output.value))
    };
    let problems = problems.iter().map(|problem| match problem.severity {
        Severity::Error => problem.summary.to_owned(),
        Severity::Warning => format!("warning: {}", problem.summary),
    });
    (["name", "ports", "anything"].map(output).join(" "), problems.collect())
}

fn variable(name: &str, value: &str) -> CommandLine {
    CommandLine::Variable {
        name: name.into(),
        value: value.into(),
    }
}

fn environment(name: &str, value: &str) -> Inputs {
    Inputs {
        environment: [(name.to_owned(), value.to_owned())].into(),
        ..Inputs::default()
    }
}

#[test]
fn each_source_is_stronger_than_the_one_before() {
    let mut files = Vec::new();
    let name = |files: &[(&'static str, &'static str)], inputs: &Inputs| {
        let (outputs, problems) = check(files, inputs);
        assert_eq!(problems, Vec::<String>::new());
        outputs
            .split(' ')
            .next()
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned()
    };
    let mut inputs = Inputs::default();
    assert_eq!(name(&files, &inputs), "default");
    inputs = environment("TF_VAR_name", "environment");
    assert_eq!(name(&files, &inputs), "environment");
    for (file, text, expected) in [
        ("terraform.tfvars", "name = \"tfvars\"", "tfvars"),
        ("terraform.tfvars.json", "{\"name\": \"tfvars.json\"}", "tfvars.json"),
        ("a.auto.tfvars", "name = \"a\"", "a"),
        ("b.auto.tfvars.json", "{\"name\": \"b\"}", "b"),
    ] {
        files.push((file, text));
        assert_eq!(name(&files, &inputs), expected);
    }
    files.push(("profiles/other.auto.tfvars", "name = \"not in the root\""));
    assert_eq!(name(&files, &inputs), "b");
    inputs.command_line.push(variable("name", "first"));
    assert_eq!(name(&files, &inputs), "first");
    inputs.command_line.push(CommandLine::File {
        name: "x.tfvars".into(),
        text: "name = \"file\"".into(),
    });
    assert_eq!(name(&files, &inputs), "file");
    inputs.command_line.push(variable("name", "last"));
    assert_eq!(name(&files, &inputs), "last");
}

#[test]
fn typed_values_are_text_or_expressions_by_the_variables_type() {
    let command_line = vec![
        variable("name", "[1]"),
        variable("ports", "[1, \"2\"]"),
        variable("anything", "[1]"),
    ];
    let (outputs, problems) = check(
        &[],
        &Inputs {
            command_line,
            ..Inputs::default()
        },
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(outputs, r#""[1]" [1, 2] "[1]""#);
}

#[test]
fn what_is_no_expression_or_of_another_type_is_an_error() {
    let (_, problems) = check(&[], &environment("TF_VAR_ports", "[1,"));
    assert_eq!(problems, ["Invalid syntax"]);
    let (_, problems) = check(&[], &environment("TF_VAR_ports", "{}"));
    assert_eq!(problems, ["Invalid value for input variable"]);
    let (_, problems) = check(&[("a.auto.tfvars.json", "[1]")], &Inputs::default());
    assert_eq!(problems, ["Invalid JSON"]);
}

#[test]
fn undeclared_names_are_an_error_a_warning_or_nothing_by_where_they_stand() {
    let command_line = vec![variable("nmae", "x")];
    let (_, problems) = check(
        &[],
        &Inputs {
            command_line,
            ..Inputs::default()
        },
    );
    assert_eq!(problems, ["Value for undeclared variable"]);
    let (_, problems) = check(&[("a.auto.tfvars", "nmae = 1")], &Inputs::default());
    assert_eq!(problems, ["warning: Value for undeclared variable"]);
    let (_, problems) = check(&[], &environment("TF_VAR_nmae", "x"));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn the_workspace_is_an_input() {
    let sources = Sources::from_iter([("main.tf", "output \"w\" { value = terraform.workspace }")]);
    let (module, _) = parse(&sources);
    let inputs = Inputs {
        workspace: "staging".into(),
        ..Inputs::default()
    };
    let (stack, _) = evaluate(&module, &inputs, &Provider::default());
    assert_eq!(stack.outputs["w"].value.as_str(), Some("staging"));
}
