//! What such data was offered for before: every price that was ever named to a validator, in the store that all tasks share.

use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

use super::DataType;
use crate::error::ApiError;
use crate::profile::round;
use crate::store::{Decision, Position, Projection, Store, StoreError, View};

/// Fewer offers are no history.
const ENOUGH: usize = 5;
/// The most offers that are looked back at.
const MOST: usize = 200;

const PROJECTION: Projection = Projection {
    journal: "prices",
    schema: "CREATE TABLE offer (
        position INTEGER PRIMARY KEY, data_type TEXT NOT NULL, data_digest TEXT NOT NULL, per_record INTEGER NOT NULL,
        UNIQUE (data_type, data_digest)
    )",
    apply,
};

/// The prices that were named before.
#[derive(Clone, Debug)]
pub(super) struct History(View);

/// One price that was named. The first one of a data set counts, so that nobody can talk a price up by asking again.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Offer {
    pub(super) data_type: DataType,
    pub(super) data_digest: String,
    /// In millionths of a GLUE.
    pub(super) per_record: u64,
}

/// What was asked for a record of such data before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Usual {
    /// How many other data sets had a price.
    offers: usize,
    median_per_record_glue: f64,
    /// 1 up to the median, then as much less as it is dearer; none where there are too few offers.
    pub(super) score: Option<f64>,
}

impl History {
    /// The history in this store.
    pub(super) fn open(store: &Store) -> Result<History, StoreError> {
        View::open(store, PROJECTION).map(History)
    }

    /// The index of them.
    pub(super) fn view(&self) -> View {
        self.0.clone()
    }

    /// Compares an offer with those for other data sets of its kind, and remembers it.
    pub(super) async fn compare(&self, offer: Offer) -> Result<Option<Usual>, ApiError> {
        self.0.append(move |connection| decide(connection, &offer)).await
    }
}

fn decide(connection: &Connection, offer: &Offer) -> Result<Decision<Option<Usual>>, ApiError> {
    let (known, others) = others(connection, offer).map_err(StoreError::from)?;
    let usual = usual(others, offer.per_record);
    if known {
        return Ok(Decision::Leave(usual));
    }
    let entry = serde_json::to_vec(offer).expect("an offer is JSON");
    Ok(Decision::Append(entry, usual))
}

/// Whether the data set has a price already, and the prices of the others of its kind, the newest first.
fn others(connection: &Connection, offer: &Offer) -> rusqlite::Result<(bool, Vec<u64>)> {
    let key = params![offer.data_type.name(), offer.data_digest];
    let known = connection
        .prepare_cached("SELECT 1 FROM offer WHERE data_type = ?1 AND data_digest = ?2")?
        .exists(key)?;
    let mut statement = connection.prepare_cached(
        "SELECT per_record FROM offer WHERE data_type = ?1 AND data_digest <> ?2 ORDER BY position DESC LIMIT ?3",
    )?;
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![offer.data_type.name(), offer.data_digest, most], |row| {
        Ok(u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default())
    })?;
    Ok((known, rows.collect::<rusqlite::Result<_>>()?))
}

fn usual(mut others: Vec<u64>, asked: u64) -> Option<Usual> {
    others.sort_unstable();
    let median = *others.get(others.len() / 2)?;
    let score = if asked > median {
        median as f64 / asked as f64
    } else {
        1.0
    };
    Some(Usual {
        offers: others.len(),
        median_per_record_glue: median as f64 / 1e6,
        score: (others.len() >= ENOUGH).then(|| round(score)),
    })
}

fn apply(transaction: &Transaction<'_>, position: Position, entry: &[u8]) -> rusqlite::Result<()> {
    let Ok(offer) = serde_json::from_slice::<Offer>(entry) else {
        return Ok(());
    };
    let [position, per_record] = [position.0, offer.per_record].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    transaction
        .prepare_cached("INSERT OR IGNORE INTO offer VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![position, offer.data_type.name(), offer.data_digest, per_record])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_price_is_compared_with_those_of_other_data_of_its_kind() {
        let store = Store::open(None, "validator").unwrap();
        let (one, other) = (History::open(&store).unwrap(), History::open(&store).unwrap());
        let ask = async |history: &History, data_type, digest: &str, per_record| {
            let data_digest = digest.to_owned();
            let offer = Offer {
                data_type,
                data_digest,
                per_record,
            };
            history.compare(offer).await.unwrap()
        };
        assert_eq!(ask(&one, DataType::ChatLogs, "a", 100).await, None);
        for (digest, per_record) in [("b", 90), ("c", 110), ("d", 100), ("e", 120)] {
            let usual = ask(&one, DataType::ChatLogs, digest, per_record).await.unwrap();
            assert_eq!(usual.score, None, "too few");
        }
        // Asking again changes nothing, and another kind of data has its own history.
        ask(&one, DataType::ChatLogs, "a", 9_000).await;
        assert_eq!(ask(&one, DataType::Transcript, "a", 9_000).await, None);
        let dear = ask(&other, DataType::ChatLogs, "f", 400).await.unwrap();
        assert_eq!((dear.offers, dear.score), (5, Some(0.25)));
        assert!((dear.median_per_record_glue - 0.0001).abs() < 1e-12);
    }
}
