//! Which model to ask, how long to wait, and how much to spend.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::budget::{Cap, Prices};
use crate::settings::{Environment, SettingError, http_url, seconds};

const OPENAI: &str = "https://api.openai.com/v1";
/// A small model of OpenAI's that keeps to a schema. <https://platform.openai.com/docs/guides/structured-outputs>
const MODEL: &str = "gpt-4o-mini";
const PATIENCE: Duration = Duration::from_secs(20);
const TOKENS_PER_DAY: u64 = 1_000_000;

/// A language model to ask, and the bounds of asking it.
#[derive(Clone, Debug)]
pub struct LlmSettings {
    /// `OPENAI_BASE_URL`: the server; OpenAI's own unless told.
    pub(super) base: Url,
    /// `OPENAI_API_KEY`; a server of one's own may want none.
    pub(super) key: Option<ApiKey>,
    /// `OPENAI_MODEL`: the model for chat.
    pub(super) model: String,
    /// `OPENAI_EMBEDDING_MODEL`: the model for embeddings, if there is to be one.
    pub(super) embedding_model: Option<String>,
    /// `LLM_TIMEOUT_SECONDS`: how long one question may take, with all its attempts.
    pub(super) patience: Duration,
    /// `LLM_TOKENS_PER_DAY`, `LLM_USD_PER_DAY` and `LLM_USD_PER_MILLION_TOKENS`: what all tasks of an agent may spend in a day of UTC.
    pub(super) cap: Cap,
}

/// A key that shows itself to nobody but the server.
#[derive(Clone)]
pub(super) struct ApiKey(HeaderValue);

impl LlmSettings {
    /// The model to ask; none where neither a key nor a server is given.
    pub(crate) fn read<L>(environment: &Environment<L>) -> Result<Option<LlmSettings>, SettingError>
    where
        L: Fn(&str) -> Option<OsString>,
    {
        let key = environment.optional("OPENAI_API_KEY", ApiKey::parse)?;
        let base = environment.optional("OPENAI_BASE_URL", http_url)?;
        let model = environment.optional("OPENAI_MODEL", model)?;
        let embedding_model = environment.optional("OPENAI_EMBEDDING_MODEL", model_of_embeddings)?;
        let patience = environment.optional("LLM_TIMEOUT_SECONDS", patience)?;
        let cap = read_cap(environment)?;
        if key.is_none() && base.is_none() {
            return Ok(None);
        }
        Ok(Some(LlmSettings {
            base: base.unwrap_or_else(|| OPENAI.parse().expect("it is a URL")),
            key,
            model: model.unwrap_or_else(|| MODEL.to_owned()),
            embedding_model,
            patience: patience.unwrap_or(PATIENCE),
            cap,
        }))
    }

    /// The address of an operation.
    pub(super) fn url(&self, operation: &str) -> String {
        format!("{}/{operation}", self.base.as_str().trim_end_matches('/'))
    }

    /// Whether the server is OpenAI's own, which has given up what others still expect.
    pub(super) fn is_openai(&self) -> bool {
        self.base.host_str() == Some("api.openai.com")
    }
}

fn read_cap<L>(environment: &Environment<L>) -> Result<Cap, SettingError>
where
    L: Fn(&str) -> Option<OsString>,
{
    let tokens = environment.optional("LLM_TOKENS_PER_DAY", count)?;
    let microdollars = environment.optional("LLM_USD_PER_DAY", microdollars)?;
    let prices = environment.optional("LLM_USD_PER_MILLION_TOKENS", prices)?;
    if microdollars.is_some() && prices.is_none() {
        return Err(SettingError {
            variable: "LLM_USD_PER_MILLION_TOKENS",
            reason: "is not set, and LLM_USD_PER_DAY means nothing without it: give `input,output`, as in `0.15,0.60`"
                .to_owned(),
        });
    }
    Ok(Cap {
        tokens: tokens.unwrap_or(TOKENS_PER_DAY),
        microdollars,
        prices: prices.unwrap_or_default(),
    })
}

impl ApiKey {
    fn parse(text: &str) -> Result<ApiKey, String> {
        // The value stays out of the reason.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("holds blanks or letters that no key has".to_owned());
        }
        let mut header = HeaderValue::try_from(format!("Bearer {text}")).expect("visible ASCII makes a header");
        header.set_sensitive(true);
        Ok(ApiKey(header))
    }

    /// As the value of `authorization`.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

