//! `secrets[].valueFrom` of a container: which secret, and which key in it.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>

use karma_terraform::{Address, Mode, Stack, Unknown, Value};

use crate::attributes::{Attributes, Read, Reported};
use crate::links::{self, PARAMETER, SECRET, SECRET_VERSION, name_of};
use crate::value_text::{describe, made_of};

/// An environment variable whose value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretReference {
    /// The variable's name.
    pub name: String,
    /// The secret, where the stack declares it.
    pub secret: Option<Address>,
    /// The secret's name where it can be told, else the text of `valueFrom`.
    pub secret_name: String,
    /// The key inside the secret's JSON object; the whole secret where there is none.
    pub json_key: Option<String>,
}

impl SecretReference {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("name");
        let value = from.value_of("valueFrom")?;
        let source = source(from.stack(), value).map_err(|WrongParts| wrong_parts(from, value))?;
        if source.json_key.as_ref().is_some_and(|key| key.contains(UNKNOWN)) {
            return Err(from.unsuitable("valueFrom", value, "known where it names a key"));
        }
        // A name with an unknown part is no name yet.
        let is_known = !source.secret_name.contains(UNKNOWN);
        Ok(Self {
            name: name?,
            secret: source.secret,
            secret_name: if is_known { source.secret_name } else { made_of(value) },
            json_key: source.json_key,
        })
    }
}

struct Source {
    secret: Option<Address>,
    secret_name: String,
    json_key: Option<String>,
}

/// An ARN that has not the parts it should have.
struct WrongParts;

fn wrong_parts(from: &Attributes<'_>, value: &Value) -> Reported {
    const AGENT: &str =
        "an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.";
    const HELP: &str = "Name the whole secret by its ARN alone, or one of its keys by `<arn>:<key>::`; both colons at the end belong to it.";
    let detail = format!(
        "{} is {}. The ECS agent says: {AGENT}",
        from.called("valueFrom"),
        describe(value)
    );
    from.error_with_help("valueFrom", "Invalid secret reference", detail, HELP)
}

/// Stands for the unknown parts of a `valueFrom`: neither ARNs nor parameter names have one of their own.
const UNKNOWN: &str = "*";

fn source(stack: &Stack, value: &Value) -> Result<Source, WrongParts> {
    let parts = match value.as_unknown() {
        Some(Unknown::Template(parts)) => parts.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let text: String = parts.iter().map(|part| part.as_str().unwrap_or(UNKNOWN)).collect();
    match text.strip_prefix(UNKNOWN) {
        Some(selector) => Ok(Source {
            json_key: json_key(selector)?,
            ..by_reference(stack, &parts[0])
        }),
        None if text.starts_with("arn:") => by_arn(stack, &text),
        None => Ok(parameter(text)),
    }
}

/// `aws_secretsmanager_secret.x.arn` and its like; the key is left open.
fn by_reference(stack: &Stack, head: &Value) -> Source {
    let version = links::resolve(stack, head, SECRET_VERSION);
    let head = version
        .and_then(|version| version.attributes.get("secret_id"))
        .unwrap_or(head);
    let found = links::resolve(stack, head, SECRET).or_else(|| links::resolve(stack, head, PARAMETER));
    let is_declared = |of: &&Address| of.mode == Mode::Managed && SECRET.contains(&of.kind.as_str());
    Source {
        secret: found.map(|resource| &resource.address).filter(is_declared).cloned(),
        secret_name: found.map_or_else(|| made_of(head), name_of),
        json_key: None,
    }
}

/// `arn:aws:secretsmanager:region:account:secret:name-XXXXXX:json-key:stage:version`, or a parameter's ARN.
fn by_arn(stack: &Stack, arn: &str) -> Result<Source, WrongParts> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    match fields.as_slice() {
        [_, _, "secretsmanager", _, _, resource] => {
            by_secret_id(stack, resource.strip_prefix("secret:").ok_or(WrongParts)?)
        }
        [_, _, "ssm", _, _, resource] => {
            let path = resource.strip_prefix("parameter/").ok_or(WrongParts)?;
            // The ARN leaves out the slash that a name with levels begins with.
            let slash = if path.contains('/') { "/" } else { "" };
            Ok(parameter(format!("{slash}{path}")))
        }
        _ => Err(WrongParts),
    }
}

/// `name-XXXXXX:json-key:stage:version`, found in the stack by its name.
fn by_secret_id(stack: &Stack, text: &str) -> Result<Source, WrongParts> {
    let (id, selector) = text.split_at(text.find(':').unwrap_or(text.len()));
    let json_key = json_key(selector)?;
    let names = [id, without_random_suffix(id)];
    let declared = names
        .iter()
        .find_map(|name| links::resolve(stack, &Value::String((*name).to_owned()), SECRET));
    Ok(Source {
        secret: declared.map(|resource| resource.address.clone()),
        secret_name: declared.map_or_else(|| names[1].to_owned(), name_of),
        json_key,
    })
}

fn parameter(name: String) -> Source {
    Source {
        secret: None,
        secret_name: name,
        json_key: None,
    }
}

/// What follows a secret's ARN: nothing, or `:json-key:version-stage:version-id`, each of which may be empty.
fn json_key(selector: &str) -> Result<Option<String>, WrongParts> {
    let fields: Vec<&str> = selector.split(':').collect();
    match fields.as_slice() {
        [""] => Ok(None),
        ["", key, _stage, _version] => Ok(Some((*key).to_owned()).filter(|key| !key.is_empty())),
        _ => Err(WrongParts),
    }
}

/// Secrets Manager ends a secret's ARN with a hyphen and six random characters, which are not part of the name.
fn without_random_suffix(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((name, suffix)) if suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) => name,
        _ => id,
    }
}
