//! Dump, check and restore over a real SQLite: what went in comes out, and nothing else ever does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::verify::Expected;
use super::*;
use crate::store::native::Sqlite;
use crate::store::{Sql, StoreError, Value};
use proptest::prelude::*;
use std::cell::Cell;

const SCHEMA: &[&str] = &[
    "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, size INTEGER)",
    "CREATE TABLE pair (a TEXT NOT NULL, b INTEGER NOT NULL, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT)",
    "CREATE TABLE moment (id INTEGER PRIMARY KEY)",
];
const TABLES: &[Table] = &[
    Table { name: "note", keep: Keep::Rows },
    Table { name: "pair", keep: Keep::Rows },
    Table { name: "setting", keep: Keep::Where("key <> 'secret'") },
    Table { name: "log", keep: Keep::Rows },
    Table { name: "moment", keep: Keep::Nothing },
];
const EXPECTED: Expected<'static> = Expected { object: "main:5", schema: 3 };

fn empty() -> Sqlite {
    let sql = Sqlite::memory().unwrap();
    SCHEMA.iter().for_each(|statement| drop(sql.run(statement, &[]).unwrap()));
    sql
}

fn dump(sql: &Sqlite) -> (Vec<u8>, Sum) {
    let mut dump = Dump::begin(sql, TABLES, "main:5", 3, 7).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = dump.piece().unwrap() {
        bytes.extend(piece);
    }
    (bytes, dump.sum().unwrap().clone())
}

fn restore(sql: &Sqlite, bytes: &[u8], sum: &Sum, chunk: usize) -> Result<Sum, Refused> {
    let mut restore = Restore::new(sql, TABLES, &EXPECTED);
    for piece in bytes.chunks(chunk) {
        restore.push(piece)?;
    }
    restore.swap(sum, || Ok(()), || Ok(()))
}

/// Everything in a store, by the name of the table.
fn everything(sql: &Sqlite) -> Vec<(String, Vec<crate::store::Row>)> {
    let names = sql.run("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[]).unwrap();
    let names = names.iter().map(|row| row.text(0).unwrap().to_owned());
    names
        .map(|name| (name.clone(), sql.run(&format!("SELECT * FROM {name} ORDER BY 1, 2"), &[]).unwrap_or_default()))
        .collect()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-(1i64 << 53) + 1..1 << 53).prop_map(Value::Int),
        "\\PC{0,20}".prop_map(Value::Text),
        any::<String>().prop_map(Value::Text),
    ]
}

fn filled(notes: &[(Value, i64)], pairs: &[(String, i64)]) -> Sqlite {
    let sql = empty();
    for (body, size) in notes {
        sql.run("INSERT INTO note (body, size) VALUES (?1, ?2)", &[body.clone(), Value::Int(*size)]).unwrap();
    }
    for (a, b) in pairs {
        sql.run("INSERT OR IGNORE INTO pair VALUES (?1, ?2, ?1)", &[a.as_str().into(), (*b).into()]).unwrap();
    }
    for (key, value) in [("secret", "s3cret"), ("open", "o")] {
        sql.run("INSERT INTO setting VALUES (?1, ?2)", &[key.into(), value.into()]).unwrap();
    }
    sql.run("INSERT INTO log (what) VALUES ('a'), ('b')", &[]).unwrap();
    sql.run("INSERT INTO moment VALUES (1)", &[]).unwrap();
    sql
}

