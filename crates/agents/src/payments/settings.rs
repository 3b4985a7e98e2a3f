//! The settings of payments: read all at once, or not at all.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;

use reqwest::Url;

use super::prices::{self, Entry};
use crate::chain::{Address, Amount, PrivateKey, Registries};
use crate::settings::{Environment, SettingError, http_url};
use crate::store::Caps;

/// How an agent pays and is paid.
#[derive(Clone)]
pub struct PaymentSettings {
    /// `CHAIN_RPC_URL`: a node of the chain. It turns payments on, and may hold a key of the node's owner.
    pub(crate) rpc_url: Url,
    /// `CHAIN_ID`: the chain that the node must be one of.
    pub(crate) chain_id: u64,
    /// `TOKEN_ADDRESS`: what is paid with.
    pub(crate) token: Address,
    /// `PRIVATE_KEY`: of the agent's own account.
    pub(crate) key: PrivateKey,
    /// `PAY_TO`: who is paid, if not the agent's own account.
    pub(crate) pay_to: Option<Address>,
    /// `PRICES`: of its skills, in base units; what is suggested where it is not set.
    pub(crate) prices: Option<Vec<Entry>>,
    /// `FACILITATOR_URL`: who verifies and settles, if not the agent itself.
    pub(crate) facilitator: Option<Url>,
    /// `ALLOWED_PAYEES`: whom it may pay.
    pub(crate) allowed_payees: BTreeSet<Address>,
    /// `SPEND_PER_TASK` and `SPEND_PER_DAY`: how much, in base units.
    pub(crate) caps: Caps,
    /// `IDENTITY_REGISTRY`, `REPUTATION_REGISTRY` and `VALIDATION_REGISTRY`.
    pub(crate) registries: Option<Registries>,
}

/// What is of use with a chain only. Without one it would be without effect: prices that nobody is asked, for one.
const NEED_A_CHAIN: [&str; 11] = [
    "CHAIN_ID",
    "TOKEN_ADDRESS",
    "PAY_TO",
    "PRICES",
    "FACILITATOR_URL",
    "ALLOWED_PAYEES",
    "SPEND_PER_TASK",
    "SPEND_PER_DAY",
    "IDENTITY_REGISTRY",
    "REPUTATION_REGISTRY",
    "VALIDATION_REGISTRY",
];

impl PaymentSettings {
    /// Reads them. Without `CHAIN_RPC_URL` payments are off.
    pub(crate) fn read(
        environment: &Environment<impl Fn(&str) -> Option<OsString>>,
    ) -> Result<Option<PaymentSettings>, SettingError> {
        let Some(rpc_url) = environment.optional("CHAIN_RPC_URL", http_url)? else {
            return nothing_in_vain(environment).map(|()| None);
        };
        Ok(Some(PaymentSettings {
            rpc_url,
            chain_id: environment.required("CHAIN_ID", chain_id)?,
            token: environment.required("TOKEN_ADDRESS", address)?,
            key: environment.required("PRIVATE_KEY", PrivateKey::parse)?,
            pay_to: environment.optional("PAY_TO", address)?,
            prices: environment.optional("PRICES", prices::parse)?,
            facilitator: environment.optional("FACILITATOR_URL", http_url)?,
            allowed_payees: environment.optional("ALLOWED_PAYEES", addresses)?.unwrap_or_default(),
            caps: Caps {
                per_task: amount_or_nothing(environment, "SPEND_PER_TASK")?,
                per_day: amount_or_nothing(environment, "SPEND_PER_DAY")?,
            },
            registries: registries(environment)?,
        }))
    }
}

/// `PRIVATE_KEY` alone: a validator signs with it also where there is no chain.
pub(crate) fn private_key(
    environment: &Environment<impl Fn(&str) -> Option<OsString>>,
) -> Result<Option<PrivateKey>, SettingError> {
    environment.optional("PRIVATE_KEY", PrivateKey::parse)
}

/// `CHAIN_RPC_URL` and `CHAIN_ID` and a key, as whoever makes a chain ready needs them.
pub(crate) fn chain_of(
    environment: &Environment<impl Fn(&str) -> Option<OsString>>,
) -> Result<(Url, u64, PrivateKey), SettingError> {
    Ok((
        environment.required("CHAIN_RPC_URL", http_url)?,
        environment.required("CHAIN_ID", chain_id)?,
        environment.required("PRIVATE_KEY", PrivateKey::parse)?,
    ))
}

/// The registries, where they must be known.
pub(crate) fn registries_of(
    environment: &Environment<impl Fn(&str) -> Option<OsString>>,
) -> Result<Registries, SettingError> {
    Ok(Registries {
        identity: environment.required("IDENTITY_REGISTRY", address)?,
        reputation: environment.required("REPUTATION_REGISTRY", address)?,
        validation: environment.required("VALIDATION_REGISTRY", address)?,
    })
}

fn nothing_in_vain(environment: &Environment<impl Fn(&str) -> Option<OsString>>) -> Result<(), SettingError> {
    let idle = |variable: &'static str| {
        let reason = "is set, but CHAIN_RPC_URL is not: nothing is paid and nobody is asked to pay";
        environment.optional(variable, |_| Err::<(), _>(reason.to_owned()))
    };
    NEED_A_CHAIN
        .into_iter()
        .try_for_each(|variable| idle(variable).map(drop))
}

