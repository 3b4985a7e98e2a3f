//! What is told: one JSON object a line, each with its `event`.

use serde::Serialize;

use crate::chain::{Address, Amount};
use crate::payments::Purchase;

/// Something that happened. Amounts are in base units, as text.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It begins.
    Begin {
        /// What it is about, a sentence.
        title: String,
        /// The account that pays, where something costs something.
        account: Option<String>,
        /// What is paid with.
        currency: Option<Currency>,
    },
    /// A part begins.
    Chapter {
        /// What happens in it, a sentence.
        title: String,
        /// What it is about.
        about: Option<String>,
    },
    /// An agent was asked.
    Call(Box<Call>),
    /// What an account held, and what it holds.
    Account(Holding),
    /// It ends here, before its end.
    Refused {
        /// Why.
        reason: String,
        /// What to do about it.
        hint: String,
    },
}

/// What is paid with.
#[derive(Clone, Debug, Serialize)]
pub struct Currency {
    pub(super) symbol: String,
    /// How many digits of an amount stand behind the point.
    pub(super) decimals: u8,
}

/// A question and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// The agent's name.
    pub(super) to: &'static str,
    /// What was asked for, in a few words.
    pub(super) what: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    /// None where nobody answered.
    pub(super) status: Option<u16>,
    /// How long it took, paying included.
    pub(super) seconds: f64,
    pub(super) trace_id: String,
    /// What was paid; none where it was free, or where nothing was taken.
    pub(super) paid: Option<Payment>,
    /// What the answer says, a sentence each.
    pub(super) findings: Vec<String>,
}

/// Money that went over.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Payment {
    amount: Amount,
    payee: Address,
    transaction: String,
}

/// Whose account holds how much.
#[derive(Clone, Debug, Serialize)]
pub struct Holding {
    pub(super) name: String,
    pub(super) account: Address,
    pub(super) before: Amount,
    pub(super) after: Amount,
}

impl Payment {
    /// What of a purchase was really taken: without a transaction nothing was.
    pub(super) fn of(purchase: &Purchase) -> Option<Payment> {
        Some(Payment {
            amount: purchase.amount,
            payee: purchase.payee,
            transaction: purchase.transaction.clone()?,
        })
    }

    pub(super) fn amount(&self) -> Amount {
        self.amount
    }
}
