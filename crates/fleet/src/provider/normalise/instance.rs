//! `aws_instance`: a network interface that is brought along decides about its own source and destination check.

use karma_terraform::{Object, Value};

pub(super) fn normalise(attributes: &mut Object) {
    let brought_along = attributes.get("network_interface").and_then(Value::as_elements);
    if brought_along.is_some_and(|interfaces| !interfaces.is_empty()) {
        attributes.insert("source_dest_check".into(), Value::Null);
    }
}