fn plain() -> Sqlite {
    filled(
        &[("привет\n".into(), 1), (Value::Null, 2), ("x".repeat(40).into(), -3)],
        &[("a".into(), 1), ("b:-".into(), 2)],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_was_dumped_is_restored(
        notes in proptest::collection::vec((value(), -(1i64 << 40)..1 << 40), 0..60),
        pairs in proptest::collection::vec(("[a-zé:]{0,6}", -9..9i64), 0..40),
        chunk in 1..5_000usize,
    ) {
        let from = filled(&notes, &pairs);
        let (bytes, sum) = dump(&from);
        let into = filled(&[("other".into(), 0)], &[]);
        restore(&into, &bytes, &sum, chunk).unwrap();
        prop_assert_eq!(everything(&into), everything(&from));
        prop_assert_eq!(dump(&into).0, bytes);
    }
}

#[test]
fn an_empty_object_is_a_backup_too() {
    let (bytes, sum) = dump(&empty());
    let into = plain();
    restore(&into, &bytes, &sum, 10).unwrap();
    assert_eq!(into.run("SELECT count(*) FROM note", &[]).unwrap()[0].int(0), Ok(0));
}

#[test]
fn every_truncation_and_every_altered_byte_is_refused_and_nothing_is_changed() {
    let (bytes, sum) = dump(&plain());
    let into = filled(&[("stays".into(), 0)], &[("stays".into(), 0)]);
    let before = everything(&into);
    for cut in 0..bytes.len() {
        assert!(restore(&into, &bytes[..cut], &sum, 64).is_err(), "cut at {cut}");
    }
    assert_eq!(restore(&into, &bytes[..bytes.len() - 1], &sum, 64), Err(Refused::Truncated));
    for place in 0..bytes.len() {
        for bit in [1, 4, 32, 128] {
            let mut altered = bytes.clone();
            altered[place] ^= bit;
            assert!(restore(&into, &altered, &sum, 64).is_err(), "bit {bit} at {place}");
        }
    }
    for more in ["\n", " ", "{\"t\":0,\"r\":[9,null,9]}\n"] {
        let longer = [bytes.as_slice(), more.as_bytes()].concat();
        assert_eq!(restore(&into, &longer, &sum, 64), Err(Refused::Trailing));
    }
    assert_eq!(everything(&into), before);
}

#[test]
fn a_whole_backup_that_is_not_the_one_on_the_list_is_refused() {
    let (bytes, sum) = dump(&plain());
    let into = empty();
    let other = Sum { rows: sum.rows, sha256: "0".repeat(64) };
    assert_eq!(restore(&into, &bytes, &other, 64), Err(Refused::Checksum));
    assert_eq!(everything(&into), everything(&empty()));
}

/// A backup with these lines, the last one made to fit.
fn made(lines: &[&str]) -> (Vec<u8>, Sum) {
    let mut tally = line::Tally::default();
    let mut bytes = Vec::new();
    for text in lines {
        bytes.extend_from_slice(format!("{text}\n").as_bytes());
    }
    tally.add(&bytes);
    tally.rows = lines.len() as u64 - 1;
    let sum = tally.sum();
    bytes.extend_from_slice(serde_json::to_string(&sum).unwrap().as_bytes());
    bytes.push(b'\n');
    (bytes, sum)
}

fn header(edit: &str) -> String {
    let header = r#"{"format":1,"object":"main:5","release":"9","schema":3,"at":7,"tables":[{"name":"log","columns":["id","what"]}]}"#;
    let (from, to) = edit.split_once("=>").unwrap_or(("", ""));
    assert!(header.contains(from));
    if from.is_empty() { header.to_owned() } else { header.replacen(from, to, 1) }
}

#[test]
fn what_this_release_does_not_know_is_refused_by_name() {
    let into = plain();
    let before = everything(&into);
    let refused = |lines: &[&str]| {
        let (bytes, sum) = made(lines);
        restore(&into, &bytes, &sum, 1_000).unwrap_err()
    };
    assert_eq!(refused(&[&header("\"format\":1=>\"format\":2")]), Refused::Format(2));
    assert_eq!(refused(&[r#"{"format":9,"new":"world"}"#]), Refused::Format(9));
    assert_eq!(refused(&[&header("\"schema\":3=>\"schema\":4")]), Refused::Newer { theirs: 4, ours: 3 });
    assert_eq!(refused(&[&header("main:5=>main:6")]), Refused::OtherObject("main:6".into()));
    assert_eq!(refused(&[&header("\"log\"=>\"blog\"")]), Refused::Unknown("blog".into()));
    assert_eq!(refused(&[&header("\"what\"=>\"why\"")]), Refused::Unknown("log.why".into()));
    assert_eq!(refused(&[&header("\"what\"=>\"id\"")]), Refused::Unknown("log.id".into()));
    assert_eq!(refused(&[&header("\"what\"=>\"what) ; --\"")]), Refused::Unknown("log.what) ; --".into()));
    assert_eq!(refused(&["hello"]), Refused::NotABackup);
    for row in [
        r#"{"t":1,"r":[1,"x"]}"#,
        r#"{"t":0,"r":[1]}"#,
        r#"{"t":0,"r":[1,"x",2]}"#,
        r#"{"t":0,"r":[1,1.5]}"#,
        r#"{"t":0,"r":[1,true]}"#,
        r#"{"t":0,"r":[9007199254740993,"x"]}"#,
        "",
        "[]",
    ] {
        assert_eq!(refused(&[&header(""), row]), Refused::Broken(2), "{row}");
    }
    let long = format!(r#"{{"t":0,"r":[1,"{}"]}}"#, "x".repeat(crate::store::MAX_TEXT + 1));
    assert_eq!(refused(&[&header(""), &long]), Refused::TooLarge(2));
    let endless = format!("{}\n{}", header(""), "x".repeat(MAX_LINE + 2));
    assert_eq!(Restore::new(&into, TABLES, &EXPECTED).push(endless.as_bytes()), Err(Refused::TooLarge(2)));
    // Twice the same key: the store itself refuses, and takes all of it back.
    let twice = r#"{"t":0,"r":[1,"x"]}"#;
    assert!(matches!(refused(&[&header(""), twice, twice]), Refused::Store(_)));
    assert_eq!(everything(&into), before);
}

#[test]
fn columns_and_tables_that_an_older_release_did_not_have_get_their_defaults() {
    let into = plain();
    into.run("ALTER TABLE log ADD COLUMN who TEXT NOT NULL DEFAULT 'nobody'", &[]).unwrap();
    let (bytes, sum) = made(&[&header(""), r#"{"t":0,"r":[4,"old"]}"#]);
    restore(&into, &bytes, &sum, 9).unwrap();
    let rows = into.run("SELECT id, what, who FROM log", &[]).unwrap();
    assert_eq!(rows, [crate::store::Row(vec![4.into(), "old".into(), "nobody".into()])]);
    assert_eq!(into.run("SELECT count(*) FROM note", &[]).unwrap()[0].int(0), Ok(0), "there were none then");
    let kept = into.run("SELECT key FROM setting", &[]).unwrap();
    assert_eq!(kept, [crate::store::Row(vec!["secret".into()])], "what is never backed up stays");
    assert_eq!(into.run("SELECT count(*) FROM moment", &[]).unwrap()[0].int(0), Ok(1));
}

#[test]
fn a_table_no_longer_restored_is_passed_over() {
    let into = plain();
    let lines = [
        header("\"log\",\"columns\":[\"id\",\"what\"]=>\"moment\",\"columns\":[\"id\"]"),
        r#"{"t":0,"r":[77]}"#.into(),
    ];
    let (bytes, sum) = made(&[&lines[0], &lines[1]]);
    restore(&into, &bytes, &sum, 9).unwrap();
    assert_eq!(into.run("SELECT id FROM moment", &[]).unwrap()[0].int(0), Ok(1));
}

#[test]
fn what_comes_meanwhile_can_be_taken_over() {
    let (bytes, sum) = dump(&plain());
    let into = empty();
    let mut restore = Restore::new(&into, TABLES, &EXPECTED);
    restore.push(&bytes[..bytes.len() / 2]).unwrap();
    into.run("INSERT INTO log (id, what) VALUES (1, 'came meanwhile')", &[]).unwrap();
    restore.push(&bytes[bytes.len() / 2..]).unwrap();
    let order = Cell::new(0);
    let merge = || {
        assert_eq!(order.replace(1), 0);
        into.run(&format!("INSERT INTO {} (what) SELECT what FROM log", restore::waiting("log")), &[]).map(drop)
    };
    let settle = || {
        assert_eq!(order.replace(2), 1);
        into.run("UPDATE log SET what = what || '!' WHERE what = 'b'", &[]).map(drop)
    };
    restore.swap(&sum, merge, settle).unwrap();
    let rows = into.run("SELECT id, what FROM log ORDER BY id", &[]).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.int(0).unwrap(), row.text(1).unwrap().to_owned())).collect();
    assert_eq!(rows, [(1, "a".into()), (2, "b!".into()), (3, "came meanwhile".into())]);
}

#[test]
fn a_settling_that_fails_takes_everything_back() {
    let (bytes, sum) = dump(&plain());
    let into = filled(&[("stays".into(), 0)], &[]);
    let before = everything(&into);
    let mut restore = Restore::new(&into, TABLES, &EXPECTED);
    restore.push(&bytes).unwrap();
    let failed = restore.swap(&sum, || Ok(()), || Err(StoreError::Sql("no".into())));
    assert_eq!(failed, Err(Refused::Store(StoreError::Sql("no".into()))));
    assert_eq!(everything(&into), before);
}

#[test]
fn what_a_killed_restore_left_is_no_hindrance() {
    let (bytes, sum) = dump(&plain());
    let into = empty();
    into.run("CREATE TABLE restore_note (odd)", &[]).unwrap();
    into.run("INSERT INTO restore_note VALUES ('left over')", &[]).unwrap();
    restore(&into, &bytes, &sum, 100).unwrap();
    assert_eq!(everything(&into).iter().filter(|(name, _)| name.starts_with("restore_")).count(), 0);
    assert_eq!(dump(&into).0, bytes);
}

#[test]
fn a_large_object_comes_in_pieces_and_a_change_between_them_is_noticed() {
    let sql = empty();
    for n in 0..300 {
        // The rows are of very different length, as messages are.
        let text = "t".repeat(if n % 50 == 0 { 400_000 } else { 1_000 });
        sql.run("INSERT INTO note (body) VALUES (?1)", &[text.into()]).unwrap();
    }
    let mut dump = Dump::begin(&sql, TABLES, "main:5", 3, 7).unwrap();
    let mut pieces = 0;
    while let Some(piece) = dump.piece().unwrap() {
        pieces += 1;
        assert!(piece.len() < 1_600_000, "{}", piece.len());
    }
    assert!(pieces > 3);
    let mut dump = Dump::begin(&sql, TABLES, "main:5", 3, 7).unwrap();
    dump.piece().unwrap();
    sql.run("UPDATE note SET size = 1 WHERE id = 1", &[]).unwrap();
    assert_eq!(dump.piece(), Err(DumpError::Changed));
}

#[test]
fn a_table_without_a_key_is_said_to_have_none() {
    let sql = empty();
    sql.run("CREATE TABLE bare (x TEXT)", &[]).unwrap();
    for name in ["bare", "absent"] {
        let tables = [Table { name, keep: Keep::Rows }];
        assert!(matches!(Dump::begin(&sql, &tables, "main:5", 3, 7), Err(DumpError::Store(_))));
    }
}

/// Fails for a table that nobody decided about, or that is not there any more. Shadows of a virtual table count as it.
pub fn assert_decided(sql: &Sqlite, tables: &[Table]) {
    let rows =
        sql.run("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", &[]).unwrap();
    let name = |row: &crate::store::Row| row.text(0).unwrap().to_owned();
    let is_virtual =
        |row: &&crate::store::Row| row.opt_text(1).unwrap().unwrap_or_default().starts_with("CREATE VIRTUAL");
    let parents: Vec<String> = rows.iter().filter(is_virtual).map(|row| format!("{}_", name(row))).collect();
    let mut there: Vec<String> =
        rows.iter().map(name).filter(|name| !parents.iter().any(|parent| name.starts_with(parent.as_str()))).collect();
    let mut decided: Vec<String> = tables.iter().map(|table| table.name.to_owned()).collect();
    there.sort();
    decided.sort();
    assert_eq!(there, decided, "decide for each table whether it is backed up");
    // Each can be read as it is.
    let mut dump = Dump::begin(sql, tables, "main:5", 1, 1).unwrap();
    while dump.piece().unwrap().is_some() {}
}
