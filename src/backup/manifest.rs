//! The list of every object's latest backup: with it alone, and storage, everything can be put back.
//!
//! It has the form of a backup with one table, so it is written and checked by the same hands.

use serde::{Deserialize, Serialize};

use super::line::Writer;
use super::verify::{Expected, Item, Reader, Refused};
use super::{FORMAT, Header, Sum, TableHead, key};
use crate::store::{Row, StoreError, Value};

/// Form of the table below.
const SCHEMA: i64 = 1;
const TABLE: &str = "backup";
const COLUMNS: [&str; 6] = ["object", "key", "at", "bytes", "rows", "sha256"];

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Name of a session, or `directory`.
    pub object: String,
    /// Where it is in storage.
    pub key: String,
    /// When it was begun, Unix milliseconds.
    pub at: i64,
    /// Its length in storage.
    pub bytes: i64,
    pub rows: i64,
    /// See [`Sum::sha256`].
    pub sha256: String,
}

impl Entry {
    /// What the backup has to amount to.
    pub fn sum(&self) -> Sum {
        Sum { rows: u64::try_from(self.rows).unwrap_or(0), sha256: self.sha256.clone() }
    }

    /// Reads a row with these six columns in this order.
    pub fn read(row: &Row) -> Result<Entry, StoreError> {
        Ok(Entry {
            object: row.text(0)?.to_owned(),
            key: row.text(1)?.to_owned(),
            at: row.int(2)?,
            bytes: row.int(3)?,
            rows: row.int(4)?,
            sha256: row.text(5)?.to_owned(),
        })
    }
}

/// Writes a manifest, entry by entry.
pub struct ManifestWriter(Writer);

impl ManifestWriter {
    /// Begins one; its first line goes to `into`.
    pub fn begin(at: i64, into: &mut Vec<u8>) -> ManifestWriter {
        let columns = COLUMNS.map(str::to_owned).to_vec();
        let header = Header {
            format: FORMAT,
            object: key::MANIFEST.to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            schema: SCHEMA,
            at,
            tables: vec![TableHead { name: TABLE.to_owned(), columns }],
        };
        let mut writer = Writer::default();
        writer.header(&header, into);
        ManifestWriter(writer)
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: Entry, into: &mut Vec<u8>) {
        let Entry { object, key, at, bytes, rows, sha256 } = entry;
        self.0.row(0, &[object.into(), key.into(), at.into(), bytes.into(), rows.into(), sha256.into()], into);
    }

    /// Ends it.
    pub fn end(mut self, into: &mut Vec<u8>) -> Sum {
        self.0.trailer(into)
    }
}

/// Reads a manifest piece by piece.
pub struct ManifestReader {
    reader: Reader,
    at: i64,
}

impl Default for ManifestReader {
    fn default() -> Self {
        ManifestReader { reader: Reader::new(&Expected { object: key::MANIFEST, schema: SCHEMA }), at: 0 }
    }
}

impl ManifestReader {
    /// Takes the next bytes and hands out entries. They are to be acted on only after [`ManifestReader::finish`].
    pub fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(Entry) -> Result<(), StoreError>) -> Result<(), Refused> {
        let at = &mut self.at;
        self.reader.push(bytes, &mut |item| match item {
            Item::Header(header) => {
                let ours = header.tables.first().is_some_and(|table| table.name == TABLE && table.columns == COLUMNS);
                *at = header.at;
                if ours && header.tables.len() == 1 { Ok(()) } else { Err(Refused::NotABackup) }
            }
            Item::Row(_, values) => Ok(take(Entry::read(&Row(values))?)?),
        })
    }

    /// The end: when it was written and how many entries it has, if all of it was right.
    pub fn finish(self) -> Result<(i64, u64), Refused> {
        Ok((self.at, self.reader.finish()?.rows))
    }
}

/// A number of bytes or rows for the store.
pub fn count(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn entry(n: i64) -> Entry {
        let object = format!("main:{n}");
        Entry { key: key::of(&object, n), object, at: n, bytes: 10 * n, rows: n, sha256: format!("{n:064x}") }
    }

    fn written(entries: &[Entry]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = ManifestWriter::begin(7, &mut bytes);
        entries.iter().for_each(|entry| writer.add(entry.clone(), &mut bytes));
        writer.end(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(i64, Vec<Entry>), Refused> {
        let (mut reader, mut entries) = (ManifestReader::default(), Vec::new());
        reader.push(bytes, &mut |entry| {
            entries.push(entry);
            Ok(())
        })?;
        let (at, count) = reader.finish()?;
        assert_eq!(count as usize, entries.len());
        Ok((at, entries))
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let entries: Vec<Entry> = (1..4).map(entry).collect();
        let bytes = written(&entries);
        assert_eq!(read(&bytes), Ok((7, entries)));
        assert_eq!(read(&written(&[])), Ok((7, Vec::new())));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            assert!(read(&altered).is_err(), "altered at {place}");
        }
    }

    #[test]
    fn the_json_form_of_an_entry_is_pinned() {
        let json = serde_json::to_string(&Entry { sha256: "ab".into(), ..entry(5) }).unwrap();
        assert_eq!(
            json,
            r#"{"object":"main:5","key":"backups/1970-01-01/main.5-5.ndjson.gz","at":5,"bytes":50,"rows":5,"sha256":"ab"}"#
        );
    }
}