fn model(text: &str) -> Result<String, String> {
    let is_name = text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic());
    let reason = || format!("`{text}` is not a model's name");
    is_name.then(|| text.to_owned()).ok_or_else(reason)
}

fn model_of_embeddings(text: &str) -> Result<String, String> {
    model(text)
}

fn patience(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("`0` leaves no time to answer".to_owned()),
        patience => Ok(patience),
    }
}

fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

/// US dollars as millionths of one, without a detour through floating point.
fn microdollars(text: &str) -> Result<u64, String> {
    let reason = || format!("`{text}` is not an amount of US dollars with at most six decimals");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) || decimals.len() > 6 {
        return Err(reason());
    }
    let dollars: u64 = whole.parse().map_err(|_| reason())?;
    let rest: u64 = format!("{decimals:0<6}").parse().map_err(|_| reason())?;
    dollars
        .checked_mul(1_000_000)
        .and_then(|micro| micro.checked_add(rest))
        .ok_or_else(reason)
}

fn prices(text: &str) -> Result<Prices, String> {
    let (input, output) = text
        .split_once(',')
        .ok_or_else(|| format!("`{text}` is not `input,output`, as in `0.15,0.60`"))?;
    Ok(Prices {
        input: microdollars(input)?,
        output: microdollars(output)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<LlmSettings>, SettingError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        LlmSettings::read(&Environment { lookup })
    }

    #[test]
    fn a_key_or_a_server_makes_a_model() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OPENAI_MODEL", "m")]).unwrap().is_none());
        let hosted = read(&[("OPENAI_API_KEY", "sk-1")]).unwrap().unwrap();
        assert_eq!(
            hosted.url("chat/completions"),
            "https://api.openai.com/v1/chat/completions"
        );
        assert!(hosted.is_openai());
        let own = read(&[("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1/")])
            .unwrap()
            .unwrap();
        assert_eq!(own.url("models"), "http://127.0.0.1:8000/v1/models");
        assert!(own.key.is_none() && !own.is_openai());
    }

    #[test]
    fn a_bad_value_is_named_and_a_key_never_shown() {
        let check = |variable: &'static str, value: &str, reason: &str| {
            let error = read(&[(variable, value), ("OPENAI_API_KEY", "sk-1")]).unwrap_err();
            assert_eq!(
                (error.variable, error.reason.contains(reason)),
                (variable, true),
                "{error}"
            );
            assert!(!error.reason.contains("sk-"), "{error}");
        };
        check("OPENAI_API_KEY", "sk-secret # of ana", "holds a comment");
        check("OPENAI_API_KEY", "sk-sec ret", "holds blanks");
        check("OPENAI_API_KEY", "sk-secretñ", "letters that no key has");
        check("OPENAI_BASE_URL", "localhost:8000", "give http or https");
        check("OPENAI_BASE_URL", "http://sk-secret@host/v1", "user name or password");
        check("OPENAI_MODEL", "two words", "is not a model's name");
        check("LLM_TIMEOUT_SECONDS", "0", "leaves no time");
        check("LLM_TOKENS_PER_DAY", "1e6", "is not a whole number");
        check("LLM_USD_PER_DAY", "1,50", "is not an amount");
        check("LLM_USD_PER_MILLION_TOKENS", "0.15", "is not `input,output`");
        let error = read(&[("OPENAI_API_KEY", "sk-1"), ("LLM_USD_PER_DAY", "1.5")]).unwrap_err();
        assert_eq!(error.variable, "LLM_USD_PER_MILLION_TOKENS");
    }

    #[test]
    fn a_key_is_not_in_the_debug_form() {
        let settings = read(&[("OPENAI_API_KEY", "sk-secret")]).unwrap().unwrap();
        let shown = format!("{settings:?} {:?}", settings.key.as_ref().unwrap().header());
        assert!(!shown.contains("sk-secret"), "{shown}");
    }

    #[test]
    fn dollars_are_exact() {
        assert_eq!(microdollars("0.15"), Ok(150_000));
        assert_eq!(microdollars("12"), Ok(12_000_000));
        assert_eq!(microdollars("0.000001"), Ok(1));
        for wrong in ["", ".", "1.", "-1", "0.0000001", "1e3", "99999999999999999999"] {
            assert!(microdollars(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(value in ".*") {
            for variable in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "LLM_USD_PER_DAY", "LLM_USD_PER_MILLION_TOKENS"] {
                let _ = read(&[(variable, &value)]);
            }
        }
    }
}
