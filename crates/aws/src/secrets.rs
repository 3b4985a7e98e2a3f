//! Secrets Manager: which secrets there are, which json keys they have, and giving them values. Values go there and do not come back out of this
//! module.
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/intro.html>

mod keys;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::Client;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::error::{AwsError, Call};
use crate::password::Password;
use crate::session::Session;
use crate::times::timestamp;

pub use keys::ValueShape;

/// A secret as it is on AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// What its value is; `None` where it has none yet.
    pub value: Option<ValueShape>,
    /// When it, or its value, was changed last.
    pub last_changed: Option<Timestamp>,
    /// It is being deleted, and until it is its name is taken.
    pub is_being_deleted: bool,
}

/// What is to be changed of a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretChange {
    /// All of it.
    Whole(Password),
    /// These json keys; others stay as they are.
    Keys(BTreeMap<String, Password>),
}

/// Why a secret was not changed. No value is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// AWS says no.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// There is a value, and it has no json keys that one could be added to.
    #[error("the value of {0} is no JSON object, so a key cannot be set in it")]
    NoKeys(String),
}

impl SecretError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(error) => error.hint(),
            Self::NoKeys(name) => Some(format!("replace all of it: karma secrets set {name}")),
        }
    }
}

impl Session {
    /// These secrets; a name that there is not is absent. Of their values only the shape is told.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>
    pub async fn secrets(&self, names: &BTreeSet<String>) -> Result<BTreeMap<String, StoredSecret>, AwsError> {
        let client = Client::new(self.config());
        let mut found = BTreeMap::new();
        for name in names {
            if let Some(secret) = stored(&client, name).await? {
                found.insert(name.clone(), secret);
            }
        }
        Ok(found)
    }

    /// Gives a secret that there is another value. Tasks see it when they are started next.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>
    pub async fn set_secret(&self, name: &str, change: SecretChange) -> Result<(), SecretError> {
        set(&Client::new(self.config()), name, change).await
    }
}

async fn stored(client: &Client, name: &str) -> Result<Option<StoredSecret>, AwsError> {
    let on = format!("secret {name}");
    let described = client.describe_secret().secret_id(name).send().await;
    let described = match described.map_err(|error| Call::new("secretsmanager:DescribeSecret", &on).failed(error)) {
        Ok(described) => described,
        Err(AwsError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_being_deleted = described.deleted_date().is_some();
    // ECS cannot read the value of one that is being deleted either.
    let value = if is_being_deleted {
        None
    } else {
        current(client, name).await?
    };
    Ok(Some(StoredSecret {
        value: value.as_ref().map(|value| ValueShape::of(value)),
        last_changed: described.last_changed_date().and_then(timestamp),
        is_being_deleted,
    }))
}

/// The value with the stage that tasks get, `AWSCURRENT`; `None` where none was ever set. Bytes are no value that a task can be given.
async fn current(client: &Client, name: &str) -> Result<Option<Zeroizing<String>>, AwsError> {
    let on = format!("secret {name}");
    let answer = client.get_secret_value().secret_id(name).send().await;
    match answer.map_err(|error| Call::new("secretsmanager:GetSecretValue", &on).failed(error)) {
        Ok(answer) => Ok(answer.secret_string.map(Zeroizing::new)),
        Err(AwsError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn set(client: &Client, name: &str, change: SecretChange) -> Result<(), SecretError> {
    let value = match change {
        SecretChange::Whole(value) => value,
        SecretChange::Keys(changed) => {
            let before = current(client, name).await?;
            let before = before.as_ref().map(|value| value.as_str());
            keys::merge(before, &changed).ok_or_else(|| SecretError::NoKeys(name.to_owned()))?
        }
    };
    let on = format!("secret {name}");
    let put = client.put_secret_value().secret_id(name).secret_string(value.reveal());
    let put = put.send().await;
    put.map_err(|error| Call::new("secretsmanager:PutSecretValue", &on).failed(error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
