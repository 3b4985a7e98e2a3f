//! Every way in which a payment can be wrong: a good one, and one change.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::chain::primitives::keccak256;
use crate::chain::token::Token;
use crate::chain::{Amount, Authorization, Hash, PrivateKey};
use crate::payments::wire::Extensions;

const NOW: u64 = 1_800_000_000;

fn key(name: &str) -> PrivateKey {
    PrivateKey::parse(&keccak256(&[name.as_bytes()]).to_string()).unwrap()
}

fn token() -> Token {
    Token {
        domain: Domain {
            name: "GLUE Token".to_owned(),
            version: "1".to_owned(),
            chain_id: 84532,
            verifying_contract: Address([7; 20]),
        },
        symbol: "GLUE".to_owned(),
        decimals: 6,
    }
}

fn asked() -> Requirement {
    Requirement::new(&token(), Amount(10_000), key("seller").address(), 60)
}

fn authorization() -> Authorization {
    Authorization {
        from: key("buyer").address(),
        to: key("seller").address(),
        value: Amount(10_000),
        valid_after: NOW - 60,
        valid_before: NOW + 60,
        nonce: Hash([3; 32]),
    }
}

fn signed(authorization: Authorization, domain: &Domain, key: &PrivateKey) -> PaymentPayload {
    PaymentPayload {
        x402_version: VERSION,
        resource: None,
        accepted: asked().offer(),
        payload: SignedAuthorization {
            signature: authorization.sign(domain, key),
            authorization,
        },
        extensions: Extensions::new(),
    }
}

fn good() -> PaymentPayload {
    signed(authorization(), &token().domain, &key("buyer"))
}

fn check(payment: &PaymentPayload, code: &str) {
    let refusal = verify(payment, &asked(), &token().domain, NOW).unwrap_err();
    assert_eq!(refusal.code(), code, "{refusal}");
}

/// A payment that is signed as it should be, but of something else.
fn check_authorization_of(change: impl FnOnce(&mut Authorization), code: &str) {
    let mut authorization = authorization();
    change(&mut authorization);
    check(&signed(authorization, &token().domain, &key("buyer")), code);
}

/// A good payment that was changed after it was signed.
fn check_changed(change: impl FnOnce(&mut PaymentPayload), code: &str) {
    let mut payment = good();
    change(&mut payment);
    check(&payment, code);
}

#[test]
fn a_good_payment_is_taken() {
    assert_eq!(verify(&good(), &asked(), &token().domain, NOW), Ok(()));
}

#[test]
fn a_payment_to_somebody_else_is_refused() {
    let code = "invalid_exact_evm_payload_recipient_mismatch";
    check_authorization_of(|it| it.to = key("thief").address(), code);
}

#[test]
fn neither_less_nor_more_is_exact() {
    let code = "invalid_exact_evm_payload_authorization_value_mismatch";
    check_authorization_of(|it| it.value = Amount(9_999), code);
    check_authorization_of(|it| it.value = Amount(10_001), code);
    check_authorization_of(|it| it.value = Amount(0), code);
}

#[test]
fn a_payment_holds_in_its_time_only() {
    let (after, before) = (
        "invalid_exact_evm_payload_authorization_valid_after",
        "invalid_exact_evm_payload_authorization_valid_before",
    );
    check_authorization_of(|it| it.valid_after = NOW, after);
    check_authorization_of(|it| it.valid_after = u64::MAX, after);
    check_authorization_of(|it| it.valid_before = NOW, before);
    check_authorization_of(|it| it.valid_before = NOW + MARGIN_SECONDS, before);
    check_authorization_of(|it| it.valid_before = 0, before);
}

#[test]
fn another_domain_is_another_signature() {
    let code = "invalid_exact_evm_payload_signature";
    let in_domain = |change: fn(&mut Domain)| {
        let mut domain = token().domain;
        change(&mut domain);
        signed(authorization(), &domain, &key("buyer"))
    };
    check(&in_domain(|it| it.name = "Gasless Token".to_owned()), code);
    check(&in_domain(|it| it.version = "2".to_owned()), code);
    check(&in_domain(|it| it.chain_id = 43113), code);
    check(&in_domain(|it| it.verifying_contract = Address([8; 20])), code);
}

#[test]
fn only_the_payer_signs() {
    let code = "invalid_exact_evm_payload_signature";
    check(&signed(authorization(), &token().domain, &key("thief")), code);
    check_changed(|it| it.payload.authorization.from = key("thief").address(), code);
    check_changed(|it| it.payload.authorization.nonce = Hash([4; 32]), code);
    check_changed(|it| it.payload.signature.0[64] = 0, code);
    check_changed(|it| it.payload.signature.0 = [0; 65], code);
}

#[test]
fn what_was_offered_comes_back_as_it_was() {
    let set = |field: &'static str, value: serde_json::Value| move |it: &mut PaymentPayload| it.accepted[field] = value;
    let code = "invalid_payment_requirements";
    check_changed(set("asset", json!(Address([8; 20]))), code);
    check_changed(set("amount", json!("1")), code);
    check_changed(set("payTo", json!(key("thief").address())), code);
    check_changed(set("maxTimeoutSeconds", json!(61)), code);
    check_changed(set("extra", json!({ "name": "GLUE Token", "version": "2" })), code);
    check_changed(set("extra", json!(null)), code);
    check_changed(set("network", json!("eip155:43113")), "invalid_network");
    check_changed(set("network", json!(null)), "invalid_network");
    check_changed(set("scheme", json!("upto")), "invalid_scheme");
    check_changed(|it| it.accepted = json!([]), "invalid_scheme");
    check_changed(|it| it.x402_version = 1, "invalid_x402_version");
}

#[test]
fn the_case_of_an_address_makes_no_difference() {
    let mut payment = good();
    let lower = asked().pay_to.to_string().to_lowercase();
    payment.accepted["payTo"] = json!(lower);
    assert_eq!(verify(&payment, &asked(), &token().domain, NOW), Ok(()));
}

proptest! {
    /// Whatever is signed, no payment passes that moves other money, to another, or at another time.
    #[test]
    fn what_passes_is_what_was_asked(
        value in prop_oneof![Just(10_000_u128), any::<u128>()],
        valid_after in prop_oneof![Just(NOW - 1), any::<u64>()],
        valid_before in prop_oneof![Just(NOW + 7), any::<u64>()],
        to in prop_oneof![Just(None), any::<[u8; 20]>().prop_map(Some)],
    ) {
        let to = to.map_or(key("seller").address(), Address);
        let authorization = Authorization { to, value: Amount(value), valid_after, valid_before, ..authorization() };
        let payment = signed(authorization, &token().domain, &key("buyer"));
        let expected = to == key("seller").address()
            && value == 10_000
            && valid_after < NOW
            && valid_before > NOW + MARGIN_SECONDS;
        prop_assert_eq!(verify(&payment, &asked(), &token().domain, NOW).is_ok(), expected);
    }
}
