//! A backup into an object: rows wait in tables of their own until the last byte is checked, then everything changes at once.
//!
//! Until [`Restore::swap`] the object goes on as if nothing happened, and may be asked and written to between two pieces.
//! A restore that is dropped before leaves nothing behind; one whose process was killed leaves its waiting tables, which
//! the next one removes.

use super::dump::columns;
use super::verify::{Expected, Item, Reader, Refused};
use super::{Header, Keep, Sum, Table};
use crate::store::{MAX_PARAMS, Sql, StoreError, Value, all_or_nothing};

/// Where the rows of `table` wait.
pub fn waiting(table: &str) -> String {
    format!("restore_{table}")
}

/// Adds rows of `table` as they are now to those that wait: the ones for which `condition` holds, in the order of `order`.
/// Columns in `without` get what a new row gets. For the `merge` of [`Restore::swap`].
pub fn carry_over(
    sql: &impl Sql,
    table: &str,
    without: &[&str],
    condition: &str,
    order: &str,
) -> Result<(), StoreError> {
    let (mut names, _) = columns(sql, table)?;
    names.retain(|name| !without.contains(&name.as_str()));
    let (into, list) = (waiting(table), names.join(", "));
    sql.run(
        &format!("INSERT INTO {into} ({list}) SELECT {list} FROM {table} WHERE {condition} ORDER BY {order}"),
        &[],
    )?;
    Ok(())
}

/// A table whose rows are to be replaced.
struct Staged {
    table: Table,
    columns: Vec<String>,
}

/// A table of the backup.
struct Target {
    /// The beginning of the statement that adds rows; `None`: known, but not restored.
    insert: Option<String>,
    width: usize,
    /// Rows read and not yet written, one after the other.
    batch: Vec<Value>,
}

/// Where the rows go once the header is read.
struct Staging<'a, S: Sql> {
    sql: &'a S,
    staged: Vec<Staged>,
    targets: Vec<Target>,
}

/// A restore under way.
pub struct Restore<'a, S: Sql> {
    sql: &'a S,
    tables: &'static [Table],
    reader: Reader,
    staging: Option<Staging<'a, S>>,
}

impl<'a, S: Sql> Restore<'a, S> {
    /// `tables` of the object that `sql` is the store of.
    pub fn new(sql: &'a S, tables: &'static [Table], expected: &Expected<'_>) -> Self {
        Restore { sql, tables, reader: Reader::new(expected), staging: None }
    }

    /// Takes the next bytes. After an error the restore is over.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let (sql, tables, staging) = (self.sql, self.tables, &mut self.staging);
        self.reader.push(bytes, &mut |item| match (item, &mut *staging) {
            (Item::Header(header), _) => {
                *staging = Some(Staging::open(sql, tables, &header)?);
                Ok(())
            }
            (Item::Row(table, values), Some(staging)) => Ok(staging.add(table, values)?),
            // The reader gives the header first.
            (Item::Row(..), None) => Err(Refused::NotABackup),
        })
    }

    /// Every byte was pushed: checks the sum, `expected` too, and puts the rows in place, all or none. In the same
    /// stretch `merge` runs before, to take over into the waiting tables what must not be lost, and `settle` after.
    pub fn swap(
        self,
        expected: &Sum,
        merge: impl FnOnce() -> Result<(), StoreError>,
        settle: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Sum, Refused> {
        let sum = self.reader.finish()?;
        if sum != *expected {
            return Err(Refused::Checksum);
        }
        let Some(mut staging) = self.staging else { return Err(Refused::Truncated) };
        staging.flush_all()?;
        all_or_nothing(self.sql, || {
            merge()?;
            for staged in &staging.staged {
                staged.replace(self.sql)?;
            }
            settle()
        })?;
        Ok(sum)
    }
}

