//! Brings an object's schema up to date at start: numbered files, applied in order, each once.
//!
//! The platform refuses `PRAGMA user_version` (cloudflare.md §1.2), so the version lives in a table of our own.
//! Migrations only add: the release before this one may run on the same object for minutes.

use super::{Sql, StoreError, Value};

/// One file of `migrations/<object>/`, embedded.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3 … as in the file's name.
    pub version: i64,
    /// SQL statements, each ending with `;` at the end of a line.
    pub sql: &'static str,
}

/// Applies every migration newer than the stored version. Runs without an await, so the platform commits all or nothing.
pub fn migrate(sql: &impl Sql, migrations: &[Migration]) -> Result<(), StoreError> {
    sql.run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)", &[])?;
    let current = match sql.run("SELECT max(version) FROM schema_version", &[])?.first() {
        Some(row) => row.opt_int(0)?.unwrap_or(0),
        None => 0,
    };
    for migration in migrations.iter().filter(|m| m.version > current) {
        for statement in statements(migration.sql) {
            sql.run(statement, &[])?;
        }
        sql.run("INSERT INTO schema_version (version) VALUES (?1)", &[Value::Int(migration.version)])?;
    }
    Ok(())
}

/// Statements of a migration file: each ends with `;` at the end of a line.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n").map(str::trim).filter(|statement| !statement.trim_end_matches(';').is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::store::native::Sqlite;

    const ONE: Migration =
        Migration { version: 1, sql: "-- first; of two\nCREATE TABLE a (x TEXT);\n\nCREATE TABLE b (x TEXT);\n" };
    const TWO: Migration = Migration { version: 2, sql: "INSERT INTO a VALUES ('once');\n" };

    #[test]
    fn each_migration_is_applied_once_and_in_order() {
        let sql = Sqlite::memory().unwrap();
        migrate(&sql, &[ONE]).unwrap();
        for _ in 0..2 {
            migrate(&sql, &[ONE, TWO]).unwrap();
        }
        assert_eq!(sql.run("SELECT count(*) FROM a", &[]).unwrap()[0].int(0), Ok(1));
    }

    #[test]
    fn an_older_release_leaves_a_newer_schema_alone() {
        let sql = Sqlite::memory().unwrap();
        migrate(&sql, &[ONE, TWO]).unwrap();
        migrate(&sql, &[ONE]).unwrap();
        assert_eq!(sql.run("SELECT max(version) FROM schema_version", &[]).unwrap()[0].int(0), Ok(2));
    }

    #[test]
    fn the_native_store_keeps_the_platforms_limits() {
        let sql = Sqlite::memory().unwrap();
        assert!(sql.run("SELECT ?1", &[Value::Int(1 << 53)]).is_err());
        let long = "x".repeat(crate::store::MAX_TEXT + 1);
        assert!(matches!(sql.run("SELECT ?1", &[long.into()]), Err(StoreError::TooLarge { .. })));
        assert_eq!(sql.run("SELECT ?1", &[Value::Int((1 << 53) - 1)]).unwrap()[0].int(0), Ok((1 << 53) - 1));
    }
}
