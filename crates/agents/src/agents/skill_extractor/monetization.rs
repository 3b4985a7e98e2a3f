//! What a user could be paid for: skills he tells of having practised, and whether he tells of being paid.
//!
//! Nothing is estimated: no rate, no market. It is as much as the messages say.

use serde::Serialize;

use super::dictionary::{Dictionary, Kind};
use super::evidence::Evidence;
use crate::profile::Quote;

/// A skill that could be offered.
#[derive(Debug, Serialize)]
pub(super) struct Offer {
    skill: String,
    basis: Basis,
    /// The messages that tell of paid work with it; where there are none, those that tell of practice.
    evidence: Vec<Quote>,
}

/// Why it could be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Basis {
    PaidWork,
    Practice,
}

/// How many messages are quoted for an offer.
const QUOTES: usize = 2;

/// The skills that were practised, paid ones first, then the surest.
pub(super) fn offers(dictionary: &Dictionary, evidence: &Evidence<'_>) -> Vec<Offer> {
    let skills = evidence
        .traits(Kind::Skill)
        .into_iter()
        .filter(|skill| skill.practised > 0);
    let mut offers: Vec<Offer> = skills
        .map(|skill| {
            let practised = evidence.practised(Kind::Skill, &skill.name);
            let is_paid = |message: &&&_| dictionary.is_paid(message_text(message));
            let paid: Vec<_> = practised.iter().filter(is_paid).collect();
            let (basis, quoted) = if paid.is_empty() {
                (Basis::Practice, practised.iter().collect())
            } else {
                (Basis::PaidWork, paid)
            };
            Offer {
                skill: skill.name,
                basis,
                evidence: quoted
                    .into_iter()
                    .take(QUOTES)
                    .map(|message| Quote::of(message))
                    .collect(),
            }
        })
        .collect();
    // A stable sort: within a basis the order of confidence stays.
    offers.sort_by_key(|offer| offer.basis == Basis::Practice);
    offers
}

fn message_text(message: &crate::chat::StreamMessage) -> &str {
    &message.message.message
}

#[cfg(test)]
mod tests {
    use super::super::dictionary::tests::dictionary;
    use super::super::evidence::tests::message;
    use super::*;

    #[test]
    fn only_what_was_practised_is_offered() {
        let check = |texts: &[&str], expected: &[(&str, Basis)]| {
            let messages: Vec<_> = (0..).zip(texts).map(|(second, text)| message(second, text)).collect();
            let dictionary = dictionary();
            let offers = offers(&dictionary, &Evidence::of(&dictionary, &messages));
            let found: Vec<_> = offers.iter().map(|offer| (offer.skill.as_str(), offer.basis)).collect();
            assert_eq!(found, expected, "{texts:?}");
        };
        check(&["machine learning is fun"], &[]);
        check(&["I built some ML"], &[("Machine learning", Basis::Practice)]);
        check(
            &["I built some ML", "hice machine learning for my client"],
            &[("Machine learning", Basis::PaidWork)],
        );
    }
}
