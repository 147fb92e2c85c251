//! The lines of a backup and their JSON.
//!
//! ```text
//! {"format":1,"object":"main:5","release":"0.1.0","schema":4,"at":1795132800000,"tables":[{"name":"setting","columns":["key","value"]}]}
//! {"t":0,"r":["settings","{}"]}
//! {"rows":1,"sha256":"…of all bytes before this line"}
//! ```

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::store::Value;

/// The first line: what this is a backup of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`super::FORMAT`].
    pub format: i64,
    /// Name of a session, `directory` or `manifest`.
    pub object: String,
    /// Version of the release that wrote it, for people.
    pub release: String,
    /// The object's newest migration.
    pub schema: i64,
    /// Unix milliseconds.
    pub at: i64,
    /// In the order that rows count them.
    pub tables: Vec<TableHead>,
}

/// A table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    pub name: String,
    pub columns: Vec<String>,
}

/// What a whole backup amounts to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub rows: u64,
    /// Of every byte before the last line, in lower-case hexadecimal. It says all there is to say about the last line too.
    pub sha256: String,
}

/// A row.
#[derive(Debug, Deserialize)]
pub(super) struct RowLine {
    /// Place of its table in the header.
    pub t: usize,
    pub r: Vec<Cell>,
}

/// A value of the store as JSON: null, an integer, a string.
#[derive(Debug)]
pub(super) struct Cell(pub Value);

/// Integers beyond lose bits on the platform (JavaScript's `Number.MAX_SAFE_INTEGER`).
const MAX_INT: u64 = (1 << 53) - 1;

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        struct AnyValue;
        impl Visitor<'_> for AnyValue {
            type Value = Cell;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, an integer of 53 bits or a string")
            }
            fn visit_unit<E: Error>(self) -> Result<Cell, E> {
                Ok(Cell(Value::Null))
            }
            fn visit_i64<E: Error>(self, int: i64) -> Result<Cell, E> {
                if int.unsigned_abs() > MAX_INT { Err(E::custom("too large")) } else { Ok(Cell(Value::Int(int))) }
            }
            fn visit_u64<E: Error>(self, int: u64) -> Result<Cell, E> {
                i64::try_from(int).map_err(E::custom).and_then(|int| self.visit_i64(int))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell(Value::Text(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Cell, E> {
                Ok(Cell(Value::Text(text)))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

/// Counts and hashes what goes by.
#[derive(Clone, Default)]
pub(super) struct Tally {
    hash: Sha256,
    pub rows: u64,
    pub bytes: u64,
}

impl Tally {
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub fn sum(&self) -> Sum {
        let digest = self.hash.clone().finalize();
        let mut sha256 = String::with_capacity(64);
        for byte in digest {
            for half in [byte >> 4, byte & 15] {
                sha256.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
        }
        Sum { rows: self.rows, sha256 }
    }
}

/// Writes the lines of one backup.
#[derive(Default)]
pub(super) struct Writer {
    tally: Tally,
}

impl Writer {
    pub fn header(&mut self, header: &Header, into: &mut Vec<u8>) {
        self.line(into, |line| put(line, header));
    }

    /// A row of the table at place `table` of the header.
    pub fn row(&mut self, table: usize, values: &[Value], into: &mut Vec<u8>) {
        self.tally.rows += 1;
        self.line(into, |line| {
            line.extend_from_slice(b"{\"t\":");
            put(line, &table);
            line.extend_from_slice(b",\"r\":[");
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                match value {
                    Value::Null => line.extend_from_slice(b"null"),
                    Value::Int(int) => put(line, int),
                    Value::Text(text) => put(line, text),
                }
            }
            line.extend_from_slice(b"]}");
        });
    }

    /// The last line.
    pub fn trailer(&mut self, into: &mut Vec<u8>) -> Sum {
        let sum = self.tally.sum();
        put(into, &sum);
        into.push(b'\n');
        sum
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.tally.bytes
    }

    fn line(&mut self, into: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = into.len();
        write(into);
        into.push(b'\n');
        self.tally.add(into.get(start..).unwrap_or_default());
    }
}

/// Numbers, strings and plain structs of them always have a JSON, and memory never refuses a write.
fn put<T: Serialize + ?Sized>(into: &mut Vec<u8>, value: &T) {
    let _ = serde_json::to_writer(into, value);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_pinned() {
        let mut out = Vec::new();
        let mut writer = Writer::default();
        let header = Header {
            format: 1,
            object: "main:5".into(),
            release: "0.1.0".into(),
            schema: 4,
            at: 1_795_132_800_000,
            tables: vec![TableHead { name: "setting".into(), columns: vec!["key".into(), "value".into()] }],
        };
        writer.header(&header, &mut out);
        writer.row(0, &[Value::Text("a\n\"\u{0}".into()), Value::Null], &mut out);
        writer.row(0, &[Value::Int(-7), Value::Text("й".into())], &mut out);
        writer.trailer(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"format":1,"object":"main:5","release":"0.1.0","schema":4,"at":1795132800000,"tables":[{"name":"setting","columns":["key","value"]}]}
{"t":0,"r":["a\n\"\u0000",null]}
{"t":0,"r":[-7,"й"]}
{"rows":2,"sha256":"04c1f2d7c0ff707fd3434e5dd4ff08f8e9213085388723f6268fda3f0e2b7dfe"}
"#
        );
    }

    #[test]
    fn only_values_of_the_store_are_cells() {
        for good in ["null", "1", "-9007199254740991", "\"x\""] {
            assert!(serde_json::from_str::<Cell>(good).is_ok(), "{good}");
        }
        for bad in ["1.0", "1e3", "true", "[]", "{}", "9007199254740992", "-9007199254740992", "18446744073709551615"] {
            assert!(serde_json::from_str::<Cell>(bad).is_err(), "{bad}");
        }
    }
}
