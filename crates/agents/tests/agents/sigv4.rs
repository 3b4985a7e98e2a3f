//! Signature Version 4 as its page describes it, to check what an agent signs: none of the agent's code is in it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A request as it came, without a query.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By their names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Signed {
    /// The scope that the request is signed for (`20260101/eu-west-1/xray`), if this secret has signed it.
    pub(crate) fn scope(&self, key: &str, secret: &str) -> Option<String> {
        let fields = self.headers["authorization"].strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| fields.split(", ").find_map(|field| field.strip_prefix(name));
        let scope = field("Credential=")?
            .strip_prefix(key)?
            .strip_prefix('/')?
            .strip_suffix("/aws4_request")?;
        let signature = self.signature(secret, scope, field("SignedHeaders=")?);
        (field("Signature=")? == signature).then(|| scope.to_owned())
    }

    fn signature(&self, secret: &str, scope: &str, signed_headers: &str) -> String {
        let mut canonical = format!("{}\n{}\n\n", self.method, self.path);
        for name in signed_headers.split(';') {
            writeln!(canonical, "{name}:{}", self.headers[name].trim()).unwrap();
        }
        write!(canonical, "\n{signed_headers}\n{}", hex(&Sha256::digest(&self.body))).unwrap();
        let (date, canonical) = (&self.headers["x-amz-date"], hex(&Sha256::digest(canonical)));
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}/aws4_request\n{canonical}");
        let first = format!("AWS4{secret}").into_bytes();
        let key = scope.split('/').chain(["aws4_request"]);
        let key = key.fold(first, |key, part| hmac(&key, part.as_bytes()));
        hex(&hmac(&key, to_sign.as_bytes()))
    }
}

/// <https://www.rfc-editor.org/rfc/rfc2104>, for keys of one block at most.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).unwrap_or(&0) ^ with).collect() };
    let inner = Sha256::digest([&pad(0x36), text].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// `get-vanilla` and `post-vanilla` of the test suite that AWS has published.
#[test]
fn the_check_finds_what_aws_has_published() {
    let check = |method: &str, signature: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let headers = [
            ("authorization", authorization.as_str()),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        let request = Signed {
            method: method.to_owned(),
            path: "/".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: Vec::new(),
        };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let scope = request.scope("AKIDEXAMPLE", secret);
        assert_eq!(scope.as_deref(), Some("20150830/us-east-1/service"), "{method}");
        assert_eq!(request.scope("AKIDEXAMPLE", "another"), None);
    };
    check(
        "GET",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
    check(
        "POST",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    );
}
