//! A stream of bytes into lines that can be trusted: everything is checked as it goes by, the sum at the end.
//!
//! A row handed out is well formed; that the whole is what was once written is known only when [`Reader::finish`] says so.
//! Not here: whether a table or a column is known (`restore`).

use super::line::{RowLine, Tally};
use super::{FORMAT, Header, MAX_BYTES, MAX_COLUMNS, MAX_LINE, MAX_TABLES, Sum};
use crate::store::{StoreError, Value, check_limits};

/// Why a backup is not restored. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The first line is none of ours.
    #[error("this is not a backup")]
    NotABackup,
    /// Written in a form that came after this release: restore with a newer release.
    #[error("the backup has format {0}, which this release does not know")]
    Format(i64),
    /// Written by a newer release: restore with that one.
    #[error("the backup has schema {theirs}, this release has {ours}: deploy the newer release first")]
    Newer { theirs: i64, ours: i64 },
    /// It is a backup of something else.
    #[error("this is a backup of {0}")]
    OtherObject(String),
    /// A line cannot be read; lines count from 1.
    #[error("line {0} is broken")]
    Broken(u64),
    /// A limit of the platform or of ours is passed.
    #[error("line {0} is over a limit")]
    TooLarge(u64),
    /// The last line does not fit what came before it, or the list that names this backup.
    #[error("the checksum is wrong: the backup was altered")]
    Checksum,
    /// It ends before its last line.
    #[error("the backup is cut off")]
    Truncated,
    /// Something comes after the last line.
    #[error("something follows the end of the backup")]
    Trailing,
    /// It has a table or a column that this object has not.
    #[error("{0} is not known here")]
    Unknown(String),
    /// Storage has nothing under the key.
    #[error("the backup is not in storage")]
    Missing,
    /// Storage did not answer: try again.
    #[error("storage did not answer")]
    Lost,
    /// The compressed bytes cannot be unpacked.
    #[error("the backup cannot be unpacked: it was cut off or altered")]
    Packing,
    /// The rows do not fit together as this release wants them, or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a backup is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Header(Header),
    /// A row of the table at this place of the header, as wide as its columns.
    Row(usize, Vec<Value>),
}

/// What is expected to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    pub object: &'a str,
    /// The newest schema this release knows of it.
    pub schema: i64,
}

/// Reads a backup piece by piece.
pub struct Reader {
    object: String,
    schema: i64,
    /// Columns of each table, once the header is read.
    widths: Option<Vec<usize>>,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    tally: Tally,
    lines: u64,
    sum: Option<Sum>,
}

impl Reader {
    pub fn new(expected: &Expected<'_>) -> Reader {
        Reader {
            object: expected.object.to_owned(),
            schema: expected.schema,
            widths: None,
            rest: Vec::new(),
            tally: Tally::default(),
            lines: 0,
            sum: None,
        }
    }

    /// Takes the next bytes, cut anywhere, and hands out what they complete. After an error nothing more may be pushed.
    pub fn push(&mut self, mut bytes: &[u8], take: &mut dyn FnMut(Item) -> Result<(), Refused>) -> Result<(), Refused> {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if self.rest.is_empty() {
                self.line(line, take)?;
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.line(&whole, take)?;
            }
        }
        if self.rest.len() + bytes.len() > MAX_LINE {
            return Err(Refused::TooLarge(self.lines + 1));
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// The end of the bytes: what the backup amounts to, if all of it was right.
    pub fn finish(self) -> Result<Sum, Refused> {
        match self.sum {
            Some(_) if !self.rest.is_empty() => Err(Refused::Trailing),
            Some(sum) => Ok(sum),
            None => Err(Refused::Truncated),
        }
    }

    /// One line with its end.
    fn line(&mut self, line: &[u8], take: &mut dyn FnMut(Item) -> Result<(), Refused>) -> Result<(), Refused> {
        self.lines += 1;
        if self.sum.is_some() {
            return Err(Refused::Trailing);
        }
        if line.len() > MAX_LINE || self.tally.bytes + line.len() as u64 > MAX_BYTES {
            return Err(Refused::TooLarge(self.lines));
        }
        let Some(widths) = &self.widths else {
            let header = self.header(line)?;
            self.widths = Some(header.tables.iter().map(|table| table.columns.len()).collect());
            self.tally.add(line);
            return take(Item::Header(header));
        };
        if line.starts_with(b"{\"rows\":") {
            // There is one way to write the last line, so no bit of it can be another.
            let sum = self.tally.sum();
            let mut expected = serde_json::to_vec(&sum).map_err(|_| Refused::Checksum)?;
            expected.push(b'\n');
            self.sum = Some(sum);
            return if line == expected { Ok(()) } else { Err(Refused::Checksum) };
        }
        let row: RowLine = serde_json::from_slice(line).map_err(|_| Refused::Broken(self.lines))?;
        if widths.get(row.t) != Some(&row.r.len()) {
            return Err(Refused::Broken(self.lines));
        }
        self.tally.add(line);
        self.tally.rows += 1;
        let values: Vec<Value> = row.r.into_iter().map(|cell| cell.0).collect();
        check_limits(&values).map_err(|_| Refused::TooLarge(self.lines))?;
        take(Item::Row(row.t, values))
    }

    fn header(&self, line: &[u8]) -> Result<Header, Refused> {
        #[derive(serde::Deserialize)]
        struct Any {
            format: i64,
        }
        // A later form may have another header altogether, but it says which it is.
        let any: Any = serde_json::from_slice(line).map_err(|_| Refused::NotABackup)?;
        if any.format != FORMAT {
            return Err(Refused::Format(any.format));
        }
        let header: Header = serde_json::from_slice(line).map_err(|_| Refused::NotABackup)?;
        if header.object != self.object {
            return Err(Refused::OtherObject(header.object.chars().take(64).collect()));
        }
        if header.schema > self.schema {
            return Err(Refused::Newer { theirs: header.schema, ours: self.schema });
        }
        let within = header.tables.len() <= MAX_TABLES
            && header.tables.iter().all(|table| (1..=MAX_COLUMNS).contains(&table.columns.len()));
        if within { Ok(header) } else { Err(Refused::TooLarge(self.lines)) }
    }
}
