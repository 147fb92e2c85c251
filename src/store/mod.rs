//! The one door to SQLite: a synchronous port that a Durable Object and a native test both implement.
//!
//! Not here: any schema (see `migrations/`) and any query of a particular object (see `chat::`, `directory::`).
//! Calls made back to back with no `.await` between them become durable as one unit on the platform (Durable Objects,
//! "write coalescing"); callers rely on that. [`all_or_nothing`] adds that a statement which fails undoes the others.

mod lease;
mod migrate;
#[cfg(all(test, not(target_arch = "wasm32")))]
pub mod native;

pub use lease::{Lease, Leave};
pub use migrate::{Migration, migrate};

/// One SQLite value. Integers must stay within 53 bits: the platform hands them over as JavaScript numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// One result row, columns in the order of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The integer in column `index`; an error if it is missing or of another type.
    pub fn int(&self, index: usize) -> Result<i64, StoreError> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(StoreError::Shape { index }),
        }
    }

    /// The integer in column `index`, or `None` for NULL.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::Shape { index }),
        }
    }

    /// The text in column `index`; an error if it is missing or of another type.
    pub fn text(&self, index: usize) -> Result<&str, StoreError> {
        match self.0.get(index) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(StoreError::Shape { index }),
        }
    }

    /// The text in column `index`, or `None` for NULL.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(index) {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::Shape { index }),
        }
    }
}

/// What can go wrong in the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused or failed (disk full, constraint, syntax). The text is SQLite's own.
    #[error("sqlite: {0}")]
    Sql(String),
    /// A column was absent or of an unexpected type: the query and its reader disagree.
    #[error("column {index} is missing or of another type")]
    Shape { index: usize },
    /// A value is larger than the platform stores (2 MB a row, cloudflare.md §1.2). Nothing was written.
    #[error("value of {bytes} bytes is over the limit of {limit}")]
    TooLarge { bytes: usize, limit: usize },
}

/// Largest text we bind: the platform's row limit is 2 MB (cloudflare.md §1.2) and a row has other columns.
pub const MAX_TEXT: usize = 1_900_000;

/// Most parameters in one statement (cloudflare.md §1.2).
pub const MAX_PARAMS: usize = 100;

/// A SQLite database. One statement a call; results are complete when it returns.
pub trait Sql {
    /// Runs `statement` with `params` bound to `?1…`. Returns every row (empty for statements without results).
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs `work`; if it fails, none of its statements took effect. Not to be nested. See [`all_or_nothing`].
    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError>;
}

/// Runs `work` as one unit: all of its statements take effect, or none and its error is returned.
pub fn all_or_nothing<T>(sql: &impl Sql, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut work = Some(work);
    let mut value = None;
    sql.atomically(&mut || {
        if let Some(work) = work.take() {
            value = Some(work()?);
        }
        Ok(())
    })?;
    value.ok_or_else(|| StoreError::Sql("the store did not run the work".into()))
}

impl<T: Sql + ?Sized> Sql for &T {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        (**self).run(statement, params)
    }

    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        (**self).atomically(work)
    }
}

/// `value` as JSON, the form structs are stored in.
pub fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Sql(error.to_string()))
}

/// Checks `params` against the platform's limits, which local runs do not enforce.
pub fn check_limits(params: &[Value]) -> Result<(), StoreError> {
    for value in params {
        if let Value::Text(text) = value
            && text.len() > MAX_TEXT
        {
            return Err(StoreError::TooLarge { bytes: text.len(), limit: MAX_TEXT });
        }
    }
    if params.len() > MAX_PARAMS {
        return Err(StoreError::TooLarge { bytes: params.len(), limit: MAX_PARAMS });
    }
    Ok(())
}
