//! How much was spent, kept so that no cap is passed even where several tasks spend at once: a purchase is written down before it is
//! made, and only who knows all others may write.
//!
//! Amounts are base units of the asset, whole numbers.

use jiff::civil::Date;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

use super::view::Decision;
use super::{Position, Projection, Store, StoreError, View};

const PROJECTION: Projection = Projection {
    journal: "spending",
    schema: "CREATE TABLE expense (
        position INTEGER PRIMARY KEY, asset TEXT NOT NULL, day TEXT NOT NULL, task TEXT NOT NULL, amount TEXT NOT NULL, given_back INTEGER NOT NULL
    );
    CREATE INDEX expense_by_day ON expense (asset, day);
    CREATE INDEX expense_by_task ON expense (asset, task);",
    apply,
};

/// What an agent has spent.
#[derive(Clone, Debug)]
pub struct Spending(View);

/// One purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expense {
    /// The asset that is paid with, as the caller names it always.
    pub asset: String,
    /// The day it counts for, in UTC.
    pub day: Date,
    /// The task it is made for: an A2A task's id, or a request's trace id.
    pub task: String,
    /// In base units.
    #[serde(with = "decimal")]
    pub amount: u128,
}

/// The most that may be spent of an asset, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// For one task.
    pub per_task: u128,
    /// On one day, for all tasks.
    pub per_day: u128,
}

/// Whether a purchase may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// Yes, and it is counted.
    Granted,
    /// No: so much was spent for the task already.
    OverTask(u128),
    /// No: so much was spent on the day already.
    OverDay(u128),
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    expense: Expense,
    #[serde(default)]
    given_back: bool,
}

impl Spending {
    /// What stands in the store.
    pub fn open(store: &Store) -> Result<Spending, StoreError> {
        View::open(store, PROJECTION).map(Spending)
    }

    /// Counts a purchase if no cap stands against it.
    pub async fn reserve(&self, expense: Expense, caps: Caps) -> Result<Reservation, StoreError> {
        let decide = move |connection: &Connection| {
            Ok(match judge(connection, &expense, caps)? {
                Reservation::Granted => Decision::Append(line(&expense, false), Reservation::Granted),
                refused => Decision::Leave(refused),
            })
        };
        self.0.append(decide).await
    }

    /// The same without counting it.
    pub async fn would_reserve(&self, expense: Expense, caps: Caps) -> Result<Reservation, StoreError> {
        let ask = move |connection: &Connection| judge(connection, &expense, caps);
        Ok(self.0.read(ask).await??)
    }

    /// Takes a purchase back that was counted and not made.
    pub async fn give_back(&self, expense: Expense) -> Result<(), StoreError> {
        let decide = move |_: &Connection| Ok(Decision::Append(line(&expense, true), ()));
        self.0.append(decide).await
    }

    /// How much was spent on a day.
    pub async fn on_day(&self, asset: String, day: Date) -> Result<u128, StoreError> {
        let ask = move |connection: &Connection| spent(connection, "day", &asset, &day.to_string());
        Ok(self.0.read(ask).await??)
    }
}

fn judge(connection: &Connection, expense: &Expense, caps: Caps) -> rusqlite::Result<Reservation> {
    let for_task = spent(connection, "task", &expense.asset, &expense.task)?;
    let on_day = spent(connection, "day", &expense.asset, &expense.day.to_string())?;
    Ok(caps.judge(expense.amount, for_task, on_day))
}

impl Caps {
    fn judge(self, amount: u128, for_task: u128, on_day: u128) -> Reservation {
        let passes = |spent: u128, cap: u128| spent.checked_add(amount).is_none_or(|sum| sum > cap);
        if passes(for_task, self.per_task) {
            Reservation::OverTask(for_task)
        } else if passes(on_day, self.per_day) {
            Reservation::OverDay(on_day)
        } else {
            Reservation::Granted
        }
    }
}

fn line(expense: &Expense, given_back: bool) -> Vec<u8> {
    let expense = expense.clone();
    serde_json::to_vec(&Line { expense, given_back }).expect("an expense is JSON")
}

fn apply(transaction: &Transaction<'_>, position: Position, entry: &[u8]) -> rusqlite::Result<()> {
    let Ok(Line { expense, given_back }) = serde_json::from_slice(entry) else {
        return Ok(());
    };
    transaction
        .prepare_cached("INSERT INTO expense VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            i64::try_from(position.0).unwrap_or(i64::MAX),
            expense.asset,
            expense.day.to_string(),
            expense.task,
            expense.amount.to_string(),
            given_back,
        ])
        .map(drop)
}

/// SQLite's numbers are too small for amounts, so the sum is made here.
fn spent(connection: &Connection, by: &'static str, asset: &str, value: &str) -> rusqlite::Result<u128> {
    let sql = match by {
        "task" => "SELECT amount, given_back FROM expense WHERE asset = ?1 AND task = ?2",
        _ => "SELECT amount, given_back FROM expense WHERE asset = ?1 AND day = ?2",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([asset, value], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
    })?;
    rows.into_iter().try_fold(0_u128, |sum, row| {
        let (amount, given_back) = row?;
        let amount: u128 = amount.parse().unwrap_or(u128::MAX);
        Ok(if given_back {
            sum.saturating_sub(amount)
        } else {
            sum.saturating_add(amount)
        })
    })
}

/// Whole numbers as text: JSON's numbers end at 2^53 for many readers.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
