//! `karma image push [IMAGE…]`

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use clap::Args;
use karma_image::{Credentials, Outcome, Password, Pushed};
use serde_json::{Value, json};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::images::{Destination, Target, docker_login, is_ecr, push};
use crate::on::AwsArguments;
use crate::settings::StackDirectory;
use crate::stack::{self, Reporter, StackArguments};
use crate::wiring;

/// Push the images that were built
///
/// They go to the account's registry on AWS, or to another with --to. What the registry has is not sent, what a repository beside has is taken
/// from there, and a connection that breaks goes on from where it was. No tag moves before all blobs of all images have arrived. With each
/// image goes what is attached to it: what it is made of, and how it was built. At the end each digest is read back.
///
/// Prints one reference for each image, pinned to its digest.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    // Its arguments are images, as those of `build` are.
    mut_arg("dir", |dir| dir.long("dir")),
    after_long_help = "Example: karma image push validator --to localhost:5000"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    /// Only these images: a repository's name, or the part behind its last slash [default: all that were built]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,

    /// Push to this registry; the repositories' names come after the prefix [default: the account's on AWS]
    ///
    /// TLS is spoken except within this machine, or where http:// stands in front.
    #[arg(long, value_name = "HOST/PREFIX")]
    to: Option<Destination>,

    /// The tag [default: the first twelve digits of the image's digest]
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    /// Who asks, for a registry other than the account's [default: whom `docker login` knows, through its credential helpers too]
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,

    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,

    #[command(flatten)]
    aws: AwsArguments,
}

pub(crate) fn run(arguments: &Arguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.stack.dir.as_deref())?;
    wiring::block_on(async {
        let target = arguments.target(reporter).await?;
        let tag = arguments.tag.as_deref();
        let pushed = push(&directory, &arguments.images, &target, tag, reporter.printer).await?;
        print(&target, &pushed, reporter)?;
        Ok(ExitStatus::Yes)
    })
}

fn print(target: &Target, pushed: &BTreeMap<String, Pushed>, reporter: Reporter) -> Result<(), Failure> {
    if reporter.json {
        let images = pushed
            .iter()
            .map(|(repository, pushed)| (repository.clone(), describe(pushed)));
        let images: serde_json::Map<String, Value> = images.collect();
        let answer = json!({ "registry": target.registry.host(), "images": images });
        reporter.printer.line(&answer.to_string())?;
        return Ok(());
    }
    for pushed in pushed.values() {
        reporter.printer.line(&pushed.reference.to_string())?;
    }
    Ok(())
}

impl Arguments {
    /// Who asks: whoever was named, or the account's login, or what Docker has written down.
    async fn target(&self, reporter: Reporter) -> Result<Target, Failure> {
        let resolve = &self.aws.resolve;
        let Some(destination) = &self.to else {
            let loaded = stack::load(&self.stack, reporter)?;
            let session = self.aws.session(loaded.region(), reporter.printer).await?;
            return Target::ecr(&session, resolve).await;
        };
        if let Some(credentials) = self.typed()? {
            self.aws.tell_resolve(reporter.printer);
            return Target::new(destination.clone(), credentials, resolve);
        }
        if is_ecr(&destination.host) {
            let session = self.aws.session(region_of(&destination.host), reporter.printer).await?;
            let own = Target::ecr(&session, resolve).await?;
            if own.destination.host == destination.host {
                return Ok(own.with_prefix(destination.prefix.clone()));
            }
        }
        self.aws.tell_resolve(reporter.printer);
        Target::new(destination.clone(), docker_login(&destination.host).await?, resolve)
    }

    fn typed(&self) -> Result<Option<Credentials>, Failure> {
        let Some(username) = self.username.clone() else {
            return Ok(None);
        };
        let mut password = String::new();
        io::stdin()
            .read_to_string(&mut password)
            .map_err(|error| Failure::caused_by("cannot read the password from standard input", &error))?;
        Ok(Some(Credentials::Basic {
            username,
            password: Password::new(password.trim_end_matches(['\r', '\n'])),
        }))
    }
}

/// Of `123456789012.dkr.ecr.us-east-1.amazonaws.com`.
fn region_of(host: &str) -> Option<String> {
    host.split('.').nth(3).map(str::to_owned)
}

fn describe(pushed: &Pushed) -> Value {
    json!({
        "reference": pushed.reference.to_string(),
        "digest": pushed.digest,
        "changed": pushed.outcome == Outcome::Pushed,
        "uploaded_bytes": pushed.uploaded,
        "mounted_bytes": pushed.mounted,
        "present_bytes": pushed.present,
    })
}
