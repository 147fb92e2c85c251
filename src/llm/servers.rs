//! Which server answers for which provider, from the variables of DESIGN §4.
//!
//! Not here: which model is used, and reading the environment (the caller hands in a look-up).

use std::borrow::Cow;
use std::net::IpAddr;

use url::{Host, Url};

use super::gateway::Gateway;
use super::{Endpoint, HttpRequest, ModelRef, Provider};

/// A provider with the server that stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// First half of its models' names; with relays, what stands before the `:` of it.
    pub name: &'static str,
    pub provider: Provider,
    pub endpoint: Endpoint,
    /// Set when calls go through AI Gateway.
    pub gateway: Option<Gateway>,
}

/// All servers this deployment may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Servers(pub Vec<Server>);

/// A provider as the variables describe it.
struct Known {
    name: &'static str,
    base_url: &'static str,
    /// Prefix of `…_API_KEY` and `…_BASE_URL`.
    prefix: &'static str,
    /// Whether it is of use with neither key nor address.
    keyless: bool,
}

const KNOWN: &[Known] = &[
    Known { name: "ollama", base_url: "https://ollama.com", prefix: "OLLAMA", keyless: true },
    Known { name: "gemini", base_url: "https://generativelanguage.googleapis.com", prefix: "GEMINI", keyless: false },
    Known { name: "openai", base_url: "https://api.openai.com/v1", prefix: "OPENAI", keyless: false },
];

/// The provider of everybody's own Ollama, reached through `ollama-relay`. `relay/<model>` leaves it open which relay
/// answers, `relay:<name>/<model>` names one.
pub const RELAY: &str = "relay";

/// The providers this release can call, whether set up or not.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name).chain([RELAY])
}

/// What a provider is set up by: `relay` for `relay:home`, else its own name.
pub fn family(provider: &str) -> &str {
    if relay_name(provider).is_some() { RELAY } else { provider }
}

/// The relay that `relay:<name>` names. The signs are those of `relay::is_name`.
pub fn relay_name(provider: &str) -> Option<&str> {
    let name = provider.strip_prefix(RELAY)?.strip_prefix(':')?;
    let sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ((1..=32).contains(&name.len()) && name.bytes().all(sign)).then_some(name)
}

impl Servers {
    /// Reads `OLLAMA_*`, `GEMINI_*`, `OPENAI_*` and `AI_GATEWAY_*`. A provider without a key is left out, unless its
    /// address was changed (a server of one's own may need none) or a gateway may hold the key. Only the vendors' own
    /// addresses go through the gateway: it cannot reach a home server (cloudflare.md §2).
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Servers {
        let gateway = get("AI_GATEWAY_BASE_URL").map(|base_url| Gateway { base_url, token: get("AI_GATEWAY_TOKEN") });
        let server = |known: &Known| {
            let api_key = get(&format!("{}_API_KEY", known.prefix));
            let base_url = get(&format!("{}_BASE_URL", known.prefix)).filter(|url| !same_address(url, known.base_url));
            let gateway = gateway.clone().filter(|_| base_url.is_none());
            if !known.keyless && api_key.is_none() && base_url.is_none() && gateway.is_none() {
                return None;
            }
            let endpoint = match &gateway {
                Some(gateway) => gateway.endpoint(known.name, api_key),
                None => Endpoint { base_url: base_url.unwrap_or_else(|| known.base_url.to_owned()), api_key },
            };
            Some(Server { name: known.name, provider: Provider::named(known.name)?, endpoint, gateway })
        };
        let relay = get("RELAY_TOKEN").map(|_| Server {
            name: RELAY,
            provider: Provider::Ollama,
            // Which relay answers is found out with each call; the token is for relays, not for callers.
            endpoint: Endpoint { base_url: "relay://any".to_owned(), api_key: None },
            gateway: None,
        });
        Servers(KNOWN.iter().filter_map(server).chain(relay).collect())
    }

    /// The server `name`; `None` if it is not set up here.
    pub fn named(&self, name: &str) -> Option<&Server> {
        self.0.iter().find(|server| server.name == name)
    }

