//! The images of the stack: built, pushed where the registry lacks them, and their digests written down.

use std::collections::BTreeMap;

use karma_aws::Session;
use karma_fleet::Fleet;
use karma_image::{Built, Outcome, Pushed};

use super::digests::{Digests, ImageKeys, Written};
use super::event::Event;
use super::journal::Journal;
use crate::failure::Failure;
use crate::images::{self, Target};
use crate::on::AwsArguments;
use crate::settings::StackDirectory;

/// What it takes to bring images to the account's registry.
pub(crate) struct Images<'a> {
    pub(crate) directory: &'a StackDirectory,
    pub(crate) fleet: &'a Fleet,
    pub(crate) keys: &'a ImageKeys,
    pub(crate) session: &'a Session,
    pub(crate) aws: &'a AwsArguments,
    pub(crate) journal: &'a Journal,
}

impl Images<'_> {
    /// Builds all of them, pushes what the registry lacks, and writes the file of digests where it says anything else.
    pub(crate) async fn bring(&self) -> Result<((), String), Failure> {
        let built = self.build().await?;
        let named: Vec<String> = built.keys().cloned().collect();
        let target = Target::ecr(self.session, &self.aws.resolve).await?;
        let pushed = images::push(self.directory, &named, &target, None, self.journal.printer).await?;
        self.tell(&built, &pushed)?;
        let mut digests = Digests::read(self.directory)?;
        let written = digests.write(self.by_key(&pushed), self.keys)?;
        if written == Written::Changed {
            self.journal
                .say(&format!("{} has the digests: commit it", digests.path().display()));
        }
        Ok(((), sentence(&pushed)))
    }

    /// Those that the stack has a repository for. Compiling blocks a thread of its own.
    async fn build(&self) -> Result<BTreeMap<String, Built>, Failure> {
        let (directory, fleet, printer) = (self.directory.clone(), self.fleet.clone(), self.journal.printer);
        let building = tokio::task::spawn_blocking(move || images::build(&directory, &fleet, &[], printer));
        let mut built = building.await.expect("building does not panic")?;
        built.retain(|repository, _| self.keys.key(repository).is_some());
        let missing = self
            .keys
            .repositories()
            .filter(|repository| !built.contains_key(*repository));
        for repository in missing {
            self.journal.say(&format!(
                "karma.toml has no entry for {repository}: its image stays as it is"
            ));
        }
        Ok(built)
    }

    fn tell(&self, built: &BTreeMap<String, Built>, pushed: &BTreeMap<String, Pushed>) -> Result<(), Failure> {
        for (repository, image) in pushed {
            self.journal.event(&Event::Image {
                repository,
                digest: &image.digest.to_string(),
                bytes: built.get(repository).map_or(0, |built| built.size),
                pushed: image.outcome == Outcome::Pushed,
            })?;
        }
        Ok(())
    }

    fn by_key(&self, pushed: &BTreeMap<String, Pushed>) -> BTreeMap<String, String> {
        let digest = |(repository, image): (&String, &Pushed)| {
            Some((self.keys.key(repository)?.to_owned(), image.digest.to_string()))
        };
        pushed.iter().filter_map(digest).collect()
    }
}

/// `5 images, 1 pushed`
fn sentence(pushed: &BTreeMap<String, Pushed>) -> String {
    let new = pushed.values().filter(|image| image.outcome == Outcome::Pushed).count();
    match new {
        0 => format!("{} images, all of them there already", pushed.len()),
        _ => format!("{} images, {new} pushed", pushed.len()),
    }
}
