//! An HTTP request as data, and where it goes.
//!
//! Not here: sending it. The caller may add headers first (AI Gateway wants `cf-aig-authorization`, providers.md §2.8).

use std::fmt;

use super::Body;

/// A request ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    pub url: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// Empty: none.
    pub body: Body,
}

/// A server of a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and path prefix; a trailing `/` does not matter: `https://ollama.com`.
    pub base_url: String,
    /// `None` or blank: no key is sent.
    pub api_key: Option<String>,
}

impl Endpoint {
    /// The key, trimmed; `None` when blank.
    pub fn key(&self) -> Option<&str> {
        self.api_key.as_deref().map(str::trim).filter(|key| !key.is_empty())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &without_secrets(&self.base_url))
            .field("api_key", &self.api_key.as_ref().map(|_| "[…]"))
            .finish()
    }
}

/// Shows neither keys nor the conversation: header values that may hold a secret, the query and the body are left out.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), if is_secret(name) { "[…]" } else { value.as_str() }))
            .collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &without_secrets(&self.url))
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Whether a header of this name may carry a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "key", "token", "cookie", "secret", "password"].iter().any(|word| name.contains(word))
}

/// The address without user, password and query.
fn without_secrets(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let request = HttpRequest {
            method: "POST",
            url: "https://u:p4ss@h.example/a?key=s3cret".into(),
            headers: ["authorization", "X-Goog-Api-Key", "cf-aig-authorization", "accept"]
                .map(|name| (name.to_owned(), "s3cret-or-not".to_owned()))
                .into(),
            body: "private words".to_owned().into(),
        };
        let shown = format!("{request:?}");
        assert_eq!(shown.matches("s3cret").count(), 1, "{shown}"); // `accept` only
        assert!(!shown.contains("p4ss") && !shown.contains("private"), "{shown}");
        assert!(shown.contains("https://h.example/a") && shown.contains("13"), "{shown}");

        let endpoint = Endpoint { base_url: "https://u:p4ss@h.example".into(), api_key: Some("s3cret".into()) };
        let shown = format!("{endpoint:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("p4ss"), "{shown}");
    }

    #[test]
    fn a_blank_key_is_no_key() {
        let with = |key: &str| Endpoint { base_url: String::new(), api_key: Some(key.into()) };
        assert_eq!(with(" \n").key(), None);
        assert_eq!(with(" k\n").key(), Some("k"));
    }
}
