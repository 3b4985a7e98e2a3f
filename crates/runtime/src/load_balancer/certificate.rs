//! A certificate for the HTTPS listeners here. Those of the stack are AWS's, which gives their keys to nobody; so this machine makes
//! one for itself, for the names that the stack knows, and keeps it: who has come to trust it need not do so again.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use karma_balancer::{Attributes, Listener, Rules, TlsIdentity};
use karma_fleet::{Condition, Fleet};
use tokio::net::TcpListener;

use crate::error::StartError;
use crate::state::StateError;

/// A certificate, and where it is kept.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) identity: TlsIdentity,
    pub(super) path: PathBuf,
}

/// The names of this machine, beside those of the stack.
const LOCAL_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The certificate kept in `directory`, or a new one if it is for other names.
pub(super) fn certificate(directory: &Path, fleet: &Fleet) -> Result<Certificate, StartError> {
    let names = names(fleet);
    let list = names.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    if fs::read_to_string(directory.join("names")).is_ok_and(|kept| kept == list)
        && let Ok(identity) = read(directory)
    {
        return Ok(Certificate {
            identity,
            path: directory.join(CERTIFICATE),
        });
    }
    let made = rcgen::generate_simple_self_signed(names.into_iter().collect::<Vec<_>>());
    let made = made.map_err(StartError::Certificate)?;
    let identity = TlsIdentity {
        certificate_chain_pem: made.cert.pem(),
        key_pem: made.signing_key.serialize_pem(),
    };
    write(directory, &identity, &list).map_err(|source| {
        let (action, path) = ("write into", directory.to_owned());
        StartError::State(StateError::Io { action, path, source })
    })?;
    Ok(Certificate {
        identity,
        path: directory.join(CERTIFICATE),
    })
}

impl Certificate {
    /// Serves HTTPS with it.
    pub(super) fn listen(
        &self,
        socket: TcpListener,
        rules: Rules,
        attributes: Attributes,
    ) -> Result<Listener, StartError> {
        let identities = std::slice::from_ref(&self.identity);
        Listener::start_tls(socket, identities, rules, attributes).map_err(|source| StartError::Identity {
            path: self.path.clone(),
            source,
        })
    }
}

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// What a client may call the load balancers: the names of the stack's certificates and the hosts of the rules, as far as a certificate can
/// have them.
fn names(fleet: &Fleet) -> BTreeSet<String> {
    let rules = fleet.listeners.values().flat_map(|listener| &listener.rules);
    let hosts = rules
        .flat_map(|rule| &rule.conditions)
        .filter_map(|condition| match condition {
            Condition::HostHeader(hosts) => Some(hosts),
            _ => None,
        });
    let hosts = hosts
        .flatten()
        .chain(&fleet.certificate_names)
        .filter(|host| is_name(host))
        .map(|host| host.to_ascii_lowercase());
    hosts.chain(LOCAL_NAMES.map(str::to_owned)).collect()
}

/// A wildcard stands for the first label of a name, and for all of it.
fn is_name(host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.split('.').all(is_label)
}

fn read(directory: &Path) -> io::Result<TlsIdentity> {
    Ok(TlsIdentity {
        certificate_chain_pem: fs::read_to_string(directory.join(CERTIFICATE))?,
        key_pem: fs::read_to_string(directory.join(KEY))?,
    })
}

/// The names come last: without them, what is there counts for nothing.
fn write(directory: &Path, identity: &TlsIdentity, names: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    for (name, text) in [
        (CERTIFICATE, identity.certificate_chain_pem.as_str()),
        (KEY, &identity.key_pem),
        ("names", names),
    ] {
        let mut file = OpenOptions::new();
        file.write(true).create(true).truncate(true).mode(0o600);
        file.open(directory.join(name))?.write_all(text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_kept_and_its_key_is_nobody_elses() {
        let state = tempfile::tempdir().unwrap();
        let directory = state.path().join("tls");
        let fleet = Fleet::default();
        let first = certificate(&directory, &fleet).unwrap();
        let second = certificate(&directory, &fleet).unwrap();
        assert_eq!(first.identity.key_pem, second.identity.key_pem);
        let mode = fs::metadata(directory.join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(directory.join("names"), "example.com\n").unwrap();
        let third = certificate(&directory, &fleet).unwrap();
        assert_ne!(first.identity.key_pem, third.identity.key_pem);
        assert_eq!(
            fs::read_to_string(&third.path).unwrap(),
            third.identity.certificate_chain_pem
        );
    }

    #[test]
    fn only_names_come_into_a_certificate() {
        for (host, expected) in [
            ("api.example.com", true),
            ("*.example.com", true),
            ("a*.example.com", false),
            ("ap?.example.com", false),
            ("", false),
            ("*.", false),
        ] {
            assert_eq!(is_name(host), expected, "{host}");
        }
    }
}
