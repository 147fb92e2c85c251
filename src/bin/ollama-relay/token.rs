//! Where the token comes from: a file, or the environment. It is shown nowhere.

use std::fmt;
use std::path::Path;

/// The bearer of `/relay`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// What goes over the wire, and nowhere else.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A token, and what the owner should hear about it.
pub type Found = (Token, Option<String>);

/// Reads the token. An error says what to do.
pub fn find(file: Option<&Path>, variable: Option<String>) -> Result<Found, String> {
    let (text, warning) = match (file, variable) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read the token file {}: {error}", path.display()))?;
            (text, warning(path))
        }
        (None, Some(text)) => (text, None),
        (None, None) => return Err("no token: give --token-file, or set RELAY_TOKEN".to_owned()),
    };
    let token = text.trim();
    if token.is_empty() {
        return Err("the token is empty".to_owned());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token has characters that no token has; is it the right file?".to_owned());
    }
    Ok((Token(token.to_owned()), warning))
}

#[cfg(unix)]
fn warning(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| format!("everybody on this machine can read {}: chmod 600 it", path.display()))
}

#[cfg(not(unix))]
fn warning(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_it_do_not_count() {
        assert_eq!(find(None, Some(" abc\r\n".to_owned())).unwrap().0.secret(), "abc");
        for wrong in ["", " \n", "a b", "токен", "a\nb"] {
            assert!(find(None, Some(wrong.to_owned())).is_err(), "{wrong:?}");
        }
        assert!(find(None, None).is_err());
        assert!(
            find(Some(Path::new("/nowhere/token")), Some("abc".to_owned())).is_err(),
            "a file that was named counts"
        );
    }

    #[test]
    fn it_is_not_in_what_is_printed() {
        let (token, _) = find(None, Some("abc123".to_owned())).unwrap();
        assert!(!format!("{token:?}").contains("abc"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_for_everybody_is_complained_about() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("ollama-relay-token-{}", std::process::id()));
        std::fs::write(&path, "abc\n").unwrap();
        for (mode, complaint) in [(0o644, true), (0o600, false), (0o640, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(find(Some(&path), None).unwrap().1.is_some(), complaint, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