    /// The server that has `model`; of a relay, as its name wants it reached.
    pub fn of(&self, model: &ModelRef) -> Option<Cow<'_, Server>> {
        let server = self.named(family(&model.provider))?;
        let Some(relay) = relay_name(&model.provider) else { return Some(Cow::Borrowed(server)) };
        let endpoint = Endpoint { base_url: format!("relay://{relay}"), api_key: None };
        Some(Cow::Owned(Server { endpoint, ..server.clone() }))
    }
}

impl Server {
    /// Makes `request` fit to go: adds the gateway's headers if there is one. See [`Gateway::sign`].
    pub fn seal(&self, mut request: HttpRequest, metadata: &[(&str, i64)]) -> HttpRequest {
        if let Some(gateway) = &self.gateway {
            gateway.sign(&mut request, metadata);
        }
        request
    }

    /// True for a server of one's own, whose use nobody bills: loopback, private addresses, `localhost`, `*.local`, and
    /// whatever is behind a relay.
    pub fn is_local(&self) -> bool {
        self.gateway.is_none() && is_local(&self.endpoint.base_url)
    }
}

fn same_address(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('/') == other
}

fn is_local(address: &str) -> bool {
    let Ok(url) = Url::parse(address.trim()) else { return false };
    if url.scheme() == RELAY {
        return true;
    }
    match url.host() {
        Some(Host::Ipv4(ip)) => is_private(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_private(IpAddr::V6(ip)),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost") || name.ends_with(".local"),
        None => false,
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn servers(variables: &[(&str, &str)]) -> Servers {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
        Servers::from_variables(get)
    }

    fn base(servers: &Servers, name: &str) -> Option<String> {
        servers.named(name).map(|server| server.endpoint.base_url.clone())
    }

    #[test]
    fn what_is_not_set_up_is_not_there() {
        let none = servers(&[]);
        assert_eq!(base(&none, "ollama").as_deref(), Some("https://ollama.com"));
        assert_eq!((base(&none, "gemini"), base(&none, "openai"), base(&none, "relay")), (None, None, None));
    }

    #[test]
    fn a_gateway_stands_before_the_vendors_and_not_before_a_server_of_ones_own() {
        let gateway = ("AI_GATEWAY_BASE_URL", "https://gateway.ai.cloudflare.com/v1/a/g/");
        let all = servers(&[gateway, ("OLLAMA_BASE_URL", "https://ollama.com/")]);
        let through = all.named("ollama").unwrap();
        assert_eq!(through.endpoint.base_url, "https://gateway.ai.cloudflare.com/v1/a/g/custom-ollama");
        assert!(through.gateway.is_some());
        let home = servers(&[gateway, ("OLLAMA_BASE_URL", "http://192.168.1.5:11434")]);
        let direct = home.named("ollama").unwrap();
        assert_eq!((direct.endpoint.base_url.as_str(), &direct.gateway), ("http://192.168.1.5:11434", &None));
        assert!(direct.is_local());
    }

    #[test]
    fn relays_are_there_with_their_token() {
        let set = servers(&[("RELAY_TOKEN", "x")]);
        for (provider, address) in
            [("relay", "relay://any"), ("relay:home", "relay://home"), ("relay:a-1", "relay://a-1")]
        {
            let server = set.of(&ModelRef::new(provider, "m")).unwrap();
            assert_eq!((server.endpoint.base_url.as_str(), server.endpoint.key()), (address, None));
            assert_eq!((server.name, server.provider), ("relay", Provider::Ollama));
            assert!(server.is_local());
            assert!(servers(&[]).of(&ModelRef::new(provider, "m")).is_none());
        }
        let long = format!("relay:{}", "a".repeat(33));
        for provider in ["relay:", "relay:Home", "relay:a.b", "relay:a/b", "relay:any:1", "ollama:home", &long] {
            assert!(set.of(&ModelRef::new(provider, "m")).is_none(), "{provider}");
        }
    }

    #[test]
    fn local_addresses() {
        for (address, local) in [
            ("http://127.0.0.1:11434", true),
            ("http://[::1]:11434/", true),
            ("http://box.local/v1", true),
            ("http://localhost:1", true),
            ("http://10.1.2.3", true),
            ("https://ollama.com", false),
            ("https://local.example", false),
            ("https://8.8.8.8", false),
            ("nonsense", false),
            ("relay://any", true),
            ("relay://home", true),
        ] {
            assert_eq!(is_local(address), local, "{address}");
        }
    }
}