impl<'a, S: Sql> Staging<'a, S> {
    fn open(sql: &'a S, tables: &'static [Table], header: &Header) -> Result<Self, Refused> {
        let mut staging = Staging { sql, staged: Vec::new(), targets: Vec::new() };
        for head in &header.tables {
            let known = tables.iter().find(|table| table.name == head.name);
            let Some(table) = known else { return Err(Refused::Unknown(head.name.chars().take(64).collect())) };
            let twice = header.tables.iter().filter(|other| other.name == head.name).count() > 1;
            let ours = columns(sql, table.name)?.0;
            let mut seen: Vec<&str> = Vec::new();
            for column in &head.columns {
                if twice || !ours.contains(column) || seen.contains(&column.as_str()) {
                    let name = format!("{}.{column}", head.name);
                    return Err(Refused::Unknown(name.chars().take(128).collect()));
                }
                seen.push(column);
            }
            let wanted = table.keep != Keep::Nothing;
            let target = Target {
                insert: wanted.then(|| insert_into(table.name, &head.columns)),
                width: head.columns.len(),
                batch: Vec::new(),
            };
            staging.targets.push(target);
        }
        // A table that an older release had not stays empty.
        tables.iter().filter(|table| table.keep != Keep::Nothing).try_for_each(|table| staging.make(*table))?;
        Ok(staging)
    }

    /// Columns without a type keep every value as it is; those that the backup does not have get their defaults.
    fn make(&mut self, table: Table) -> Result<(), StoreError> {
        let name = waiting(table.name);
        self.sql.run(&format!("DROP TABLE IF EXISTS {name}"), &[])?;
        let (mut columns, mut list) = (Vec::new(), Vec::new());
        for row in self.sql.run(&format!("PRAGMA table_info({})", table.name), &[])? {
            let column = row.text(1)?;
            list.push(row.opt_text(4)?.map_or(column.to_owned(), |default| format!("{column} DEFAULT {default}")));
            columns.push(column.to_owned());
        }
        self.sql.run(&format!("CREATE TABLE {name} ({})", list.join(", ")), &[])?;
        self.staged.push(Staged { table, columns });
        Ok(())
    }

    fn add(&mut self, table: usize, values: Vec<Value>) -> Result<(), StoreError> {
        let Some(target) = self.targets.get_mut(table) else { return Err(StoreError::Shape { index: table }) };
        if target.insert.is_none() {
            return Ok(());
        }
        target.batch.extend(values);
        let large =
            target.batch.iter().map(|value| if let Value::Text(text) = value { text.len() } else { 8 }).sum::<usize>();
        // A statement takes so many parameters, and a full one is not to be large.
        if target.batch.len() + target.width > MAX_PARAMS || large > 256 * 1024 {
            target.flush(self.sql)
        } else {
            Ok(())
        }
    }

    fn flush_all(&mut self) -> Result<(), StoreError> {
        let sql = self.sql;
        self.targets.iter_mut().try_for_each(|target| target.flush(sql))
    }
}

impl<S: Sql> Drop for Staging<'_, S> {
    fn drop(&mut self) {
        for staged in &self.staged {
            // Whoever comes next removes what is left.
            let _ = self.sql.run(&format!("DROP TABLE IF EXISTS {}", waiting(staged.table.name)), &[]);
        }
    }
}

impl Target {
    fn flush(&mut self, sql: &impl Sql) -> Result<(), StoreError> {
        let Some(insert) = &self.insert else { return Ok(()) };
        if self.batch.is_empty() {
            return Ok(());
        }
        let rows: Vec<String> = (0..self.batch.len() / self.width.max(1))
            .map(|row| {
                let marks: Vec<String> = (1..=self.width).map(|n| format!("?{}", row * self.width + n)).collect();
                format!("({})", marks.join(", "))
            })
            .collect();
        sql.run(&format!("{insert} VALUES {}", rows.join(", ")), &self.batch)?;
        self.batch.clear();
        Ok(())
    }
}

impl Staged {
    fn replace(&self, sql: &impl Sql) -> Result<(), StoreError> {
        let Some(condition) = self.table.condition() else { return Ok(()) };
        let (name, staging, columns) = (self.table.name, waiting(self.table.name), self.columns.join(", "));
        sql.run(&format!("DELETE FROM {name} WHERE {condition}"), &[])?;
        sql.run(&format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {staging} ORDER BY rowid"), &[])?;
        Ok(())
    }
}

/// The beginning of a statement that adds waiting rows.
fn insert_into(table: &str, columns: &[String]) -> String {
    format!("INSERT INTO {} ({})", waiting(table), columns.join(", "))
}
