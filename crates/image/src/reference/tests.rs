use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn check(text: &str, registry: &str, repository: &str, tag: Option<&str>) {
    let reference: Reference = text.parse().unwrap();
    assert_eq!(reference.registry(), registry, "{text}");
    assert_eq!(reference.repository(), repository, "{text}");
    assert_eq!(reference.tag(), tag, "{text}");
    assert_eq!(reference.to_string(), text);
}

#[test]
fn a_reference_has_a_registry_a_repository_and_what_it_points_at() {
    check("localhost/a", "localhost", "a", None);
    check("localhost:5000/a/b:1", "localhost:5000", "a/b", Some("1"));
    check("[::1]:5000/a:x", "[::1]:5000", "a", Some("x"));
    check("[fe80::1]/a", "[fe80::1]", "a", None);
    check("Registry/a", "Registry", "a", None);
    check("127.0.0.1:80/a__b/c--d.e_f", "127.0.0.1:80", "a__b/c--d.e_f", None);
    let ecr = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
    check(
        &format!("{ecr}/karmacadabra/validator:0.1.0"),
        ecr,
        "karmacadabra/validator",
        Some("0.1.0"),
    );
    check(
        &format!("r.example/a:_v-1.2@{DIGEST}"),
        "r.example",
        "a",
        Some("_v-1.2"),
    );
    check(&format!("r.example/a@{DIGEST}"), "r.example", "a", None);
}

#[test]
fn what_is_wrong_is_named() {
    let said = |text: &str| text.parse::<Reference>().unwrap_err();
    for text in ["", "ubuntu", "library/ubuntu:22.04", "/a", "a:1"] {
        assert_eq!(said(text), InvalidReference::NoRegistry(text.to_owned()), "{text}");
    }
    for registry in [
        "-a.b",
        "a..b",
        "a.b:",
        "a.b:0",
        "a.b:65536",
        "a.b:+1",
        "[::1",
        "[g]:1",
        "a:1:2",
        "é.b",
        "x:y",
    ] {
        let error = said(&format!("{registry}/a"));
        assert_eq!(error, InvalidReference::Registry(registry.to_owned()));
    }
    for repository in ["", "A", "a/", "/a", "a//b", "a___b", "a._b", "-a", "a.", "é"] {
        let error = said(&format!("r.example/{repository}"));
        assert_eq!(error, InvalidReference::Repository(repository.to_owned()));
    }
    let long = "x".repeat(129);
    for tag in ["", ".a", "-a", "a/b", "é", "a:b", &long] {
        let error = said(&format!("r.example/a:{tag}"));
        assert_eq!(error, InvalidReference::Tag(tag.to_owned()));
    }
    for digest in ["", "sha256:", "sha512:00", "a@b"] {
        let error = said(&format!("r.example/a@{digest}"));
        assert!(matches!(error, InvalidReference::Digest(_)), "{error:?}");
    }
    let error = said(&format!("r.example/{}", "a".repeat(300)));
    assert_eq!(error, InvalidReference::TooLong(310));
}

fn registries() -> impl Strategy<Value = String> {
    let host = "[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\\.[a-z]{1,5}){1,3}";
    prop_oneof![
        host.prop_map(String::from),
        (host, 1..=u16::MAX).prop_map(|(host, port)| format!("{host}:{port}"))
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        registry in registries(),
        repository in "[a-z0-9]+(([._]|__|-{1,3})[a-z0-9]+){0,2}(/[a-z0-9]+){0,2}",
        tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
        hash in proptest::option::of(any::<[u8; 32]>()),
    ) {
        let mut reference = Reference::new(&registry, &repository).unwrap();
        if let Some(tag) = &tag {
            reference = reference.with_tag(tag).unwrap();
        }
        if let Some(hash) = hash {
            reference = reference.with_digest(Digest::from(hash));
        }
        prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
    }

    #[test]
    fn any_text_is_read_as_it_is_or_refused(text in "([a-zA-Z0-9.:@/_\\[\\]-]{0,40})|\\PC*") {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = String::from_utf8_lossy(&bytes).parse::<Reference>();
    }
}
