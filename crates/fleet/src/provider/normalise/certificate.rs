//! `aws_acm_certificate`: its own name is one of its alternative names, and for validation by DNS it is known for which names a record will
//! be needed, so that records can be declared with `for_each`.
//! <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/acm_certificate>

use karma_terraform::{Address, AttributePath, Object, PathStep, Unknown, Value};

const DECIDED_BY_AWS: [&str; 3] = ["resource_record_name", "resource_record_type", "resource_record_value"];

pub(super) fn normalise(of: &Address, attributes: &mut Object) {
    let Some(name @ Value::String(_)) = attributes.get("domain_name").cloned() else {
        return;
    };
    let written = attributes
        .get("subject_alternative_names")
        .filter(|names| !names.contains_unknown());
    let alternatives = written.and_then(Value::as_elements).unwrap_or_default();
    let names = Value::set(alternatives.iter().cloned().chain([name]));
    if attributes.get("validation_method").and_then(Value::as_str) == Some("DNS") {
        let options = names
            .as_elements()
            .unwrap_or_default()
            .iter()
            .map(|name| option(of, name));
        attributes.insert("domain_validation_options".into(), Value::set(options));
    }
    attributes.insert("subject_alternative_names".into(), names);
}

fn option(of: &Address, name: &Value) -> Value {
    let domain = name.as_str().unwrap_or_default();
    let unknown = DECIDED_BY_AWS.map(|attribute| (attribute.to_owned(), to_be_decided(of, domain, attribute)));
    Value::Object(
        [("domain_name".to_owned(), name.clone())]
            .into_iter()
            .chain(unknown)
            .collect(),
    )
}

fn to_be_decided(of: &Address, domain: &str, attribute: &str) -> Value {
    let path = vec![
        PathStep::Attribute("domain_validation_options".into()),
        PathStep::Key(domain.into()),
        PathStep::Attribute(attribute.into()),
    ];
    Value::Unknown(Box::new(Unknown::Attribute {
        of: of.clone(),
        path: AttributePath(path),
    }))
}
