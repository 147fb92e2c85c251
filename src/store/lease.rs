//! A store that can be taken away from whoever holds it.
//!
//! When the rows of an object are replaced, tasks may still be running that remember the old ones. They lose the store
//! in that very moment, as they would lose it with their process; what they left under way is found by whoever comes next.

use std::cell::Cell;
use std::rc::Rc;

use super::{Row, Sql, StoreError, Value};

/// A store, as long as its [`Leave`] is not taken back.
#[derive(Debug)]
pub struct Lease<S> {
    sql: S,
    leave: Leave,
}

/// The other end of a [`Lease`].
#[derive(Debug, Clone, Default)]
pub struct Leave {
    taken_back: Rc<Cell<bool>>,
}

impl<S> Lease<S> {
    /// Lends `sql`.
    pub fn new(sql: S) -> (Lease<S>, Leave) {
        let leave = Leave::default();
        (Lease { sql, leave: leave.clone() }, leave)
    }
}

impl Leave {
    /// From now on every statement fails.
    pub fn take_back(&self) {
        self.taken_back.set(true);
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.taken_back.get() { Err(StoreError::Sql("the rows were replaced meanwhile".into())) } else { Ok(()) }
    }
}

impl<S: Sql> Sql for Lease<S> {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.leave.check()?;
        self.sql.run(statement, params)
    }

    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.leave.check()?;
        self.sql.atomically(work)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::native::Sqlite;

    #[test]
    fn a_store_taken_back_answers_nobody() {
        let (sql, leave) = Lease::new(Sqlite::memory().unwrap());
        sql.run("CREATE TABLE a (x)", &[]).unwrap();
        leave.take_back();
        assert!(sql.run("INSERT INTO a VALUES (1)", &[]).is_err());
        assert!(sql.atomically(&mut || Ok(())).is_err());
        assert!(sql.sql.run("SELECT x FROM a", &[]).unwrap().is_empty());
    }
}
