//! `aws_lb`: what only one type of load balancer has is null for the others. The defaults in the schema are an application load balancer's.
//! <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/lb>

use karma_terraform::{Object, Value};

/// What a network or gateway load balancer does not have.
const ONLY_APPLICATION: &[&str] = &[
    "client_keep_alive",
    "desync_mitigation_mode",
    "drop_invalid_header_fields",
    "enable_http2",
    "enable_tls_version_and_cipher_suite_headers",
    "enable_waf_fail_open",
    "enable_xff_client_port",
    "idle_timeout",
    "preserve_host_header",
    "xff_header_processing_mode",
];

pub(super) fn normalise(attributes: &mut Object) {
    clear_disabled_logs(attributes);
    let kind = attributes
        .get("load_balancer_type")
        .and_then(Value::as_str)
        .unwrap_or("application")
        .to_owned();
    match kind.as_str() {
        "application" => clear(
            attributes,
            &["dns_record_client_routing_policy", "enable_cross_zone_load_balancing"],
        ),
        "network" => {
            clear(attributes, ONLY_APPLICATION);
            default(
                attributes,
                "dns_record_client_routing_policy",
                Value::String("any_availability_zone".into()),
            );
            default(attributes, "enable_cross_zone_load_balancing", Value::Bool(false));
        }
        _ => {
            clear(attributes, ONLY_APPLICATION);
            clear(attributes, &["dns_record_client_routing_policy"]);
            default(attributes, "enable_cross_zone_load_balancing", Value::Bool(false));
        }
    }
}

/// Logs that are not enabled have no bucket.
fn clear_disabled_logs(attributes: &mut Object) {
    for logs in ["access_logs", "connection_logs"] {
        let Some(Value::List(blocks)) = attributes.get_mut(logs) else {
            continue;
        };
        for block in blocks {
            if let Value::Object(block) = block
                && block.get("enabled").and_then(Value::as_bool) != Some(true)
            {
                block.insert("bucket".into(), Value::String(String::new()));
                block.insert("prefix".into(), Value::Null);
            }
        }
    }
}

fn clear(attributes: &mut Object, names: &[&str]) {
    for name in names {
        attributes.insert((*name).to_owned(), Value::Null);
    }
}

fn default(attributes: &mut Object, name: &str, value: Value) {
    if attributes.get(name).is_none_or(Value::is_null) {
        attributes.insert(name.to_owned(), value);
    }
}
