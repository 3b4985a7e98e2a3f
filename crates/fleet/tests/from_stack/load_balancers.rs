//! How load balancers are read.

use std::time::Duration;

use karma_fleet::{AccessLogs, DesyncMitigationMode, Http2, InvalidHeaders, LoadBalancer};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet};

const ADDRESS: &str = "aws_lb.main";

fn load_balancer(attributes: Json) -> LoadBalancer {
    fleet(&[(ADDRESS, attributes)])
        .load_balancers
        .remove(&address(ADDRESS))
        .expect("it was read")
}

#[test]
fn a_bare_load_balancer_takes_the_defaults_of_aws() {
    let bare = load_balancer(json!({"name": "main"}));
    assert_eq!(bare.idle_timeout, Duration::from_mins(1));
    assert_eq!(bare.client_keep_alive, Duration::from_hours(1));
    assert_eq!(bare.desync_mitigation_mode, DesyncMitigationMode::Defensive);
    assert_eq!(
        (bare.http2, bare.invalid_headers),
        (Http2::Enabled, InvalidHeaders::Forward)
    );
    assert_eq!(bare.access_logs, AccessLogs::Disabled);
}

#[test]
fn what_is_written_is_read() {
    let written = load_balancer(json!({
        "name": "main",
        "idle_timeout": 120,
        "client_keep_alive": 60,
        "desync_mitigation_mode": "strictest",
        "enable_http2": false,
        "drop_invalid_header_fields": true,
        "access_logs": [{"bucket": "logs", "enabled": true}],
    }));
    assert_eq!(
        (written.idle_timeout.as_secs(), written.client_keep_alive.as_secs()),
        (120, 60)
    );
    assert_eq!(written.desync_mitigation_mode, DesyncMitigationMode::Strictest);
    assert_eq!(
        (written.http2, written.invalid_headers),
        (Http2::Disabled, InvalidHeaders::Drop)
    );
    assert_eq!(written.access_logs, AccessLogs::Enabled);
}

#[test]
fn what_targets_would_see_otherwise_is_warned_of() {
    for (name, value) in [
        ("preserve_host_header", json!(true)),
        ("enable_xff_client_port", json!(true)),
        ("xff_header_processing_mode", json!("remove")),
    ] {
        check_complaint(
            &[(ADDRESS, json!({"name": "main", name: value}))],
            &[&format!("warning @{name}: Not run locally yet"), "is not followed"],
        );
    }
    load_balancer(json!({"name": "main", "xff_header_processing_mode": "append", "preserve_host_header": false}));
}
