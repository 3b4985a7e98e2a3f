//! Two bills side by side: which line came, went or changed.

use std::collections::{BTreeMap, BTreeSet};

use karma_terraform::Address;
use serde::{Serialize, Serializer};

use crate::{Bill, CostComponent, Group, Totals, Unpriced};

/// What differs between two bills.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Lines that differ, by group and resource.
    pub changes: Vec<Change>,
    /// What has no price in the new bill and was not in the old one.
    pub newly_unpriced: Vec<Unpriced>,
    /// The old total.
    pub before: Totals,
    /// The new total.
    pub after: Totals,
}

/// A line that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What the line is for.
    pub group: Group,
    /// The resource that causes it.
    #[serde(serialize_with = "address")]
    pub resource: Address,
    /// What is paid for.
    pub name: &'static str,
    /// How it differs.
    pub kind: ChangeKind,
    /// What it cost; nothing where it was not there.
    pub before: Totals,
    /// What it costs; nothing where it is gone.
    pub after: Totals,
}

/// How a line differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only the new bill has it.
    Added,
    /// Only the old bill had it.
    Removed,
    /// Both have it, at another price or quantity.
    Changed,
}

/// A line's identity: the resource, and what is paid for at which rate.
type Key<'b> = (Group, &'b Address, &'static str, &'b str);

/// What differs from one bill to another.
pub fn compare(before: &Bill, after: &Bill) -> Comparison {
    let (old, new) = (by_key(before), by_key(after));
    let keys: BTreeSet<&Key<'_>> = old.keys().chain(new.keys()).collect();
    let changes = keys
        .into_iter()
        .filter_map(|key| change(key, old.get(key).copied(), new.get(key).copied()));
    let is_new = |unpriced: &&Unpriced| !before.unpriced.contains(unpriced);
    Comparison {
        changes: changes.collect(),
        newly_unpriced: after.unpriced.iter().filter(is_new).cloned().collect(),
        before: before.totals,
        after: after.totals,
    }
}

fn by_key(bill: &Bill) -> BTreeMap<Key<'_>, Totals> {
    let mut lines = BTreeMap::<_, Totals>::new();
    for line in &bill.components {
        let entry = lines.entry(key(line)).or_default();
        *entry = *entry + line.cost;
    }
    lines
}

fn key(line: &CostComponent) -> Key<'_> {
    (line.group, &line.resource, line.name, &line.rate.sku)
}

fn change(&(group, resource, name, _): &Key<'_>, before: Option<Totals>, after: Option<Totals>) -> Option<Change> {
    let kind = match (before, after) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        (before, after) if before == after => return None,
        _ => ChangeKind::Changed,
    };
    Some(Change {
        group,
        resource: resource.clone(),
        name,
        kind,
        before: before.unwrap_or_default(),
        after: after.unwrap_or_default(),
    })
}

fn address<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(address)
}
