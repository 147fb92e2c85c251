//! Rows of an object into the lines of a backup, a piece at a time.
//!
//! Others may write between two pieces. What was read then would be of two moments, so the dump ends with
//! [`DumpError::Changed`] and the caller begins anew. A conversation of usual size is one piece.
//! Row by row of the primary key, so that a page costs what it has and not what lies before it.

use super::line::Writer;
use super::{FORMAT, Header, MAX_BYTES, MAX_LINE, Sum, Table, TableHead};
use crate::store::{Row, Sql, StoreError, Value};

/// About so many bytes are read and handed on at a time.
const PIECE: usize = 512 * 1024;
/// Most rows of a page.
const PAGE_ROWS: usize = 256;

/// Why a dump ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DumpError {
    /// The store failed or holds what a backup cannot.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody wrote meanwhile: begin anew.
    #[error("the object changed while it was read")]
    Changed,
    /// Storage did not take it. Nothing is stored under the key.
    #[error("storage did not take the backup")]
    Lost,
    /// Over [`MAX_BYTES`], or a row over [`MAX_LINE`].
    #[error("the object is too large for a backup")]
    TooLarge,
}

/// A table being read.
struct Source {
    columns: Vec<String>,
    /// Places of the primary key's columns.
    key: Vec<usize>,
    /// How many rows come next, and the rows. `?1…` are the key after which, the last one is the limit.
    first: Page,
    next: Page,
}

struct Page {
    sizes: String,
    rows: String,
}

/// A backup being taken.
pub struct Dump<'a, S> {
    sql: &'a S,
    header: Header,
    sources: Vec<Source>,
    /// Place of the table being read, and the key of the last row read of it.
    at: usize,
    after: Option<Vec<Value>>,
    writer: Writer,
    /// Changes of the store when the first piece was read.
    mark: Option<i64>,
    sum: Option<Sum>,
}

impl<'a, S: Sql> Dump<'a, S> {
    /// Begins a backup of `object`. `schema`: its newest migration.
    pub fn begin(sql: &'a S, tables: &[Table], object: &str, schema: i64, at: i64) -> Result<Self, DumpError> {
        let mut heads = Vec::new();
        let mut sources = Vec::new();
        for table in tables {
            let Some(condition) = table.condition() else { continue };
            let source = source(sql, table.name, condition)?;
            heads.push(TableHead { name: table.name.to_owned(), columns: source.columns.clone() });
            sources.push(source);
        }
        let release = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { format: FORMAT, object: object.to_owned(), release, schema, at, tables: heads };
        Ok(Dump { sql, header, sources, at: 0, after: None, writer: Writer::default(), mark: None, sum: None })
    }

    /// The next piece, `None` after the last. A piece is all of one moment.
    pub fn piece(&mut self) -> Result<Option<Vec<u8>>, DumpError> {
        if self.sum.is_some() {
            return Ok(None);
        }
        let mut piece = Vec::new();
        let changes = changes(self.sql)?;
        match self.mark {
            None => {
                self.mark = Some(changes);
                self.writer.header(&self.header, &mut piece);
            }
            Some(mark) if mark != changes => return Err(DumpError::Changed),
            Some(_) => {}
        }
        while piece.len() < PIECE {
            let Some(source) = self.sources.get(self.at) else {
                self.sum = Some(self.writer.trailer(&mut piece));
                break;
            };
            let rows = page(self.sql, source, self.after.as_deref())?;
            let Some(last) = rows.last() else {
                self.at += 1;
                self.after = None;
                continue;
            };
            self.after = Some(source.key.iter().filter_map(|&place| last.0.get(place).cloned()).collect());
            for row in &rows {
                let before = piece.len();
                self.writer.row(self.at, &row.0, &mut piece);
                if piece.len() - before > MAX_LINE || self.writer.bytes() > MAX_BYTES {
                    return Err(DumpError::TooLarge);
                }
            }
        }
        Ok(Some(piece))
    }

    /// What it amounts to, once [`Dump::piece`] has given the last piece.
    pub fn sum(&self) -> Option<&Sum> {
        self.sum.as_ref()
    }
}

/// Rows changed over this connection so far.
fn changes(sql: &impl Sql) -> Result<i64, StoreError> {
    sql.run("SELECT total_changes()", &[])?.first().map_or(Err(StoreError::Shape { index: 0 }), |row| row.int(0))
}

/// The columns of a table, and the places of those of its primary key, in the key's order.
pub(super) fn columns(sql: &impl Sql, table: &str) -> Result<(Vec<String>, Vec<usize>), StoreError> {
    let rows = sql.run(&format!("PRAGMA table_info({table})"), &[])?;
    let mut names = Vec::new();
    let mut key = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        names.push(row.text(1)?.to_owned());
        if row.int(5)? > 0 {
            key.push((row.int(5)?, place));
        }
    }
    key.sort_unstable();
    Ok((names, key.into_iter().map(|(_, place)| place).collect()))
}

fn source(sql: &impl Sql, table: &str, condition: &str) -> Result<Source, StoreError> {
    let (columns, key) = columns(sql, table)?;
    if key.is_empty() {
        return Err(StoreError::Sql(format!("{table} has no primary key, or is not there")));
    }
    let names: Vec<&str> = key.iter().filter_map(|&place| columns.get(place).map(String::as_str)).collect();
    let list = names.join(", ");
    let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
    let sizes: Vec<String> = columns.iter().map(|name| format!("coalesce(octet_length({name}), 0)")).collect();
    let page = |filter: &str, limit: usize| Page {
        sizes: format!("SELECT {} FROM {table} WHERE {filter} ORDER BY {list} LIMIT ?{limit}", sizes.join(" + ")),
        rows: format!("SELECT {} FROM {table} WHERE {filter} ORDER BY {list} LIMIT ?{limit}", columns.join(", ")),
    };
    let first = page(&format!("({condition})"), 1);
    let next = page(&format!("({condition}) AND ({list}) > ({})", marks.join(", ")), names.len() + 1);
    Ok(Source { columns, key, first, next })
}

/// The rows after `after`, as many as make about a piece: their sizes are looked at first, because a row may have 2 MB.
fn page(sql: &impl Sql, source: &Source, after: Option<&[Value]>) -> Result<Vec<Row>, StoreError> {
    let (page, key) = match after {
        Some(key) => (&source.next, key),
        None => (&source.first, [].as_slice()),
    };
    let with_limit = |limit: usize| {
        let mut params = key.to_vec();
        params.push(Value::Int(i64::try_from(limit).unwrap_or(1)));
        params
    };
    let sizes = sql.run(&page.sizes, &with_limit(PAGE_ROWS))?;
    let (mut total, mut rows) = (0, 0);
    for size in &sizes {
        total += usize::try_from(size.int(0)?).unwrap_or(0);
        if total > PIECE && rows > 0 {
            break;
        }
        rows += 1;
    }
    if rows == 0 { Ok(Vec::new()) } else { sql.run(&page.rows, &with_limit(rows)) }
}
