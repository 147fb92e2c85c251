//! What has to be configured before anybody is let in, and what is missing. A value that makes no sense counts as missing:
//! the doors stay shut and say so.

use url::{Host, Url};

/// The host of every team: `<team>.cloudflareaccess.com`.
const ACCESS_HOST: &str = "cloudflareaccess.com";
/// Where a team publishes its keys.
const CERTS_PATH: &str = "/cdn-cgi/access/certs";

/// Which tokens are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    issuer: String,
    aud: String,
    certs_url: String,
    services: Vec<String>,
}

/// Variables that have to be set, or set right, before anybody is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset(pub Vec<&'static str>);

impl Settings {
    /// Reads the configuration through `variable`, which gives a variable's trimmed text, or `None` if it is blank.
    ///
    /// - `CF_ACCESS_TEAM_DOMAIN`: `https://<team>.cloudflareaccess.com`, without the scheme, or the team's name alone.
    /// - `CF_ACCESS_AUD`: the application's audience tag.
    /// - `CF_ACCESS_CERTS_URL`: where the keys are, if not at the team's usual address; `https`, or this machine.
    /// - `CF_ACCESS_SERVICE_TOKENS`: client ids of the service tokens that are let in, with commas. Blank: none is.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Unset> {
        let issuer = variable("CF_ACCESS_TEAM_DOMAIN").and_then(|domain| issuer(&domain));
        let aud = variable("CF_ACCESS_AUD").filter(|aud| aud.bytes().all(|b| b.is_ascii_graphic()));
        let certs_url = match (variable("CF_ACCESS_CERTS_URL"), &issuer) {
            (Some(url), _) => Some(url).filter(|url| is_safe(url)),
            (None, Some(issuer)) => Some(format!("{issuer}{CERTS_PATH}")),
            // What is missing is the team, said below.
            (None, None) => Some(String::new()),
        };
        let services = variable("CF_ACCESS_SERVICE_TOKENS").unwrap_or_default();
        let services = services.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        match (issuer, aud, certs_url) {
            (Some(issuer), Some(aud), Some(certs_url)) => Ok(Self { issuer, aud, certs_url, services }),
            (issuer, aud, certs_url) => {
                let missing = [
                    ("CF_ACCESS_TEAM_DOMAIN", issuer.is_none()),
                    ("CF_ACCESS_AUD", aud.is_none()),
                    ("CF_ACCESS_CERTS_URL", certs_url.is_none()),
                ];
                Err(Unset(missing.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()))
            }
        }
    }

    /// What `iss` must be, exactly.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What must be in `aud`.
    pub fn aud(&self) -> &str {
        &self.aud
    }

    /// Where the public keys are.
    pub fn certs_url(&self) -> &str {
        &self.certs_url
    }

    /// Whether the service token with this client id is let in.
    pub fn lets_in(&self, service: &str) -> bool {
        self.services.iter().any(|name| name == service)
    }
}

/// A team's domain as people write it, as `iss` has it.
fn issuer(domain: &str) -> Option<String> {
    let domain = domain.strip_prefix("https://").unwrap_or(domain);
    let domain = domain.strip_suffix('/').unwrap_or(domain).to_ascii_lowercase();
    let is_host = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'.');
    if domain.is_empty() || !domain.bytes().all(is_host) {
        return None;
    }
    Some(if domain.contains('.') { format!("https://{domain}") } else { format!("https://{domain}.{ACCESS_HOST}") })
}

/// Keys are taken from nobody who could be on the way: over TLS, or from this machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Unset> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::read(find)
    }

    #[test]
    fn a_team_may_be_written_in_three_ways() {
        for domain in [
            "acme",
            "acme.cloudflareaccess.com",
            "https://acme.cloudflareaccess.com",
            "https://ACME.cloudflareaccess.com/",
        ] {
            let settings = read(&[("CF_ACCESS_TEAM_DOMAIN", domain), ("CF_ACCESS_AUD", "a1")]).unwrap();
            assert_eq!(settings.issuer(), "https://acme.cloudflareaccess.com", "{domain}");
            assert_eq!(settings.certs_url(), "https://acme.cloudflareaccess.com/cdn-cgi/access/certs");
            assert!(!settings.lets_in(""));
        }
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_named() {
        let missing = |variables: &[(&str, &str)]| read(variables).unwrap_err().0;
        let (team, aud) = (("CF_ACCESS_TEAM_DOMAIN", "acme"), ("CF_ACCESS_AUD", "a1"));
        assert_eq!(missing(&[]), ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"]);
        assert_eq!(missing(&[team]), ["CF_ACCESS_AUD"]);
        assert_eq!(missing(&[aud]), ["CF_ACCESS_TEAM_DOMAIN"]);
        for domain in ["http://acme.cloudflareaccess.com", "acme/x", "https://", "a b", "acme:443", "acme@x", "аcme"] {
            assert_eq!(missing(&[("CF_ACCESS_TEAM_DOMAIN", domain), aud]), ["CF_ACCESS_TEAM_DOMAIN"], "{domain}");
        }
        assert_eq!(missing(&[team, ("CF_ACCESS_AUD", "a 1")]), ["CF_ACCESS_AUD"]);
        for url in [
            "http://acme.cloudflareaccess.com/certs",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "file:///x",
            "x",
        ] {
            assert_eq!(missing(&[team, aud, ("CF_ACCESS_CERTS_URL", url)]), ["CF_ACCESS_CERTS_URL"], "{url}");
        }
    }

    #[test]
    fn keys_may_come_from_elsewhere_over_tls_or_from_this_machine() {
        for url in
            ["https://keys.example/certs", "http://127.0.0.1:8082/certs", "http://localhost:1/", "http://[::1]:1/"]
        {
            let all = [("CF_ACCESS_TEAM_DOMAIN", "acme"), ("CF_ACCESS_AUD", "a1"), ("CF_ACCESS_CERTS_URL", url)];
            assert_eq!(read(&all).unwrap().certs_url(), url);
        }
    }

    #[test]
    fn service_tokens_are_let_in_by_their_whole_name() {
        let all = [
            ("CF_ACCESS_TEAM_DOMAIN", "acme"),
            ("CF_ACCESS_AUD", "a1"),
            ("CF_ACCESS_SERVICE_TOKENS", " one.access ,,two.access"),
        ];
        let settings = read(&all).unwrap();
        for (name, expected) in
            [("one.access", true), ("two.access", true), ("one", false), ("ONE.access", false), ("", false)]
        {
            assert_eq!(settings.lets_in(name), expected, "{name}");
        }
    }
}
