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
