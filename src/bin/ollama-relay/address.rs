//! The hub's address, however the owner wrote it: with or without `/relay`, as `wss://` or `https://`.

use url::{Host, Url};

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `ws` or `wss`, ending in `/relay`.
    pub url: Url,
    /// As names are looked up, an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Address {
    /// Reads an address. An error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, String> {
        let text = text.trim();
        let mut url = Url::parse(text).map_err(|error| format!("{text} is no address: {error}"))?;
        let tls = match url.scheme() {
            "wss" | "https" => true,
            "ws" | "http" => false,
            _ => return Err(format!("{text} must begin with wss:// or https://")),
        };
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err("the address has more than a host and /relay; the token goes into a file".to_owned());
        }
        match url.path() {
            "" | "/" | "/relay" | "/relay/" => url.set_path("/relay"),
            path => return Err(format!("the address ends in {path}, not in /relay")),
        }
        let scheme = if tls { "wss" } else { "ws" };
        url.set_scheme(scheme).map_err(|()| "the address cannot be read".to_owned())?;
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err("the address has no host".to_owned()),
        };
        let port = url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 });
        Ok(Address { url, host, port, tls })
    }

    /// Whether the token would cross a network unencrypted.
    pub fn is_exposed(&self) -> bool {
        let loopback = match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        !self.tls && !loopback
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_lead_to_the_same_place() {
        for text in
            ["wss://bot.example/relay", "https://bot.example", "https://bot.example/", " wss://bot.example/relay/ "]
        {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.url.as_str(), "wss://bot.example/relay", "{text}");
            assert_eq!((address.host.as_str(), address.port, address.tls), ("bot.example", 443, true));
        }
        let local = Address::parse("http://127.0.0.1:8787").unwrap();
        assert_eq!((local.url.as_str(), local.port, local.tls), ("ws://127.0.0.1:8787/relay", 8787, false));
        assert_eq!(Address::parse("ws://[::1]:1/relay").unwrap().host, "::1");
    }

    #[test]
    fn what_is_no_hub_is_refused() {
        for text in [
            "",
            "bot.example",
            "ftp://bot.example",
            "https://bot.example/other",
            "https://a:b@bot.example",
            "https://bot.example/relay?token=x",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn plain_text_is_for_this_machine() {
        for (text, exposed) in [
            ("ws://localhost:1", false),
            ("ws://[::1]:1", false),
            ("ws://127.0.0.2:1", false),
            ("ws://192.168.0.2:1", true),
            ("http://bot.example", true),
            ("https://bot.example", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_exposed(), exposed, "{text}");
        }
    }
}
