//! `karma secrets set SECRET[.KEY]`

use std::path::PathBuf;

use clap::Args;
use karma_aws::{Password, SecretChange, SecretError, ValueShape};
use serde_json::json;

use super::StackOnAws;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::secrets::{Meant, Source, read};
use crate::stack::Reporter;
use crate::wiring;

/// Give a secret, or a json key of it, a value
///
/// The value is typed at a prompt that does not show it, piped in, or read from a file; the end of its last line is not part of it. A key is merged into
/// what the secret holds; other keys stay. Running tasks keep the value they were started with: `karma restart` gives them the new one.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma secrets set validator.OPENAI_API_KEY --from-file key.txt"
)]
pub(crate) struct Arguments {
    /// The secret by its label, name or address in the stack, and behind a full stop a json key
    #[arg(value_name = "SECRET[.KEY]")]
    secret: String,

    /// Take the value from a file
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,

    #[command(flatten)]
    stack: StackOnAws,
}

pub(super) fn run(arguments: &Arguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let (secrets, region) = arguments.stack.secrets(reporter)?;
    let meant = secrets.find(&arguments.secret)?;
    warn_of_an_unread_key(&meant, reporter.printer);
    let source = arguments.from_file.clone().map_or(Source::Input, Source::File);
    wiring::block_on(async {
        let session = arguments.stack.session(region, reporter.printer).await?;
        let value = read(&source, &asked(&meant), reporter.printer).await?;
        let change = change(&meant, value)?;
        let set = session.set_secret(&meant.secret.name, change).await;
        set.map_err(|error| failure(&error))
    })?;
    told(&meant, reporter)?;
    Ok(ExitStatus::Yes)
}

fn asked(meant: &Meant<'_>) -> String {
    match meant.key {
        Some(key) => format!("value of {key} in {}", meant.secret.name),
        None => format!("value of {}", meant.secret.name),
    }
}

/// A whole value that tasks read keys of must have keys.
fn change(meant: &Meant<'_>, value: Password) -> Result<SecretChange, Failure> {
    if let Some(key) = meant.key {
        return Ok(SecretChange::Keys([(key.to_owned(), value)].into()));
    }
    if let (Some(key), ValueShape::Text) = (meant.secret.keys.first(), ValueShape::of(value.reveal())) {
        let name = &meant.secret.name;
        return Err(
            Failure::unable(format!("tasks read keys of {name}, and this value is no JSON object"))
                .hint(format!("set one key: karma secrets set {}.{key}", meant.secret.label())),
        );
    }
    Ok(SecretChange::Whole(value))
}

fn warn_of_an_unread_key(meant: &Meant<'_>, printer: Printer) {
    let Some(key) = meant.key.filter(|key| !meant.secret.keys.contains(*key)) else {
        return;
    };
    let similar = meant.secret.similar_key(key);
    let guess = similar.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
    printer.talk(&format!(
        "warning: no task of the stack reads {key} of {}{guess}",
        meant.secret.name
    ));
}

fn failure(error: &SecretError) -> Failure {
    Failure::from_error(error).hints(error.hint())
}

fn told(meant: &Meant<'_>, reporter: Reporter) -> Result<(), Failure> {
    let name = &meant.secret.name;
    if reporter.json {
        let answer = json!({ "secret": name, "key": meant.key, "set": true });
        reporter.printer.line(&answer.to_string())?;
    } else {
        let what = meant.key.map_or_else(|| name.clone(), |key| format!("{key} of {name}"));
        reporter.printer.line(&format!("{what} is set"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::testing;

    fn changed(text: &str, value: &str) -> Result<SecretChange, String> {
        let secrets = testing::secrets();
        let meant = secrets.find(text).unwrap();
        change(&meant, Password::from(value.to_owned())).map_err(|failure| failure.render())
    }

    #[test]
    fn a_whole_value_fits_what_tasks_read() {
        assert!(matches!(changed("main.token", "plain"), Ok(SecretChange::Whole(_))));
        assert!(matches!(
            changed("validator", r#"{"WALLET":"v"}"#),
            Ok(SecretChange::Whole(_))
        ));
        assert!(matches!(
            changed("validator.WALLET", "plain"),
            Ok(SecretChange::Keys(_))
        ));
        let refused = changed("validator", "hunter2").unwrap_err();
        assert!(
            refused.contains("karma secrets set validator.OPENAI_API_KEY"),
            "{refused}"
        );
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}
