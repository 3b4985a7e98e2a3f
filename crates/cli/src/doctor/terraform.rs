//! Terraform itself, its providers and its state.

use karma_terraform::{Backend, Settings};

use super::check::Check;
use super::seen::Seen;
use super::version;

pub(super) fn check(settings: &Settings, seen: &Seen) -> Vec<Check> {
    let program = program(settings.required_version.as_deref(), seen.terraform.as_ref());
    vec![program, providers(seen), state(settings.backend.as_ref())]
}

fn program(required: Option<&str>, installed: Option<&(String, String)>) -> Check {
    let name = "terraform";
    let Some((program, version)) = installed else {
        return Check::missing(
            name,
            "neither terraform nor tofu is in PATH",
            "install one: https://developer.hashicorp.com/terraform/install",
        );
    };
    let found = format!("{program} {version}");
    let Some(required) = required else {
        return Check::ok(name, found);
    };
    match version::meets(version, required) {
        Some(true) => Check::ok(name, format!("{found}, and the stack wants {required}")),
        Some(false) => Check::missing(
            name,
            format!("{found}, but the stack wants {required}"),
            "install another: https://developer.hashicorp.com/terraform/install",
        ),
        None => Check::skipped(name, format!("{found}; whether that is {required} is for it to say")),
    }
}

fn providers(seen: &Seen) -> Check {
    let name = "providers";
    if seen.has_lock {
        Check::ok(name, "pinned by .terraform.lock.hcl")
    } else {
        Check::skipped(
            name,
            "not pinned yet: `terraform init` does that; commit .terraform.lock.hcl then",
        )
    }
}

/// Whether a backend can be reached is for Terraform to say.
fn state(backend: Option<&Backend>) -> Check {
    let name = "state";
    match backend {
        None => Check::ok(name, "a file beside the stack, which only this machine has"),
        Some(backend) if backend.kind == "local" => Check::ok(name, "a file, which only this machine has"),
        Some(backend) => {
            let told = ["bucket", "key", "region", "organization"];
            let told = told.iter().filter_map(|name| {
                let text = backend.arguments.get(*name)?;
                Some(format!(", {name} {text}"))
            });
            let told: String = told.collect();
            Check::ok(
                name,
                format!("{}{told}; `terraform init` says whether it is reached", backend.kind),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[track_caller]
    fn check_program(required: Option<&str>, installed: Option<&str>, verdict: Verdict, words: &str) {
        let installed = installed.map(|version| ("tofu".to_owned(), version.to_owned()));
        let check = program(required, installed.as_ref());
        assert_eq!(check.verdict, verdict);
        assert!(check.finding.contains(words), "{}", check.finding);
    }

    #[test]
    fn a_terraform_that_the_stack_takes_must_be_there() {
        check_program(None, None, Verdict::Missing, "PATH");
        check_program(None, Some("1.0.0"), Verdict::Ok, "tofu 1.0.0");
        check_program(Some(">= 1.10"), Some("1.11.4"), Verdict::Ok, ">= 1.10");
        check_program(
            Some(">= 1.10"),
            Some("1.9.0"),
            Verdict::Missing,
            "but the stack wants >= 1.10",
        );
        check_program(Some("?"), Some("1.9.0"), Verdict::Skipped, "for it to say");
    }

    #[test]
    fn a_state_is_where_the_stack_says() {
        assert!(state(None).finding.contains("beside the stack"));
        let backend = Backend {
            kind: "s3".to_owned(),
            arguments: [("key".to_owned(), "a/b".to_owned())].into(),
        };
        assert!(state(Some(&backend)).finding.starts_with("s3, key a/b"));
    }
}
