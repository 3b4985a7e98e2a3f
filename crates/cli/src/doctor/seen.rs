//! [`Seen`]: what there is to see of this machine and of AWS, before anything is made of it.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use karma_aws::{AwsError, Identity, Repository, Session, StoredSecret};
use karma_fleet::Fleet;

use super::Subject;
use crate::failure::Failure;
use crate::images::{self, StackImage};
use crate::karma_toml;
use crate::secrets::StackSecrets;
use crate::toolchain::Missing;

/// Terraform and what is compatible with it, the first choice first.
const PROGRAMS: [&str; 2] = ["terraform", "tofu"];

/// The file that pins the providers.
const LOCK: &str = ".terraform.lock.hcl";

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// The program's name and version, such as `terraform` and `1.11.4`.
    pub(super) terraform: Option<(String, String)>,
    /// Whether the providers are pinned.
    pub(super) has_lock: bool,
    /// The images that karma.toml describes and tasks run, by repository.
    pub(super) images: Told<BTreeMap<String, Buildable>>,
    /// The region that is asked in.
    pub(super) region: Option<String>,
    /// What AWS says.
    pub(super) account: Account,
}

/// An image, and whether it can be built here.
#[derive(Debug)]
pub(super) struct Buildable {
    /// `linux/amd64`
    pub(super) platform: String,
    /// What this machine lacks for it.
    pub(super) lacks: Vec<Missing>,
}

/// What AWS says.
#[derive(Debug)]
pub(super) enum Account {
    /// It could not be asked, in these words, and this would help.
    Unknown { why: String, mend: Option<String> },
    /// It knows who asks.
    Known(Known),
}

/// What AWS says to whom it knows. What it does not tell is `Err`, in its words.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) identity: Identity,
    pub(super) repositories: Told<BTreeMap<String, Repository>>,
    pub(super) secrets: Told<BTreeMap<String, StoredSecret>>,
}

/// Something, or why it is not told.
pub(super) type Told<T> = Result<T, String>;

impl Seen {
    /// A karma.toml that cannot be read ends it: nobody knows what it would say.
    pub(super) async fn gather(subject: Subject<'_>) -> Result<Self, Failure> {
        let directory = subject.loaded.directory.path();
        karma_toml::read(directory)?;
        Ok(Self {
            terraform: terraform(),
            has_lock: directory.join(LOCK).is_file(),
            images: images(subject),
            region: subject.session.ok().map(|session| session.region().to_owned()),
            account: match subject.session {
                Ok(session) => account(session, subject.fleet).await,
                Err(failure) => unknown(failure),
            },
        })
    }

    /// What AWS says, where it knows who asks.
    pub(super) fn known(&self) -> Option<&Known> {
        match &self.account {
            Account::Known(known) => Some(known),
            Account::Unknown { .. } => None,
        }
    }
}

fn images(subject: Subject<'_>) -> Told<BTreeMap<String, Buildable>> {
    let described = images::of_stack(&subject.loaded.directory, subject.fleet);
    let described = described.map_err(|failure| failure.message().to_owned())?;
    let buildable = |image: &StackImage| Buildable {
        platform: image.platform.to_string(),
        lacks: image.missing(),
    };
    Ok(described
        .iter()
        .map(|(repository, image)| (repository.clone(), buildable(image)))
        .collect())
}

fn unknown(failure: &Failure) -> Account {
    let (why, mend) = (failure.message().to_owned(), failure.first_hint().map(str::to_owned));
    Account::Unknown { why, mend }
}

async fn account(session: &Session, fleet: &Fleet) -> Account {
    let identity = match session.identity().await {
        Ok(identity) => identity,
        // Where each provider of credentials has looked in vain takes many lines.
        Err(error @ AwsError::NoCredentials { .. }) => {
            let (why, mend) = (error.to_string(), error.hint());
            return Account::Unknown { why, mend };
        }
        Err(error) => return unknown(&Failure::from(error)),
    };
    let repositories: Vec<String> = fleet.repositories.values().map(|one| one.name.clone()).collect();
    let secrets = StackSecrets::of(fleet).names();
    let (repositories, secrets) = tokio::join!(session.repositories(&repositories), session.secrets(&secrets));
    Account::Known(Known {
        identity,
        repositories: repositories.map_err(words),
        secrets: secrets.map_err(words),
    })
}

fn words(error: AwsError) -> String {
    Failure::from(error).message().to_owned()
}

/// The first of the programs that is installed, and what it says of its version.
fn terraform() -> Option<(String, String)> {
    let program = PROGRAMS.iter().find(|program| is_installed(program))?;
    let said = Command::new(program)
        .args(["version", "-json"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).ok()?;
    let version = said["terraform_version"].as_str().unwrap_or("of unknown version");
    Some(((*program).to_owned(), version.to_owned()))
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| Path::new(&directory).join(program).is_file())
}
