//! Which of a seller's offers a buyer takes: decided from the offers and the buyer's own rules alone.

use std::collections::BTreeSet;

use thiserror::Error;

use super::wire::{EXACT, Offer, PaymentRequired, Requirement, VERSION, network};
use crate::chain::{Address, Token};

/// Whom a buyer pays, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The only asset, in its own domain, on its chain.
    pub(crate) token: Token,
    pub(crate) allowed_payees: BTreeSet<Address>,
}

/// An offer that is taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// As it is understood.
    pub(crate) asked: Requirement,
    /// As it was made, to be given back: a seller may compare it letter by letter.
    pub(crate) offer: Offer,
}

/// Why an offer is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Objection {
    #[error("the seller speaks version {0} of x402, not {VERSION}")]
    Version(u8),
    #[error("the seller offers nothing")]
    NoOffer,
    #[error("the offer cannot be read")]
    Unreadable,
    #[error("the scheme is `{0}`, not `{EXACT}`")]
    Scheme(String),
    #[error("the network is {0}, not ours")]
    Network(String),
    #[error("the asset is {0}, which is not our token")]
    Asset(Address),
    #[error("the seller takes the token for another one: its name or version is not what its contract says")]
    Domain,
    #[error("the token is to move by `{0}`, not by eip3009")]
    Method(String),
    #[error("{0} is not among ALLOWED_PAYEES")]
    Payee(Address),
}

impl Rules {
    /// The cheapest offer that nothing stands against, or what stands against the last one.
    pub(crate) fn choose(&self, required: &PaymentRequired) -> Result<Choice, Objection> {
        if required.x402_version != VERSION {
            return Err(Objection::Version(required.x402_version));
        }
        let mut best: Result<Choice, Objection> = Err(Objection::NoOffer);
        for offer in &required.accepts {
            let read = serde_json::from_value(offer.clone()).map_err(|_| Objection::Unreadable);
            let judged = read.and_then(|asked| self.judge(asked)).map(|asked| Choice {
                asked,
                offer: offer.clone(),
            });
            best = match (best, judged) {
                (Ok(best), Ok(other)) if other.asked.amount < best.asked.amount => Ok(other),
                (Ok(best), _) => Ok(best),
                (Err(_), judged) => judged,
            };
        }
        best
    }

    fn judge(&self, offer: Requirement) -> Result<Requirement, Objection> {
        let domain = &self.token.domain;
        if offer.scheme != EXACT {
            return Err(Objection::Scheme(offer.scheme));
        }
        if offer.network != network(domain.chain_id) {
            return Err(Objection::Network(offer.network));
        }
        if offer.asset != self.token.address() {
            return Err(Objection::Asset(offer.asset));
        }
        if offer.extra.name != domain.name || offer.extra.version != domain.version {
            return Err(Objection::Domain);
        }
        if let Some(method) = offer.extra.asset_transfer_method.as_ref().filter(|it| *it != "eip3009") {
            return Err(Objection::Method(method.clone()));
        }
        if !self.allowed_payees.contains(&offer.pay_to) {
            return Err(Objection::Payee(offer.pay_to));
        }
        Ok(offer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chain::Amount;
    use crate::chain::typed_data::Domain;
    use crate::payments::wire::Extensions;

    const SELLER: Address = Address([5; 20]);

    fn rules() -> Rules {
        let domain = Domain {
            name: "GLUE Token".to_owned(),
            version: "1".to_owned(),
            chain_id: 84532,
            verifying_contract: Address([7; 20]),
        };
        let token = Token {
            domain,
            symbol: "GLUE".to_owned(),
            decimals: 6,
        };
        Rules {
            token,
            allowed_payees: [SELLER].into(),
        }
    }

    fn required(accepts: Vec<Value>) -> PaymentRequired {
        PaymentRequired {
            x402_version: VERSION,
            error: None,
            resource: None,
            accepts,
            extensions: Extensions::new(),
        }
    }

    fn offer(amount: u128) -> Value {
        Requirement::new(&rules().token, Amount(amount), SELLER, 60).offer()
    }

    fn but(field: &str, value: Value) -> Value {
        let mut offer = offer(1);
        offer[field] = value;
        offer
    }

    #[test]
    fn an_offer_against_the_rules_is_not_taken() {
        let check = |offer: Value, objection: Objection| {
            assert_eq!(rules().choose(&required(vec![offer])), Err(objection));
        };
        let thief = Address([6; 20]);
        check(but("payTo", json!(thief)), Objection::Payee(thief));
        check(but("asset", json!(thief)), Objection::Asset(thief));
        check(
            but("network", json!("eip155:1")),
            Objection::Network("eip155:1".to_owned()),
        );
        check(but("scheme", json!("upto")), Objection::Scheme("upto".to_owned()));
        check(
            but("extra", json!({ "name": "USDC", "version": "2" })),
            Objection::Domain,
        );
        check(but("amount", json!(1)), Objection::Unreadable);
        let method = json!({ "name": "GLUE Token", "version": "1", "assetTransferMethod": "permit2" });
        check(but("extra", method), Objection::Method("permit2".to_owned()));
        assert_eq!(rules().choose(&required(Vec::new())), Err(Objection::NoOffer));
        let older = PaymentRequired {
            x402_version: 1,
            ..required(vec![offer(1)])
        };
        assert_eq!(rules().choose(&older), Err(Objection::Version(1)));
    }

    #[test]
    fn the_cheapest_of_the_good_ones_is_taken() {
        let cheapest_but_foreign = but("network", json!("eip155:1"));
        let offers = vec![offer(30), cheapest_but_foreign, offer(20), offer(40), json!("nonsense")];
        assert_eq!(rules().choose(&required(offers)).unwrap().asked.amount, Amount(20));
    }

    #[test]
    fn an_offer_is_given_back_as_it_was_made() {
        let mut made = but("payTo", json!(SELLER.to_string().to_lowercase()));
        made["extra"]["note"] = json!("of the seller's own");
        assert_eq!(rules().choose(&required(vec![made.clone()])).unwrap().offer, made);
    }
}
