//! Which link targets Telegram takes in a `text_link`. One bad URL refuses the whole message, so doubt means no.
//!
//! Not here: the tables of UTS 46. They are 40 kB of the Worker (decision 008), so a host that is not ASCII is read by a
//! stricter rule: letters and digits only, written in the one form they are looked up in.
//!
//! Source: telegram.md §4.1 "links". The twin that judges the outcome on its own is in `legal`.

use std::borrow::Cow;

use idna::punycode;
use url::{Host, Url};

/// Longest URL put into an entity, in bytes; entities have a common budget of 8 KB.
const MAX_URL: usize = 2000;

/// What to do with the target of a Markdown link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Goes into a `text_link` as given here.
    Link(String),
    /// An address Telegram finds by itself in plain text (mail, phone), without its scheme.
    Address(String),
    /// Shown as code after the text.
    Shown(String),
    /// Not worth showing: nothing there, an inline image, a mention Telegram may refuse.
    Nothing,
}

/// Judges `dest`, the target as Markdown gives it.
pub(super) fn judge(dest: &str) -> Target {
    let dest = dest.trim();
    let lower = dest.get(..16.min(dest.len())).unwrap_or(dest).to_ascii_lowercase();
    if dest.is_empty() || lower.starts_with("data:") || lower.starts_with("tg://user") {
        return Target::Nothing;
    }
    if lower.starts_with("mailto:") || lower.starts_with("tel:") {
        let address = dest.split_once(':').map_or("", |(_, rest)| rest);
        let address = address.split('?').next().unwrap_or(address);
        return if address.is_empty() { Target::Nothing } else { Target::Address(address.to_owned()) };
    }
    let whole = if lower.starts_with("www.") { format!("https://{dest}") } else { dest.to_owned() };
    match fit(&whole) {
        Some(url) => Target::Link(url),
        None => Target::Shown(dest.to_owned()),
    }
}

/// The URL to send, or `None` if Telegram might refuse it.
fn fit(whole: &str) -> Option<String> {
    let whole = &*ascii_host(whole)?;
    let url = Url::parse(whole).ok()?;
    match url.scheme() {
        "http" | "https" => web(&url)?,
        "tg" | "ton" => app(&url)?,
        _ => return None,
    }
    // As written where possible; else as the parser understood it (`http://1/` is an address), %-encoded.
    let sent = if is_plain(whole, &url) { whole } else { url.as_str() };
    (sent.len() <= MAX_URL && codes_sound(sent)).then(|| sent.to_owned())
}

/// `whole` with a web host in ASCII: of a name in other letters, each such label in Punycode. `None` if that is not sure
/// to be the name a browser would look up.
fn ascii_host(whole: &str) -> Option<Cow<'_, str>> {
    let Some((scheme, rest)) = whole.split_once("://") else { return Some(whole.into()) };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.is_ascii() || !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return Some(whole.into());
    }
    let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    let labels: Option<Vec<_>> = host.to_lowercase().split('.').map(ascii_label).collect();
    Some(format!("{scheme}://{}{port}{path}", labels?.join(".")).into())
}

fn ascii_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let sound = label.chars().all(|c| c.is_alphanumeric() || c == '-');
    punycode::encode_str(label).filter(|_| sound).map(|code| format!("xn--{code}"))
}

/// Whether the URL needs no encoding, and names its host in the way every parser reads alike.
fn is_plain(whole: &str, url: &Url) -> bool {
    let Some((scheme, rest)) = whole.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("").to_ascii_lowercase();
    let host = url.host_str().unwrap_or("");
    let port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    whole.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
        && scheme.eq_ignore_ascii_case(url.scheme())
        && (authority == host || Some(authority) == port)
}

fn web(url: &Url) -> Option<()> {
    if !url.username().is_empty() || url.password().is_some() || url.port() == Some(0) {
        return None;
    }
    match url.host()? {
        Host::Domain(host) => {
            let host_sound = host.split('.').count() > 1
                && host.split('.').all(|label| {
                    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
                });
            host_sound.then_some(())
        }
        Host::Ipv4(_) => Some(()),
        Host::Ipv6(_) => None,
    }
}

fn app(url: &Url) -> Option<()> {
    let host = url.host_str()?;
    let sound = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (sound && url.username().is_empty() && url.password().is_none() && url.port().is_none()).then_some(())
}

fn codes_sound(url: &str) -> bool {
    url.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}
