//! Which region a stack is for.

use karma_terraform::{Stack, Value};

/// The region of a stack: its provider's, or else that of its first zone; `None` where neither is known.
pub fn region(stack: &Stack) -> Option<String> {
    let of_provider = stack
        .providers
        .get("aws")
        .and_then(|provider| provider.get("region")?.as_str());
    let zones = stack
        .resources
        .values()
        .filter_map(|it| it.attributes.get("availability_zone").and_then(Value::as_str));
    let of_zones = || {
        zones
            .map(|zone| zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()))
            .next()
    };
    of_provider.or_else(of_zones).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use karma_terraform::{Inputs, Sources, evaluate, parse};

    fn check(text: &str, expected: Option<&str>) {
        let (module, _) = parse(&Sources::from_iter([("main.tf", text)]));
        let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
        assert_eq!(super::region(&stack).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_provider_knows_the_region_and_a_zone_tells_it() {
        check("provider \"aws\" { region = \"eu-west-1\" }", Some("eu-west-1"));
        let subnet = "resource \"aws_subnet\" \"a\" {\nvpc_id = \"v\"\navailability_zone = \"sa-east-1b\"\n}";
        check(subnet, Some("sa-east-1"));
        check(
            &format!("provider \"aws\" {{ region = \"us-west-2\" }}\n{subnet}"),
            Some("us-west-2"),
        );
        check("resource \"aws_lb\" \"a\" {}", None);
    }
}
