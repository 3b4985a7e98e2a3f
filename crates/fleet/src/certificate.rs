//! `aws_acm_certificate`: of a certificate that only AWS has, what matters elsewhere is for whom it speaks.

use std::collections::BTreeSet;

use karma_terraform::{ResourceInstance, Value};

const NAMES: [&str; 2] = ["domain_name", "subject_alternative_names"];

/// The names that a certificate is for, as far as they are known before apply; none of another resource.
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html>
pub(crate) fn names(resource: &ResourceInstance) -> BTreeSet<String> {
    if resource.address.kind != "aws_acm_certificate" {
        return BTreeSet::new();
    }
    let written = NAMES.iter().filter_map(|name| resource.attributes.get(*name));
    let texts = written.flat_map(|value| value.as_elements().unwrap_or(std::slice::from_ref(value)));
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use karma_terraform::{Inputs, Sources, evaluate, parse};

    use crate::Fleet;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let (module, _) = parse(&Sources::from_iter([("main.tf", text)]));
        let (stack, _) = evaluate(&module, &Inputs::default(), &crate::provider());
        let (fleet, _) = Fleet::from_stack(&stack);
        assert!(
            fleet.certificate_names.iter().eq(expected),
            "{:?}",
            fleet.certificate_names
        );
    }

    #[test]
    fn certificates_are_for_their_domain_and_its_alternatives() {
        check(
            r#"
            resource "aws_acm_certificate" "a" {
              domain_name               = "example.com"
              subject_alternative_names = ["*.example.com", "example.org"]
              validation_method         = "DNS"
            }
            resource "aws_acm_certificate" "b" { domain_name = "b.example.com" }
            "#,
            &["*.example.com", "b.example.com", "example.com", "example.org"],
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        check(
            r#"
            resource "aws_lb" "main" { name = "main" }
            resource "aws_acm_certificate" "a" {
              domain_name               = aws_lb.main.dns_name
              subject_alternative_names = ["a.example.com"]
            }
            "#,
            &["a.example.com"],
        );
        check(r#"resource "aws_lb" "main" { name = "main" }"#, &[]);
    }
}