/// All three, or none.
fn registries(
    environment: &Environment<impl Fn(&str) -> Option<OsString>>,
) -> Result<Option<Registries>, SettingError> {
    let set = ["IDENTITY_REGISTRY", "REPUTATION_REGISTRY", "VALIDATION_REGISTRY"];
    if set.iter().all(|variable| (environment.lookup)(variable).is_none()) {
        return Ok(None);
    }
    registries_of(environment).map(Some)
}

fn amount_or_nothing(
    environment: &Environment<impl Fn(&str) -> Option<OsString>>,
    variable: &'static str,
) -> Result<u128, SettingError> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|error: crate::chain::primitives::ParseError| error.to_string())
    };
    let Amount(amount) = environment.optional(variable, parse)?.unwrap_or_default();
    Ok(amount)
}

fn chain_id(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|&number| number != 0);
    number.ok_or_else(|| format!("`{text}` is not the number of a chain"))
}

fn address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|error| format!("`{text}` is no address: it {error}"))
}

fn addresses(text: &str) -> Result<BTreeSet<Address>, String> {
    text.split(',').map(address).collect()
}

impl fmt::Debug for PaymentSettings {
    /// Without the node's address: it may hold a key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PaymentSettings")
            .field("chain_id", &self.chain_id)
            .field("token", &self.token)
            .field("account", &self.key.address())
            .field("prices", &self.prices)
            .field("caps", &self.caps)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
    const TOKEN: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    const LEAST: [(&str, &str); 4] = [
        ("CHAIN_RPC_URL", "http://127.0.0.1:8545/a-key-of-the-node"),
        ("CHAIN_ID", "84532"),
        ("TOKEN_ADDRESS", TOKEN),
        ("PRIVATE_KEY", KEY),
    ];

    fn read(variables: &[(&str, &str)]) -> Result<Option<PaymentSettings>, SettingError> {
        let lookup = |name: &str| {
            let found = variables.iter().rev().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        PaymentSettings::read(&Environment { lookup })
    }

    #[test]
    fn without_a_chain_there_are_none_and_nobody_is_allowed_anything_by_default() {
        assert!(read(&[("PRIVATE_KEY", KEY)]).unwrap().is_none());
        let settings = read(&LEAST).unwrap().unwrap();
        assert_eq!((settings.caps.per_task, settings.caps.per_day), (0, 0));
        assert!(settings.allowed_payees.is_empty() && settings.prices.is_none());
    }

    #[test]
    fn bad_values_name_the_variable_and_the_reason() {
        let check = |variable: &'static str, value: &str, reason: &str| {
            let error = read(&[&LEAST[..], &[(variable, value)]].concat()).unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(error.reason.contains(reason), "{}", error.reason);
        };
        check("CHAIN_ID", "base-sepolia", "is not the number of a chain");
        check("CHAIN_ID", "0", "is not the number of a chain");
        check(
            "TOKEN_ADDRESS",
            "0x12",
            "is no address: it is not 40 hexadecimal digits",
        );
        check("PAY_TO", &TOKEN.replace("5F", "5f"), "letters in an order of cases");
        check(
            "PRICES",
            "get_chat_logs=0.01",
            "the price of `get_chat_logs` is not a whole number",
        );
        check("SPEND_PER_DAY", "1e6", "is not a whole number of base units");
        check("ALLOWED_PAYEES", "0x12,", "is no address");
        check("FACILITATOR_URL", "facilitator:80", "give http or https");
    }

    #[test]
    fn a_bad_key_is_refused_and_never_shown() {
        let check = |value: &str, reason: &str| {
            let error = read(&[&LEAST[..], &[("PRIVATE_KEY", value)]].concat()).unwrap_err();
            assert_eq!(error.variable, "PRIVATE_KEY");
            assert!(error.reason.contains(reason), "{}", error.reason);
            assert!(!error.to_string().contains(&KEY[2..20]), "{error}");
        };
        check("# my key", "holds a comment");
        check(&format!("{KEY} # my key"), "holds a comment");
        check(&format!(" {KEY}"), "begins or ends with a blank");
        check("", "is empty");
        check(&KEY[..60], "is not 64 hexadecimal digits");
        check(&KEY.replace('9', "g"), "something else than hexadecimal digits");
        let shown = format!("{:?}", read(&LEAST).unwrap().unwrap());
        assert!(
            !shown.contains(&KEY[2..20]) && !shown.contains("a-key-of-the-node"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_missing_or_in_vain_is_named() {
        let check = |variables: &[(&str, &str)], variable: &str| {
            assert_eq!(read(variables).unwrap_err().variable, variable);
        };
        check(&LEAST[..3], "PRIVATE_KEY");
        check(&[LEAST[0], LEAST[1], LEAST[3]], "TOKEN_ADDRESS");
        check(&[LEAST[0], LEAST[2], LEAST[3]], "CHAIN_ID");
        check(&[("PRICES", "get_chat_logs=1")], "PRICES");
        check(
            &[&LEAST[..], &[("IDENTITY_REGISTRY", TOKEN)]].concat(),
            "REPUTATION_REGISTRY",
        );
    }
}
