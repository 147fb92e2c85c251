//! The shape of the source: who may use whom (DESIGN §2), how long a file may be, that every module says what it is for.
//!
//! Reads the text of `src/`; what a macro or a fully written path hides from `use` lines is read as text too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

/// What each part of the house may name, besides itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("telegram", &[]),
    ("llm", &[]),
    ("relay", &[]),
    ("text", &[]),
    ("store", &[]),
    ("backup", &["store", "text"]),
    ("directory", &["telegram", "llm", "backup", "store", "text"]),
    ("chat", &["telegram", "llm", "directory", "relay", "backup", "store", "text"]),
    ("admin", &["telegram", "llm", "directory", "chat", "relay", "backup", "store", "text"]),
    ("edge", &["telegram", "llm", "directory", "chat", "relay", "admin", "backup", "store", "text"]),
    ("bin", &["relay", "llm"]),
];

/// The platform: only these parts may name it.
const PLATFORM: &[&str] = &["worker", "js_sys", "wasm_bindgen", "web_sys"];
const ON_THE_PLATFORM: &[&str] = &["edge", "bin"];

const LONGEST_FILE: usize = 600;
const LONGEST_TEST: usize = 1_000;

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every file of `src/` with its path inside it, its part of the house and its text.
fn sources() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(&root).unwrap().to_owned();
        let part = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        (inside, part, text)
    };
    rust_files(&root).into_iter().map(read).collect()
}

/// The text without comments and, as far as one line at a time can tell, without strings.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let pieces = lines.map(|line| line.split('"').step_by(2).collect::<Vec<_>>().join("\"\""));
    pieces.collect::<Vec<_>>().join("\n")
}

/// The first names after each `prefix`, a group in braces opened up: `crate::{a, b::c}` names a and b.
fn names_after<'a>(code: &'a str, prefix: &'a str) -> Vec<&'a str> {
    let word = |text: &'a str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => names.push(word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut start = 0;
                for (place, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            names.push(word(group[start..place].trim_start()));
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            names.push(word(group[start..place].trim_start()));
                            start = place + 1;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// How many `super::` lead from this file up to the crate's root.
fn steps_to_root(inside: &Path) -> usize {
    let depth = inside.components().count();
    if inside.ends_with("mod.rs") { depth - 1 } else { depth }
}

/// The parts of the house that a file names.
fn parts_named(inside: &Path, code: &str) -> Vec<String> {
    let mut names: Vec<String> = names_after(code, "crate::").into_iter().map(str::to_owned).collect();
    names.extend(names_after(code, "tideclaw::").into_iter().map(str::to_owned));
    // `super::` as many times as it takes; a module inside the file (tests) needs one more.
    for extra in 0..2 {
        let prefix = "super::".repeat(steps_to_root(inside) + extra);
        if !prefix.is_empty() {
            names.extend(names_after(code, &prefix).into_iter().filter(|name| *name != "super").map(str::to_owned));
        }
    }
    names.retain(|name| ALLOWED.iter().any(|(part, _)| part == name));
    names
}

#[test]
fn every_dependency_is_on_the_list() {
    let mut wrong = Vec::new();
    for (inside, part, text) in sources() {
        if part == "lib.rs" {
            continue;
        }
        let allowed = ALLOWED.iter().find(|(name, _)| *name == part).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{part} is not in the list: say what it may use"));
        for name in parts_named(&inside, &code_of(&text)) {
            // A short name can also be a module of the same part (`chat::text`), reached by `super::` only.
            if name != part && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} names {name}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not allowed by DESIGN §2:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_edge_knows_the_platform() {
    let mut wrong = Vec::new();
    for (inside, part, text) in sources() {
        let code = code_of(&text);
        for name in PLATFORM {
            let named = !names_after(&code, &format!("{name}::")).is_empty() || code.contains(&format!("use {name};"));
            if named && !ON_THE_PLATFORM.contains(&part.as_str()) {
                wrong.push(format!("{} names {name}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "only src/edge and src/bin may:\n{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for path in rust_files(&root.join("src")).into_iter().chain(rust_files(&root.join("tests"))) {
        let inside = path.strip_prefix(root).unwrap().to_owned();
        let is_test = inside.iter().any(|name| name == "tests" || name == "tests.rs");
        let most = if is_test { LONGEST_TEST } else { LONGEST_FILE };
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > most {
            wrong.push(format!("{}: {lines} lines", inside.display()));
        }
    }
    assert!(wrong.is_empty(), "one idea a file:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    let bare: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, text)| !text.lines().next().is_some_and(|line| line.starts_with("//! ")))
        .map(|(inside, _, _)| inside.display().to_string())
        .collect();
    assert!(bare.is_empty(), "no //! header:\n{}", bare.join("\n"));
}

#[test]
fn the_reader_sees_what_is_there() {
    let code = code_of(
        "use crate::{chat::{a, b}, llm};\nuse crate::store::X; // crate::edge\nlet a = crate::text::b(\"crate::admin\");",
    );
    assert_eq!(names_after(&code, "crate::"), ["chat", "llm", "store", "text"]);
    let inside = Path::new("telegram/render/mod.rs");
    assert_eq!(parts_named(inside, "use super::super::llm::X; use super::content::Y;"), ["llm"]);
    assert_eq!(parts_named(Path::new("telegram/content.rs"), "use super::super::chat;"), ["chat"]);
    assert!(names_after("super::worker::x(co_worker::y)", "worker::").is_empty());
}
