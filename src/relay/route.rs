//! What of Ollama can be reached through a relay: five requests, letter by letter, and nothing else on the machine.
//!
//! The address is made from the [`Route`], never from what the other side sent. Sources: providers.md §1.5.

use super::{MAX_BODY, is_name};

/// How the addresses of requests begin that are for a relay.
pub const SCHEME: &str = "relay://";
/// Stands in such an address for whichever relay has the model. A relay of that name cannot be addressed.
const ANY: &str = "any";

/// The relay that an address names, `None` for any, and the path there: `relay://home/api/chat`.
pub fn relay_of(url: &str) -> Option<(Option<&str>, &str)> {
    let rest = url.strip_prefix(SCHEME)?;
    let (relay, path) = rest.split_at_checked(rest.find('/')?)?;
    match relay {
        ANY => Some((None, path)),
        name => is_name(name).then_some((Some(name), path)),
    }
}

/// A request that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Chat,
    Tags,
    Show,
    Ps,
    Embed,
}

impl Route {
    const ALL: [Route; 5] = [Route::Chat, Route::Tags, Route::Show, Route::Ps, Route::Embed];

    /// The route of a request; `None` for everything else, however it is spelt.
    pub fn of(method: &str, path: &str) -> Option<Route> {
        Route::ALL.into_iter().find(|route| (route.method(), route.path()) == (method, path))
    }

    pub const fn method(self) -> &'static str {
        match self {
            Route::Chat | Route::Show | Route::Embed => "POST",
            Route::Tags | Route::Ps => "GET",
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Route::Chat => "/api/chat",
            Route::Tags => "/api/tags",
            Route::Show => "/api/show",
            Route::Ps => "/api/ps",
            Route::Embed => "/api/embed",
        }
    }

    /// Longest request body, bytes.
    pub const fn max_body(self) -> u64 {
        match self {
            Route::Chat | Route::Embed => MAX_BODY,
            Route::Show => 64 * 1024,
            Route::Tags | Route::Ps => 0,
        }
    }

    /// Whether it makes a model work, and so takes one of the relay's slots.
    pub const fn is_heavy(self) -> bool {
        matches!(self, Route::Chat | Route::Embed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, relay_of};

    #[test]
    fn an_address_names_a_relay_or_any() {
        assert_eq!(relay_of("relay://any/api/chat"), Some((None, "/api/chat")));
        assert_eq!(relay_of("relay://home-2/api/tags?x"), Some((Some("home-2"), "/api/tags?x")));
        for wrong in
            ["https://any/api/chat", "relay://any", "relay:///api/chat", "relay://Home/x", "relay://a:b@c/x", ""]
        {
            assert_eq!(relay_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_five_requests_pass() {
        for route in Route::ALL {
            assert_eq!(Route::of(route.method(), route.path()), Some(route));
        }
        for (method, path) in [
            ("GET", "/api/chat"),
            ("post", "/api/chat"),
            ("POST", "/api/chat/"),
            ("POST", "//api/chat"),
            ("POST", "/api/chat?x=1"),
            ("POST", "/api/./chat"),
            ("POST", "/api/tags/../chat"),
            ("POST", "/api/%63hat"),
            ("POST", "http://127.0.0.1:11434/api/chat"),
            ("POST", "//169.254.169.254/api/chat"),
            ("POST", "/api/chat HTTP/1.1\r\nHost: x"),
            ("DELETE", "/api/delete"),
            ("POST", "/api/pull"),
            ("POST", "/api/generate"),
            ("POST", ""),
        ] {
            assert_eq!(Route::of(method, path), None, "{method} {path}");
        }
    }
}
