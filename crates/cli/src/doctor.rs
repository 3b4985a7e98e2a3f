//! What a deploy needs, and whether it is there: `karma doctor`, and the first step of `karma deploy`.
//!
//! [`Seen`] is gathered by asking this machine and AWS; every check is a pure function of the stack and of that.

mod account;
mod check;
mod images;
mod quotas;
mod secrets;
mod seen;
mod stack;
mod terraform;
mod version;

use karma_aws::Session;
use karma_fleet::Fleet;

pub(crate) use check::{Check, Verdict};
use seen::Seen;

use crate::failure::Failure;
use crate::stack::Loaded;

/// What is examined.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) fleet: &'a Fleet,
    /// Who asks AWS, or why nobody can.
    pub(crate) session: Result<&'a Session, &'a Failure>,
}

/// The checks of what only building images needs.
pub(crate) const OF_IMAGES: [&str; 2] = images::NAMES;

/// Looks at everything. What a deploy makes itself is not missing.
pub(crate) async fn examine(subject: Subject<'_>) -> Result<Vec<Check>, Failure> {
    let seen = Seen::gather(subject).await?;
    Ok(judge(subject.loaded, subject.fleet, &seen))
}

fn judge(loaded: &Loaded, fleet: &Fleet, seen: &Seen) -> Vec<Check> {
    let settings = loaded.module.settings();
    let mut checks = terraform::check(&settings, seen);
    checks.extend(account::check(loaded.region().as_deref(), seen));
    checks.extend(images::check(fleet, seen));
    checks.extend(secrets::check(fleet, seen));
    checks.push(stack::certificate(&loaded.stack, loaded.region().as_deref()));
    checks.extend(quotas::check(&loaded.stack, fleet));
    checks
}
