//! The tasks in the store: a journal of what they became, and this task's index of it.

use std::time::Duration;

use ::a2a::{A2AError, ListTasksRequest, Task, TaskPushNotificationConfig, TaskState};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::error::bad_field;
use super::record::Record;
use crate::store::{Claim, Decision, Position, Projection, Store, StoreError, View};

const PROJECTION: Projection = Projection {
    journal: "a2a",
    schema: "CREATE TABLE task (
        id TEXT PRIMARY KEY, context_id TEXT NOT NULL, state TEXT NOT NULL, changed_at INTEGER NOT NULL, record TEXT NOT NULL
    );
    CREATE INDEX task_by_context ON task (context_id, changed_at DESC, id DESC);
    CREATE INDEX task_by_state ON task (state, changed_at);
    CREATE TABLE push (task_id TEXT NOT NULL, id TEXT NOT NULL, config TEXT NOT NULL, PRIMARY KEY (task_id, id));",
    apply,
};

/// How many tasks a page has, at the most and where nobody says.
const PAGE: i32 = 100;
const USUAL_PAGE: i32 = 50;

/// All tasks of one agent.
#[derive(Debug)]
pub(super) struct Tasks {
    view: View,
    store: Store,
    /// Goes up with each change that this process writes.
    changes: watch::Sender<u64>,
}

/// One page of tasks.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) tasks: Vec<Task>,
    pub(super) next: String,
    pub(super) size: i32,
    pub(super) total: i32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Task(Box<Record>),
    Push(TaskPushNotificationConfig),
    PushRemoved { task_id: String, id: String },
}

impl Tasks {
    /// The tasks in the store.
    pub(super) fn open(store: Store) -> Result<Tasks, StoreError> {
        let view = View::open(&store, PROJECTION)?;
        let (changes, _) = watch::channel(0);
        Ok(Tasks { view, store, changes })
    }

    /// Writes a new task down, with where its caller wants to be told of it.
    pub(super) async fn begin(&self, record: Record, push: Option<TaskPushNotificationConfig>) -> Result<(), A2AError> {
        if let Some(config) = push {
            self.set_push(config).await?;
        }
        self.append(Entry::Task(Box::new(record))).await
    }

    /// The task as it is now.
    pub(super) async fn find(&self, id: &str) -> Result<Record, A2AError> {
        let (first, again) = (id.to_owned(), id.to_owned());
        let found = self.view.find(move |index| record(index, &first)).await?;
        match found {
            // One that has ended never changes again, any other may have just now.
            Some(record) if record.task.status.state.is_terminal() => Ok(record),
            Some(_) => {
                self.view.catch_up().await?;
                let found = self.view.find(move |index| record(index, &again)).await?;
                found.ok_or_else(|| A2AError::task_not_found(id))
            }
            None => Err(A2AError::task_not_found(id)),
        }
    }

    /// Changes a task by what it is now; where `change` gives none it stays. Gives the task as it is then.
    pub(super) async fn change(
        &self,
        id: &str,
        change: impl Fn(&Record) -> Result<Option<Record>, A2AError> + Send + Sync + 'static,
    ) -> Result<Record, A2AError> {
        let id = id.to_owned();
        let decide = move |index: &Connection| {
            let known = record(index, &id).map_err(StoreError::from)?;
            let known = known.ok_or_else(|| A2AError::task_not_found(&id))?;
            Ok::<_, A2AError>(match change(&known)? {
                Some(next) => Decision::Append(Entry::Task(Box::new(next.clone())).json(), next),
                None => Decision::Leave(known),
            })
        };
        let record = self.view.append(decide).await?;
        self.changes.send_modify(|count| *count += 1);
        Ok(record)
    }

    /// Claims the right to work on a task for the so-many-eth time.
    pub(super) async fn claim(&self, id: &str, attempt: u32) -> Result<Claim, StoreError> {
        self.store.claim("a2a-attempt", &format!("{id}/{attempt}")).await
    }

    /// A page of the tasks of a context, those that changed last first.
    pub(super) async fn list(&self, request: &ListTasksRequest) -> Result<Page, A2AError> {
        let size = request.page_size.unwrap_or(USUAL_PAGE);
        if !(1..=PAGE).contains(&size) {
            return Err(bad_field("pageSize", format!("{size} is not from 1 to {PAGE}")));
        }
        let filter = Filter::of(request)?;
        self.view.catch_up().await?;
        let (total, mut records) = self
            .view
            .read(move |index| filter.select(index, size))
            .await?
            .map_err(StoreError::from)?;
        let more = records.len() > usize::try_from(size).unwrap_or_default();
        records.truncate(usize::try_from(size).unwrap_or_default());
        let last = records.last().filter(|_| more);
        Ok(Page {
            next: last.map(Cursor::text).unwrap_or_default(),
            tasks: records.into_iter().map(|record| record.task).collect(),
            size,
            total,
        })
    }

    /// The tasks that somebody began to work on before `since` and has not finished.
    pub(super) async fn unfinished(&self, since: Timestamp) -> Result<Vec<Record>, StoreError> {
        self.view.catch_up().await?;
        let select = move |index: &Connection| {
            let mut statement =
                index.prepare_cached("SELECT record FROM task WHERE state = ?1 AND changed_at < ?2 LIMIT 100")?;
            let rows = statement.query_map(params![name(&TaskState::Working), since.as_millisecond()], read_record)?;
            Ok(rows
                .collect::<rusqlite::Result<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect())
        };
        self.view.read(select).await?
    }

