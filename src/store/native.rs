//! The store port over a real SQLite file or memory, for native tests. Never part of a release: `rusqlite` is a dev-dependency.
//!
//! Enforces the platform's limits ([`super::check_limits`] and 53-bit integers), which SQLite itself does not.
//! An integration test includes this file beside the port's names:
//!
//! ```text
//! use tideclaw::store::*;
//! #[path = "../src/store/native.rs"]
//! #[allow(dead_code)]
//! mod native;
//! ```

use super::{Row, Sql, StoreError, Value, check_limits};
use rusqlite::types::{ToSqlOutput, ValueRef};

/// Integers beyond this lose bits on the platform (JavaScript's `Number.MAX_SAFE_INTEGER`).
const MAX_INT: i64 = (1 << 53) - 1;

/// A SQLite database in this process.
pub struct Sqlite(rusqlite::Connection);

impl Sqlite {
    /// An empty database in memory.
    pub fn memory() -> Result<Self, StoreError> {
        rusqlite::Connection::open_in_memory().map(Self).map_err(failed)
    }

    /// A database file, made when absent. For tests that close and reopen.
    pub fn open(path: &std::path::Path) -> Result<Self, StoreError> {
        rusqlite::Connection::open(path).map(Self).map_err(failed)
    }
}

impl Sql for Sqlite {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        check_limits(params)?;
        if let Some(Value::Int(int)) = params.iter().find(|v| matches!(v, Value::Int(i) if i.abs() > MAX_INT)) {
            return Err(StoreError::Sql(format!("{int} does not fit 53 bits")));
        }
        let mut prepared = self.0.prepare_cached(statement).map_err(failed)?;
        let columns = prepared.column_count();
        let mut rows = prepared.query(rusqlite::params_from_iter(params.iter().map(bind))).map_err(failed)?;
        let mut result = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let values = (0..columns).map(|index| read(row.get_ref(index).map_err(failed)?));
            result.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(result)
    }

    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.execute_batch("BEGIN").map_err(failed)?;
        let done = work();
        self.0.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(failed)?;
        done
    }
}

fn bind(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Int(int) => ValueRef::Integer(*int),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
    })
}

fn read(value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(int) => Ok(Value::Int(int)),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(Value::from).map_err(|_| StoreError::Sql("text is not UTF-8".into()))
        }
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(StoreError::Sql("the port has no REAL or BLOB".into())),
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Sql(error.to_string())
}
