//! Finds a field that an object has twice. JSON readers silently keep the last one, and an agent that was pasted twice
//! would be lost without a word.

use std::collections::BTreeSet;

use super::path::Path;

enum Level {
    Object { seen: BTreeSet<String>, here: Path, at: Path },
    List { index: usize, here: Path },
}

/// The path of the first such field. `text` must be JSON; in other text something may be found that is none.
pub fn first(text: &str) -> Option<String> {
    let mut levels: Vec<Level> = Vec::new();
    let mut signs = text.char_indices().peekable();
    while let Some((start, sign)) = signs.next() {
        match sign {
            '{' => {
                let here = place(&levels);
                levels.push(Level::Object { seen: BTreeSet::new(), at: here.clone(), here });
            }
            '[' => levels.push(Level::List { index: 0, here: place(&levels) }),
            '}' | ']' => drop(levels.pop()),
            ',' => {
                if let Some(Level::List { index, .. }) = levels.last_mut() {
                    *index += 1;
                }
            }
            '"' => {
                let mut end = text.len();
                while let Some((at, sign)) = signs.next() {
                    match sign {
                        '\\' => drop(signs.next()),
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        _ => {}
                    }
                }
                while signs.peek().is_some_and(|(_, sign)| sign.is_ascii_whitespace()) {
                    signs.next();
                }
                // In JSON only a name has a colon after it.
                let is_name = signs.peek().is_some_and(|(_, sign)| *sign == ':');
                if let (true, Some(Level::Object { seen, here, at })) = (is_name, levels.last_mut()) {
                    let name: String = serde_json::from_str(text.get(start..end)?).ok()?;
                    *at = here.field(&name);
                    if !seen.insert(name) {
                        return Some(at.as_str().to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    None
}

fn place(levels: &[Level]) -> Path {
    match levels.last() {
        None => Path::default(),
        Some(Level::Object { at, .. }) => at.clone(),
        Some(Level::List { index, here }) => here.entry(*index),
    }
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_first_name_that_is_there_twice_is_found() {
        for (text, found) in [
            (r#"{"a":1,"b":{"a":2},"c":["a","a"],"d":"a"}"#, None),
            (r#"{"a":1,"a":2}"#, Some("a")),
            (r#"{"a": {"b" : 1, "\u0062" :2}}"#, Some("a.b")),
            (r#"{"l":[{},{"x":1,"y":"x","x":"{\"x\":1}"}]}"#, Some("l[1].x")),
            (r#"[[{"q\"":1},{"q\"":2,"r":[],"q\"":3}]]"#, Some(r#"[0][1]["q\""]"#)),
            ("", None),
            ("{\"", None),
            ("{\"\\", None),
            ("}]", None),
        ] {
            assert_eq!(first(text).as_deref(), found, "{text}");
        }
    }
}
