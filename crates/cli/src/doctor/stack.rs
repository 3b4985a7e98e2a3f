//! What the stack itself has to bring: a certificate where a listener speaks HTTPS.

use karma_terraform::{Mode, ResourceInstance, Stack, Value};

use super::check::Check;

const NAME: &str = "certificate";

/// ACM gives a load balancer only certificates of its own region.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html>
pub(super) fn certificate(stack: &Stack, region: Option<&str>) -> Check {
    let Some(listener) = stack.resources.values().find(|resource| speaks_https(resource)) else {
        return Check::skipped(NAME, "no listener speaks HTTPS");
    };
    let missing = |finding: String| {
        let mend = format!(
            "set certificate_arn of {} to one of this region's ACM",
            listener.address
        );
        Check::missing(NAME, finding, mend)
    };
    match listener.attributes.get("certificate_arn") {
        None | Some(Value::Null) => missing(format!("{} has none", listener.address)),
        Some(value) => match (value.as_str(), region) {
            (None, _) => Check::ok(NAME, "the stack makes it"),
            (Some(arn), Some(region)) if !is_of(arn, region) => {
                missing(format!("{arn} is of another region than {region}"))
            }
            (Some(arn), _) => Check::ok(NAME, arn).see(format!("aws acm describe-certificate --certificate-arn {arn}")),
        },
    }
}

fn speaks_https(resource: &ResourceInstance) -> bool {
    let is_listener = matches!(resource.address.kind.as_str(), "aws_lb_listener" | "aws_alb_listener");
    let protocol = resource.attributes.get("protocol").and_then(Value::as_str);
    is_listener && resource.address.mode == Mode::Managed && protocol == Some("HTTPS")
}

/// `arn:aws:acm:us-east-1:…`; certificates of IAM are of no region.
fn is_of(arn: &str, region: &str) -> bool {
    let fields: Vec<&str> = arn.split(':').collect();
    !matches!(fields.as_slice(), [_, _, "acm", of, ..] if *of != region)
}

#[cfg(test)]
mod tests {
    use karma_terraform::{Inputs, Sources, evaluate, parse};

    use super::super::check::Verdict;
    use super::*;

    #[track_caller]
    fn check(listener: &str, verdict: Verdict, words: &str) {
        let text = format!(
            r#"
            resource "aws_acm_certificate" "own" {{ domain_name = "a.example" }}
            resource "aws_lb" "main" {{ name = "main" }}
            resource "aws_lb_listener" "it" {{
              load_balancer_arn = aws_lb.main.arn
              {listener}
              default_action {{
                type = "fixed-response"
              }}
            }}
            "#
        );
        let (module, _) = parse(&Sources::from_iter([("main.tf", text.as_str())]));
        let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
        let found = certificate(&stack, Some("us-east-1"));
        assert_eq!(found.verdict, verdict);
        assert!(found.finding.contains(words), "{}", found.finding);
    }

    #[test]
    fn https_needs_a_certificate_of_the_region() {
        let https = |arn: &str| format!("port = 443\nprotocol = \"HTTPS\"\n{arn}");
        check("port = 80\nprotocol = \"HTTP\"", Verdict::Skipped, "no listener");
        check(&https(""), Verdict::Missing, "aws_lb_listener.it has none");
        check(
            &https("certificate_arn = aws_acm_certificate.own.arn"),
            Verdict::Ok,
            "the stack makes it",
        );
        let arn = "certificate_arn = \"arn:aws:acm:us-east-1:123456789012:certificate/c\"";
        check(&https(arn), Verdict::Ok, "certificate/c");
        let elsewhere = "certificate_arn = \"arn:aws:acm:eu-west-1:123456789012:certificate/c\"";
        check(&https(elsewhere), Verdict::Missing, "another region");
    }
}
