use std::path::Path;
use std::time::Duration;

use jiff::civil::date;
use rusqlite::{Connection, Transaction};
use tokio::task::JoinSet;

use super::spending::{Caps, Expense};
use super::view::Decision;
use super::*;

/// Two tasks of one agent open the same directory.
fn open(directory: &Path) -> Store {
    let url = StoreUrl::Directory(directory.to_owned());
    Store::open(Some(&url), "karma-hello").unwrap()
}

const NOTES: Projection = Projection {
    journal: "notes",
    schema: "CREATE TABLE note (position INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    apply: |transaction: &Transaction<'_>, position, entry| {
        let text = String::from_utf8_lossy(entry);
        let insert = "INSERT INTO note VALUES (?1, ?2)";
        transaction
            .execute(insert, (i64::try_from(position.0).unwrap(), text))
            .map(drop)
    },
};

fn all(connection: &Connection) -> Vec<String> {
    let mut statement = connection.prepare("SELECT text FROM note ORDER BY position").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn note(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    use rusqlite::OptionalExtension;
    let select = "SELECT position FROM note WHERE text = ?1";
    connection.query_row(select, [text], |row| row.get(0)).optional()
}

async fn append(view: &View, text: &str) -> Result<(), StoreError> {
    let entry = text.as_bytes().to_vec();
    view.append(move |_| Ok(Decision::Append(entry.clone(), ()))).await
}

#[tokio::test]
async fn what_one_task_wrote_another_finds() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(directory.path()), open(directory.path()));
    let (one, other) = (View::open(&one, NOTES).unwrap(), View::open(&other, NOTES).unwrap());
    assert_eq!(other.find(|index| note(index, "first")).await.unwrap(), None);
    append(&one, "first").await.unwrap();
    // The other has just read the journal, and looks again all the same before it says that there is nothing.
    assert_eq!(other.find(|index| note(index, "first")).await.unwrap(), Some(1));
    append(&other, "second").await.unwrap();
    one.catch_up().await.unwrap();
    assert_eq!(one.read(all).await.unwrap(), ["first", "second"]);
}

#[tokio::test]
async fn all_tasks_see_one_order_whoever_writes() {
    let directory = tempfile::tempdir().unwrap();
    let mut writing = JoinSet::new();
    for task in 0..3 {
        let view = View::open(&open(directory.path()), NOTES).unwrap();
        for number in 0..15 {
            let view = view.clone();
            writing.spawn(async move { append(&view, &format!("{task}-{number}")).await.unwrap() });
        }
    }
    writing.join_all().await;
    let seen = async || {
        let view = View::open(&open(directory.path()), NOTES).unwrap();
        view.read(all).await.unwrap()
    };
    let (one, other) = (seen().await, seen().await);
    assert_eq!(one.len(), 45);
    assert_eq!(one, other);
}

#[tokio::test]
async fn of_fifty_claims_one_is_ours() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [open(directory.path()), open(directory.path())];
    let mut claiming = JoinSet::new();
    for number in 0..50 {
        let store = stores[number % 2].clone();
        claiming.spawn(async move { store.claim("nonce", "eip155:84532/0xabc/1").await.unwrap() });
    }
    let claims = claiming.join_all().await;
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Ours).count(), 1);
    // A restart forgets nothing, and another name is another claim.
    let later = open(directory.path());
    assert_eq!(
        later.claim("nonce", "eip155:84532/0xabc/1").await.unwrap(),
        Claim::Theirs
    );
    assert_eq!(later.claim("nonce", "eip155:84532/0xabc/2").await.unwrap(), Claim::Ours);
}

#[tokio::test]
async fn an_entry_written_by_a_task_that_died_before_its_index_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let view = View::open(&store, NOTES).unwrap();
    append(&view, "before").await.unwrap();
    // The journal has it, the index of the writer does not: as after a crash between the two.
    let written = store
        .journal("notes")
        .append_after(Position(1), b"in between")
        .await
        .unwrap();
    assert_eq!(written, Some(Position(2)));
    append(&view, "after").await.unwrap();
    assert_eq!(view.read(all).await.unwrap(), ["before", "in between", "after"]);
}

#[tokio::test]
async fn an_entry_is_never_written_over() {
    let store = Store::open(None, "validator").unwrap();
    let journal = store.journal("notes");
    assert_eq!(
        journal.append_after(Position(0), b"mine").await.unwrap(),
        Some(Position(1))
    );
    assert_eq!(journal.append_after(Position(0), b"mine").await.unwrap(), None);
    let entries: Vec<Entry> = journal.read(&[Position(1), Position(2)]).try_collect().await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].content, "mine");
}

#[tokio::test]
async fn what_is_forgotten_leaves_the_newest_and_the_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let view = View::open(&store, NOTES).unwrap();
    for text in ["one", "two", "three"] {
        append(&view, text).await.unwrap();
    }
    assert_eq!(view.forget(Duration::from_hours(1)).await.unwrap(), 0);
    let journal_directory = directory.path().join("karma-hello/journal/notes");
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(2);
    for entry in std::fs::read_dir(journal_directory).unwrap() {
        let file = std::fs::File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap();
        file.set_modified(long_ago).unwrap();
    }
    assert_eq!(view.forget(Duration::from_hours(1)).await.unwrap(), 2);
    let newcomer = View::open(&store, NOTES).unwrap();
    assert_eq!(newcomer.read(all).await.unwrap(), ["three"]);
    append(&newcomer, "four").await.unwrap();
    view.catch_up().await.unwrap();
    assert_eq!(view.read(all).await.unwrap(), ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_says_so_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let view = View::open(&store, NOTES).unwrap();
    append(&view, "kept").await.unwrap();
    let journal_directory = directory.path().join("karma-hello/journal");
    std::fs::rename(&journal_directory, directory.path().join("aside")).unwrap();
    std::fs::write(&journal_directory, "no directory").unwrap();
    append(&view, "refused").await.unwrap_err();
    std::fs::remove_file(&journal_directory).unwrap();
    std::fs::rename(directory.path().join("aside"), &journal_directory).unwrap();
    append(&view, "then").await.unwrap();
    assert_eq!(view.read(all).await.unwrap(), ["kept", "then"]);
}

#[tokio::test]
async fn two_tasks_together_do_not_pass_a_cap() {
    let directory = tempfile::tempdir().unwrap();
    let caps = Caps {
        per_task: 1_000,
        per_day: 2_500,
    };
    let expense = |task: usize| Expense {
        asset: "eip155:84532/0xtoken".to_owned(),
        day: date(2026, 2, 1),
        task: task.to_string(),
        amount: 300,
    };
    let mut buying = JoinSet::new();
    for number in 0..20 {
        let spending = Spending::open(&open(directory.path())).unwrap();
        let expense = expense(number % 4);
        buying.spawn(async move { spending.reserve(expense, caps).await.unwrap() });
    }
    let granted = buying.join_all().await;
    assert_eq!(
        granted.iter().filter(|answer| **answer == Reservation::Granted).count(),
        8
    );
    let spending = Spending::open(&open(directory.path())).unwrap();
    let asset = expense(0).asset;
    assert_eq!(spending.on_day(asset.clone(), date(2026, 2, 1)).await.unwrap(), 2_400);
    let answer = spending.reserve(expense(9), caps).await.unwrap();
    assert_eq!(answer, Reservation::OverDay(2_400));
    spending.give_back(expense(0)).await.unwrap();
    assert_eq!(spending.reserve(expense(9), caps).await.unwrap(), Reservation::Granted);
    assert_eq!(spending.on_day(asset, date(2026, 2, 2)).await.unwrap(), 0);
}
