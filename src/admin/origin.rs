//! Is it our own page that asks? A signed-in browser sends its cookie along with whatever another site makes it send, and
//! Access then signs that too. So what changes something, or opens a WebSocket, has to come from our own origin.
//!
//! Rules: Fetch Metadata (`Sec-Fetch-Site`, which pages cannot set), and `Origin` (RFC 6454) for who does not send it.

use url::Url;

use super::access::Identity;

/// What a request says of where it comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// The request's own address.
    pub url: &'a str,
    /// It only looks: GET or HEAD, and no upgrade to a WebSocket, which browsers open to any site.
    pub only_looks: bool,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
}

/// Whether the request is one that `who` meant to send.
pub fn is_meant(source: &Source<'_>, who: &Identity) -> bool {
    // A service token is no cookie: nobody but its holder sends it.
    if source.only_looks || who.is_service() {
        return true;
    }
    match (source.site, source.origin) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_own(source.url, origin),
        (None, None) => false,
    }
}

/// Whether `origin` is the host of `url`, port included. It may be on TLS though we are not: some proxy ends it for us.
fn is_own(url: &str, origin: &str) -> bool {
    let (Ok(url), Ok(origin)) = (Url::parse(url), Url::parse(origin)) else { return false };
    let is_as_safe = origin.scheme() == "https" || (origin.scheme() == "http" && url.scheme() == "http");
    // `port` is none for the scheme's usual one, which such a proxy changes together with the scheme.
    is_as_safe && url.host().is_some() && origin.host() == url.host() && origin.port() == url.port()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const URL: &str = "https://tideclaw.example.workers.dev/_admin/people";

    fn meant(site: Option<&str>, origin: Option<&str>) -> bool {
        is_meant(&Source { url: URL, only_looks: false, site, origin }, &Identity::for_tests("a@example.com"))
    }

    #[test]
    fn looking_is_free() {
        let who = Identity::for_tests("a@example.com");
        for site in [None, Some("cross-site"), Some("none")] {
            assert!(is_meant(&Source { url: URL, only_looks: true, site, origin: Some("https://evil.example") }, &who));
        }
    }

    #[test]
    fn a_browser_that_says_where_it_comes_from_is_believed() {
        assert!(meant(Some("same-origin"), None));
        assert!(meant(Some("same-origin"), Some("https://tideclaw.example.workers.dev")));
        for site in ["cross-site", "same-site", "none", "", "Same-Origin", "same-origin, cross-site"] {
            assert!(!meant(Some(site), Some("https://tideclaw.example.workers.dev")), "{site}");
        }
    }

    #[test]
    fn a_service_token_is_never_sent_by_accident() {
        let who = Identity::service_for_tests("robot.access");
        assert!(is_meant(&Source { url: URL, only_looks: false, site: None, origin: None }, &who));
    }

    #[test]
    fn else_the_origin_has_to_be_our_host() {
        assert!(meant(None, Some("https://tideclaw.example.workers.dev")));
        assert!(meant(None, Some("https://TIDECLAW.example.workers.dev:443")));
        let others = [
            "null",
            "",
            "https://evil.example",
            "http://tideclaw.example.workers.dev",
            "https://tideclaw.example.workers.dev:8443",
            "https://tideclaw.example.workers.dev.evil.example",
            "https://evil.example/tideclaw.example.workers.dev",
            "https://tideclaw.example.workers.dev@evil.example",
            "file://",
            "data:,",
            "tideclaw.example.workers.dev",
            "https://workers.dev",
        ];
        for origin in others {
            assert!(!meant(None, Some(origin)), "{origin}");
        }
        assert!(!meant(None, None));
    }

    #[test]
    fn on_this_machine_and_behind_a_tunnel() {
        let who = Identity::for_tests("a@example.com");
        let own = |url, origin| is_meant(&Source { url, only_looks: false, site: None, origin: Some(origin) }, &who);
        assert!(own("http://localhost:8788/_admin", "http://localhost:8788"));
        assert!(!own("http://localhost:8788/_admin", "http://localhost:8081"));
        assert!(!own("http://localhost:8788/_admin", "http://127.0.0.1:8788"));
        assert!(own("http://bot.example/_admin", "https://bot.example"));
    }
}
