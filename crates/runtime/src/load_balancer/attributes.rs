//! The fleet's load balancers in the balancer's terms, and where their access logs are written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use karma_balancer as balancer;
use karma_balancer::{AccessLog, Attributes};
use karma_fleet::{
    AccessLogs, Address, DesyncMitigationMode, ForwardedFor, HostHeader, Http2, InvalidHeaders, LoadBalancer,
};

/// The name of the directory beside the other logs of a run.
const DIRECTORY: &str = "access-logs";

/// How large an access log may become before a new one is begun; two are kept.
const LIMIT: u64 = 64 << 20;

/// The attributes of a load balancer. The note tells that its access log cannot be written.
pub(super) fn attributes_of(
    address: &Address,
    load_balancer: &LoadBalancer,
    state: &Path,
) -> (Attributes, Option<String>) {
    let mut attributes = attributes(load_balancer);
    if load_balancer.access_logs == AccessLogs::Disabled {
        return (attributes, None);
    }
    match open_log(state, &load_balancer.name) {
        Ok(log) => {
            attributes.access_log = Some(log);
            (attributes, None)
        }
        Err(error) => (
            attributes,
            Some(format!("the access log of {address} is not written: {error}")),
        ),
    }
}

/// Where the access log of the load balancer with this name is.
fn path_of_log(state: &Path, name: &str) -> PathBuf {
    // A name that AWS would refuse may lead anywhere.
    let file: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect();
    state.join(DIRECTORY).join(format!("{file}.log"))
}

/// On AWS the resource ID ends with digits that differ from load balancer to load balancer of the same name.
fn open_log(state: &Path, name: &str) -> io::Result<AccessLog> {
    fs::create_dir_all(state.join(DIRECTORY))?;
    AccessLog::open(&path_of_log(state, name), &format!("app/{name}/local"), LIMIT)
}

fn attributes(load_balancer: &LoadBalancer) -> Attributes {
    Attributes {
        idle_timeout: load_balancer.idle_timeout,
        client_keep_alive: load_balancer.client_keep_alive,
        desync_mitigation_mode: match load_balancer.desync_mitigation_mode {
            DesyncMitigationMode::Monitor => balancer::DesyncMitigationMode::Monitor,
            DesyncMitigationMode::Defensive => balancer::DesyncMitigationMode::Defensive,
            DesyncMitigationMode::Strictest => balancer::DesyncMitigationMode::Strictest,
        },
        drop_invalid_header_fields: load_balancer.invalid_headers == InvalidHeaders::Drop,
        http2: load_balancer.http2 == Http2::Enabled,
        host_header: match load_balancer.host_header {
            HostHeader::Adjusted => balancer::HostHeader::Adjusted,
            HostHeader::Preserved => balancer::HostHeader::Preserved,
        },
        forwarded_for: match load_balancer.forwarded_for {
            ForwardedFor::Append => balancer::ForwardedFor::Append,
            ForwardedFor::AppendWithPort => balancer::ForwardedFor::AppendWithPort,
            ForwardedFor::Preserve => balancer::ForwardedFor::Preserve,
            ForwardedFor::Remove => balancer::ForwardedFor::Remove,
        },
        ..Attributes::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use karma_fleet::{Mode, Span};

    use super::*;

    fn load_balancer(name: &str, access_logs: AccessLogs) -> LoadBalancer {
        LoadBalancer {
            name: name.to_owned(),
            idle_timeout: Duration::from_secs(7),
            client_keep_alive: Duration::from_mins(2),
            desync_mitigation_mode: DesyncMitigationMode::Strictest,
            http2: Http2::Disabled,
            invalid_headers: InvalidHeaders::Drop,
            host_header: HostHeader::Preserved,
            forwarded_for: ForwardedFor::Remove,
            access_logs,
            declared_at: Span {
                file: "main.tf".into(),
                start: 0,
                end: 0,
            },
        }
    }

    fn read(load_balancer: &LoadBalancer, state: &Path) -> (Attributes, Option<String>) {
        let address = Address {
            module: Vec::new(),
            mode: Mode::Managed,
            kind: "aws_lb".to_owned(),
            name: "main".to_owned(),
            key: None,
        };
        attributes_of(&address, load_balancer, state)
    }

    #[test]
    fn what_the_stack_says_is_kept() {
        let state = tempfile::tempdir().unwrap();
        let (attributes, note) = read(&load_balancer("main", AccessLogs::Disabled), state.path());
        assert_eq!(
            (
                attributes.idle_timeout.as_secs(),
                attributes.client_keep_alive.as_secs()
            ),
            (7, 120)
        );
        assert_eq!(
            attributes.desync_mitigation_mode,
            balancer::DesyncMitigationMode::Strictest
        );
        assert_eq!(attributes.host_header, balancer::HostHeader::Preserved);
        assert_eq!(attributes.forwarded_for, balancer::ForwardedFor::Remove);
        assert!(attributes.drop_invalid_header_fields && !attributes.http2 && attributes.access_log.is_none());
        assert!(note.is_none() && !state.path().join(DIRECTORY).exists());
    }

    #[test]
    fn an_access_log_stands_in_the_directory_of_the_run_whatever_its_name() {
        let state = tempfile::tempdir().unwrap();
        for (name, file) in [("main", "main.log"), ("../../x", "------x.log")] {
            let (attributes, note) = read(&load_balancer(name, AccessLogs::Enabled), state.path());
            assert!(attributes.access_log.is_some() && note.is_none(), "{note:?}");
            assert!(state.path().join(DIRECTORY).join(file).exists());
        }
    }

    #[test]
    fn an_access_log_that_cannot_be_written_is_noted() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(DIRECTORY), "in the way").unwrap();
        let (attributes, note) = read(&load_balancer("main", AccessLogs::Enabled), state.path());
        assert!(attributes.access_log.is_none());
        assert!(
            note.as_ref()
                .is_some_and(|note| note.starts_with("the access log of aws_lb.main is not written: ")),
            "{note:?}"
        );
    }
}
