//! The rows of the hub: what is known of each relay beyond its sockets. Written only when something changed.
//!
//! A cache: without it relays still connect, and tell all of it again. So no failure of the store ends anything here.

use worker::console_error;

use crate::relay::State;
use crate::relay::hub::{Known, Note};
use crate::store::{Migration, Row, Sql, StoreError, migrate};

/// Schema of the RelayHub object.
const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, sql: include_str!("../../../migrations/relay/0001_init.sql") }];

/// A relay that was not there for so long is forgotten, ms.
const FORGET_MS: i64 = 30 * 86_400_000;
/// Most relays remembered.
const MOST: i64 = 100;

pub struct Rows<S> {
    sql: S,
}

impl<S: Sql> Rows<S> {
    pub fn open(sql: S) -> Rows<S> {
        if let Err(error) = migrate(&sql, MIGRATIONS) {
            console_error!("the hub's store: {error}");
        }
        Rows { sql }
    }

    /// All relays that are not forgotten; none if the store fails.
    pub fn all(&self, now: i64) -> Vec<Known> {
        self.read(now).unwrap_or_else(|error| {
            console_error!("the hub's store: {error}");
            Vec::new()
        })
    }

    fn read(&self, now: i64) -> Result<Vec<Known>, StoreError> {
        let rows = self.sql.run(
            "SELECT name, connected, since, software, state, calls, failed FROM relay
             WHERE connected OR since > ?1 ORDER BY name LIMIT ?2",
            &[(now - FORGET_MS).into(), MOST.into()],
        )?;
        rows.iter().map(known).collect()
    }

    pub fn note(&self, note: &Note) {
        if let Err(error) = self.write(note) {
            console_error!("the hub's store: {error}");
        }
    }

    fn write(&self, note: &Note) -> Result<(), StoreError> {
        let run = |statement: &str, params: &[_]| self.sql.run(statement, params).map(drop);
        match note {
            Note::Connected { name, since, software, state } => {
                run(
                    "INSERT INTO relay (name, connected, since, software, state) VALUES (?1, 1, ?2, ?3, ?4)
                     ON CONFLICT (name) DO UPDATE SET connected = 1, since = ?2, software = ?3, state = ?4",
                    &[name.as_str().into(), (*since).into(), software.as_str().into(), json(state).into()],
                )?;
                run(
                    "DELETE FROM relay WHERE NOT connected AND (since < ?1 OR name NOT IN
                     (SELECT name FROM relay ORDER BY connected DESC, since DESC LIMIT ?2))",
                    &[(since - FORGET_MS).into(), MOST.into()],
                )
            }
            Note::Changed { name, state } => {
                run("UPDATE relay SET state = ?2 WHERE name = ?1", &[name.as_str().into(), json(state).into()])
            }
            Note::Left { name, at } => {
                run("UPDATE relay SET connected = 0, since = ?2 WHERE name = ?1", &[name.as_str().into(), (*at).into()])
            }
            Note::Ended { name, well } => run(
                "UPDATE relay SET calls = calls + ?2, failed = failed + ?3 WHERE name = ?1",
                &[name.as_str().into(), (*well).into(), (!well).into()],
            ),
        }
    }
}

fn known(row: &Row) -> Result<Known, StoreError> {
    Ok(Known {
        name: row.text(0)?.to_owned(),
        connected: row.int(1)? != 0,
        since: row.int(2)?,
        software: row.text(3)?.to_owned(),
        // Of another release: the relay tells it again when it connects.
        state: serde_json::from_slice::<State>(row.text(4)?.as_bytes()).unwrap_or_default(),
        calls: row.int(5)?,
        failed: row.int(6)?,
    })
}

fn json(state: &State) -> String {
    serde_json::to_string(state).unwrap_or_default()
}
