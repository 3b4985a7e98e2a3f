//! How load balancers are read.

use std::time::Duration;

use karma_fleet::{AccessLogs, DesyncMitigationMode, ForwardedFor, HostHeader, Http2, InvalidHeaders, LoadBalancer};
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
fn what_targets_see_of_clients_is_read() {
    let check = |attributes: Json, expected| {
        let mut attributes = attributes;
        attributes["name"] = "main".into();
        assert_eq!(load_balancer(attributes).forwarded_for, expected);
    };
    check(json!({}), ForwardedFor::Append);
    check(json!({"enable_xff_client_port": true}), ForwardedFor::AppendWithPort);
    check(
        json!({"xff_header_processing_mode": "preserve", "enable_xff_client_port": true}),
        ForwardedFor::Preserve,
    );
    check(json!({"xff_header_processing_mode": "remove"}), ForwardedFor::Remove);
    let preserved = load_balancer(json!({"name": "main", "preserve_host_header": true}));
    assert_eq!(preserved.host_header, HostHeader::Preserved);
}

#[test]
fn headers_about_tls_are_warned_of() {
    const NAME: &str = "enable_tls_version_and_cipher_suite_headers";
    check_complaint(
        &[(ADDRESS, json!({"name": "main", NAME: true}))],
        &["warning", "Not run locally yet", "is not followed"],
    );
}