    /// Where callers want to be told of a task.
    pub(super) async fn pushes(&self, task_id: &str) -> Result<Vec<TaskPushNotificationConfig>, StoreError> {
        let task_id = task_id.to_owned();
        self.view.catch_up().await?;
        self.view.read(move |index| Ok(pushes(index, &task_id)?)).await?
    }

    /// Adds one, or puts it in the place of the one with its id.
    pub(super) async fn set_push(&self, config: TaskPushNotificationConfig) -> Result<(), A2AError> {
        self.append(Entry::Push(config)).await
    }

    /// Removes one, if it is there.
    pub(super) async fn remove_push(&self, task_id: String, id: String) -> Result<(), A2AError> {
        self.append(Entry::PushRemoved { task_id, id }).await
    }

    /// Counts the changes that this process makes, so that a stream need not wait for its next look.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Removes what is older than `age` from the store.
    pub(super) async fn forget(&self, age: Duration) -> Result<usize, StoreError> {
        self.view.forget(age).await
    }

    async fn append(&self, entry: Entry) -> Result<(), A2AError> {
        let entry = entry.json();
        self.view
            .append(move |_| Ok::<_, A2AError>(Decision::Append(entry.clone(), ())))
            .await?;
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }
}

impl Entry {
    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a task is JSON")
    }
}

/// What a list is of. Without a context there is nothing to see: nobody logs in, so nobody has tasks of his own but by knowing their context.
struct Filter {
    context_id: String,
    state: Option<String>,
    changed_after: i64,
    cursor: Cursor,
}

/// Where a page ended: the instant and the id of its last task.
struct Cursor {
    changed_at: i64,
    id: String,
}

impl Filter {
    fn of(request: &ListTasksRequest) -> Result<Filter, A2AError> {
        let token = request.page_token.as_deref().filter(|token| !token.is_empty());
        let cursor = token.map(Cursor::parse).transpose()?;
        Ok(Filter {
            context_id: request.context_id.clone().unwrap_or_default(),
            state: request
                .status
                .as_ref()
                .filter(|state| **state != TaskState::Unspecified)
                .map(name),
            changed_after: request
                .status_timestamp_after
                .map_or(i64::MIN, |after| after.timestamp_millis()),
            cursor: cursor.unwrap_or(Cursor {
                changed_at: i64::MAX,
                id: String::new(),
            }),
        })
    }

    /// How many there are, and one more than a page of them.
    fn select(&self, index: &Connection, size: i32) -> rusqlite::Result<(i32, Vec<Record>)> {
        const WHERE: &str = "context_id = ?1 AND (?2 IS NULL OR state = ?2) AND changed_at >= ?3";
        let counted = index
            .prepare_cached(&format!("SELECT count(*) FROM task WHERE {WHERE}"))?
            .query_row(params![self.context_id, self.state, self.changed_after], |row| {
                row.get(0)
            })?;
        let mut statement = index.prepare_cached(&format!(
            "SELECT record FROM task WHERE {WHERE} AND (changed_at, id) < (?4, ?5) ORDER BY changed_at DESC, id DESC LIMIT ?6"
        ))?;
        let rows = statement.query_map(
            params![
                self.context_id,
                self.state,
                self.changed_after,
                self.cursor.changed_at,
                self.cursor.id,
                size + 1
            ],
            read_record,
        )?;
        let records = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok((counted, records.into_iter().flatten().collect()))
    }
}

impl Cursor {
    fn parse(text: &str) -> Result<Cursor, A2AError> {
        let parts = text.split_once('~');
        let cursor = parts.and_then(|(changed_at, id)| {
            Some(Cursor {
                changed_at: changed_at.parse().ok()?,
                id: id.to_owned(),
            })
        });
        cursor.ok_or_else(|| bad_field("pageToken", "is none of ours: send nextPageToken as it was given"))
    }

    fn text(record: &Record) -> String {
        format!("{}~{}", record.changed_at(), record.task.id)
    }
}

fn apply(transaction: &Transaction<'_>, _: Position, entry: &[u8]) -> rusqlite::Result<()> {
    let Ok(entry) = serde_json::from_slice::<Entry>(entry) else {
        return Ok(());
    };
    match entry {
        Entry::Task(record) => transaction
            .prepare_cached("INSERT OR REPLACE INTO task VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                record.task.id,
                record.task.context_id,
                name(&record.task.status.state),
                record.changed_at(),
                text(&record),
            ]),
        Entry::Push(config) => transaction
            .prepare_cached("INSERT OR REPLACE INTO push VALUES (?1, ?2, ?3)")?
            .execute(params![config.task_id, config.id, text(&config)]),
        Entry::PushRemoved { task_id, id } => transaction
            .prepare_cached("DELETE FROM push WHERE task_id = ?1 AND id = ?2")?
            .execute([task_id, id]),
    }
    .map(drop)
}

fn record(index: &Connection, id: &str) -> rusqlite::Result<Option<Record>> {
    let mut statement = index.prepare_cached("SELECT record FROM task WHERE id = ?1")?;
    Ok(statement.query_row([id], read_record).optional()?.flatten())
}

fn pushes(index: &Connection, task_id: &str) -> rusqlite::Result<Vec<TaskPushNotificationConfig>> {
    let mut statement = index.prepare_cached("SELECT config FROM push WHERE task_id = ?1 ORDER BY id")?;
    let rows = statement.query_map([task_id], |row| row.get::<_, String>(0))?;
    let texts = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(texts
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect())
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<Option<Record>> {
    Ok(serde_json::from_str(&row.get::<_, String>(0)?).ok())
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what was read as JSON is JSON")
}

/// A state as A2A writes it.
fn name(state: &TaskState) -> String {
    let name = serde_json::to_value(state).expect("a state is a name");
    name.as_str().unwrap_or_default().to_owned()
}
