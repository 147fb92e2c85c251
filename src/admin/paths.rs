//! Which paths are guarded. Access's own matching may differ from ours on case, doubled slashes and escapes
//! (cloudflare.md §3), so ours is as simple as can be: the first segment, letter for letter, before anything is decoded.
//!
//! Whatever begins with a guarded name is verified before anything else is looked at. Whatever only looks like one after
//! decoding or folding is no route at all. Not here: what is behind the paths.

/// First segments that only a verified [`Identity`](super::access::Identity) gets behind.
const GUARDED: [&str; 3] = ["_admin", "api", "debug"];

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Behind Access: one of `/_admin`, `/api`, `/debug`, or below.
    Guarded,
    /// Not behind Access; whether it exists is for the router to say.
    Open,
    /// Not a path any route of ours has: nothing may be made of it.
    Crooked,
}

/// The zone of a path as the request has it, undecoded, without its query.
pub fn zone(path: &str) -> Zone {
    let Some(first) = path.strip_prefix('/').and_then(|path| path.split('/').next()) else { return Zone::Crooked };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.');
    if GUARDED.contains(&first) {
        Zone::Guarded
    } else if path == "/" || (!first.is_empty() && first.bytes().all(plain) && !is_dots(first)) {
        Zone::Open
    } else {
        Zone::Crooked
    }
}

/// The segments of a path, each decoded once; one slash at the end does not count. `None` if one is empty or dots, or
/// could mean a step to elsewhere to somebody who reads it again: slashes, escapes, parameters, control characters.
pub fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    path.split('/').map(segment).collect()
}

fn segment(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(match byte {
            b'%' => (digit(rest.next())? << 4 | digit(rest.next())?) as u8,
            _ => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    let crooked = |c: char| matches!(c, '/' | '\\' | '%' | ';') || c.is_control();
    (!text.is_empty() && !is_dots(&text) && !text.contains(crooked)).then_some(text)
}

fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_guarded_names_bare_and_below() {
        for name in GUARDED {
            for rest in ["", "/", "/x", "/x/y", "//", "/../healthz", "/%2e%2e/healthz", "/;", "/%"] {
                assert_eq!(zone(&format!("/{name}{rest}")), Zone::Guarded, "/{name}{rest}");
            }
        }
    }

    #[test]
    fn tricks_reach_nothing() {
        let tricks = [
            "",
            "_admin",
            "//_admin",
            "///_admin",
            "/_ADMIN",
            "/_Admin/x",
            "/%5Fadmin",
            "/%5fadmin",
            "/_%61dmin",
            "/./_admin",
            "/../_admin",
            "/%2e/_admin",
            "/%2e%2e/api",
            "/_admin;",
            "/_admin;x=1/people",
            "/;/_admin",
            "/\\_admin",
            "/_admin\\x",
            "/_admin%2Fpeople",
            "/_admin%5cpeople",
            "/_admin%00",
            "/_admin ",
            "/_admin%20",
            "/\t_admin",
            "/API",
            "/ＡＰＩ",
            "/DEBUG/panic/main:1",
            "/dеbug",
            "/%64ebug",
            "/api?x",
            "/api#x",
            "/%252e/api",
        ];
        for path in tricks {
            assert_eq!(zone(path), Zone::Crooked, "{path:?}");
        }
    }

    #[test]
    fn other_paths_are_the_routers() {
        for path in [
            "/",
            "/healthz",
            "/telegram/main",
            "/relay",
            "/v1/models",
            "/hooks/x",
            "/metrics",
            "/favicon.ico",
            "/_adminx",
            "/apis",
            "/api.",
            "/access",
        ] {
            assert_eq!(zone(path), Zone::Open, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(segments("/").unwrap(), [""; 0]);
        assert_eq!(segments("/_admin").unwrap(), ["_admin"]);
        assert_eq!(segments("/_admin/").unwrap(), ["_admin"]);
        assert_eq!(
            segments("/api/conversations/main:-100123:2/export").unwrap(),
            ["api", "conversations", "main:-100123:2", "export"]
        );
        assert_eq!(segments("/api/agents/%D0%9A%D0%BE%D1%82%20%F0%9F%90%88").unwrap(), ["api", "agents", "Кот 🐈"]);
        assert_eq!(segments("/api/conversations/main%3A1001").unwrap(), ["api", "conversations", "main:1001"]);
    }

    #[test]
    fn segments_that_could_lead_elsewhere_are_none() {
        for path in [
            "",
            "api",
            "/api//x",
            "//api",
            "/api/.",
            "/api/../x",
            "/api/%2e%2E/x",
            "/api/a%2Fb",
            "/api/a%5cb",
            "/api/a\\b",
            "/api/a;b",
            "/api/%3b",
            "/api/%",
            "/api/%4",
            "/api/%zz",
            "/api/%+1",
            "/api/%00",
            "/api/%0a",
            "/api/%252e",
            "/api/%ff",
            "/api/x//",
        ] {
            assert_eq!(segments(path), None, "{path:?}");
        }
    }

    /// Everything a server in front might make of a path before it compares it: decodes, folds case and width, squeezes.
    fn loosest(path: &str) -> String {
        let mut text = path.to_owned();
        for _ in 0..3 {
            let mut bytes = Vec::new();
            let raw = text.as_bytes();
            let mut at = 0;
            while at < raw.len() {
                let code = raw
                    .get(at + 1..at + 3)
                    .and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
                match code {
                    Some(byte) if raw[at] == b'%' => (bytes.push(byte), at += 3).1,
                    _ => (bytes.push(raw[at]), at += 1).1,
                }
            }
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
        let text = text.to_lowercase().replace('\\', "/");
        let kept = text
            .split('/')
            .map(|part| part.split(';').next().unwrap().trim())
            .filter(|part| !part.is_empty() && *part != ".");
        let mut parts: Vec<&str> = Vec::new();
        for part in kept {
            if part == ".." {
                let _ = parts.pop();
            } else {
                parts.push(part)
            }
        }
        parts.first().copied().unwrap_or_default().to_owned()
    }

    proptest! {
        #[test]
        fn what_could_be_read_as_guarded_is_guarded_or_crooked(
            before in "(/|//|\\./|%2[eE]/|;/|\\\\|%2[fF]|x/\\.\\./|x/%2[eE]\\./|%20)?",
            name in prop::sample::select(vec!["_admin", "_ADMIN", "%5Fadmin", "_%61dmin", "api", "Api", "%61pi", "a%70i", "%2561pi", "debug", "dEbug", "debu%67"]),
            after in "(/|//|;x|/\\.\\.|%2[fF]x|\\\\x|/x|\\?|%20)?",
        ) {
            let path = format!("/{before}{name}{after}");
            if GUARDED.contains(&loosest(&path).as_str()) && zone(&path) == Zone::Open {
                // Steps back inside an open path: the platform takes them out before we see the path. Left in, no open
                // route has them.
                prop_assert!(segments(&path).is_none(), "{}", path);
            }
        }

        #[test]
        fn no_segment_holds_a_way_out(path in "/[a-z%0-9A-F./\\\\;:_-]{0,40}") {
            for segment in segments(&path).unwrap_or_default() {
                prop_assert!(!segment.is_empty() && segment != "." && segment != ".." && !segment.contains(['/', '\\', ';', '%', '\0']));
            }
        }
    }
}
