//! What every image has: certificates to trust, a user who is not root, and a place for temporary files.
//!
//! It comes from this program and not from this machine, so that two machines make the same image.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::image_path::ImagePath;
use crate::tree::{Node, Tree};

/// Who the program runs as, where the task definition does not say.
pub(crate) const USER: &str = "65532:65532";
/// Where OpenSSL, rustls and Go look for certificates on Debian and Alpine.
pub(crate) const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\nagent:x:65532:65532:agent:/:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nagent:x:65532:\n";

/// The layer that all images share.
pub(crate) fn tree() -> Tree {
    let mut tree = Tree::default();
    for (path, node) in [
        (CERTIFICATES, file(certificates())),
        ("/etc/passwd", file(PASSWD.to_owned())),
        ("/etc/group", file(GROUP.to_owned())),
        ("/tmp", Node::SharedDirectory),
    ] {
        let path = ImagePath::parse(path).expect("our own paths are absolute");
        tree.insert(path, node).expect("our own paths are all different");
    }
    tree
}

fn file(text: String) -> Node {
    Node::File {
        bytes: text.into_bytes().into(),
        executable: false,
    }
}

/// Mozilla's certificate authorities, in the text form that TLS libraries read: <https://www.rfc-editor.org/rfc/rfc7468#section-5>.
fn certificates() -> String {
    let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    certificates.iter().map(|certificate| pem(certificate)).collect()
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(str::from_utf8(line).expect("base64 is ASCII"));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_is_there_as_text() {
        let text = certificates();
        let count = webpki_root_certs::TLS_SERVER_ROOT_CERTS.len();
        assert!(count > 100, "{count}");
        assert_eq!(text.matches("-----BEGIN CERTIFICATE-----\nMII").count(), count);
        assert!(text.lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn the_user_of_the_image_is_in_its_passwd() {
        let (user, group) = USER.split_once(':').unwrap();
        assert!(PASSWD.contains(&format!("agent:x:{user}:{group}:")));
        assert!(GROUP.contains(&format!("agent:x:{group}:")));
    }
}
