//! What Telegram accepts and shows unchanged, written as a check of one piece.
//!
//! The native twin of the local emulator, and the judge of the tests: it shares no rule with the code it judges but
//! the limits. Telegram refuses some of what is illegal here, and silently repairs or drops the rest; we want neither.
//!
//! Source: telegram.md §3.1 "Sizes" and §4.1 "Rules of entities"; Bot API, MessageEntity.

use thiserror::Error;

use super::{Entity, EntityKind, Formatted, MAX_ENTITIES, MAX_ENTITY_BYTES, MAX_TEXT, is_blank};

/// The rule a piece breaks. `index` is that of the entity in the piece.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Illegal {
    /// `Bad Request: message text is empty`.
    #[error("nothing visible")]
    Empty,
    /// `Bad Request: message is too long`.
    #[error("{units} UTF-16 units of text")]
    TooLong { units: usize },
    /// Telegram trims, and all offsets would be off.
    #[error("white space at an end")]
    Untrimmed,
    /// Telegram drops or replaces it.
    #[error("forbidden character U+{0:04X}")]
    Character(u32),
    /// Over 100, counted after overlap splitting, the rest is dropped silently.
    #[error("{count} entities as Telegram counts them")]
    TooMany { count: usize },
    /// `ENTITIES_TOO_LONG`.
    #[error("{bytes} bytes of entities")]
    TooLarge { bytes: usize },
    #[error("entity {index} is empty or passes the end")]
    Bounds { index: usize },
    /// `entity begins in a middle of a UTF-16 symbol`.
    #[error("entity {index} cuts a surrogate pair")]
    Surrogate { index: usize },
    #[error("entity {index} covers nothing visible or ends in white space")]
    Blank { index: usize },
    #[error("entity {index} is out of order")]
    Order { index: usize },
    #[error("entities {outer} and {inner} overlap without one being inside the other")]
    Crossing { outer: usize, inner: usize },
    #[error("entity {inner} may not stand inside entity {outer}")]
    Nesting { outer: usize, inner: usize },
    #[error("entity {index} is a quotation of half lines")]
    HalfLine { index: usize },
    /// `entity URL '…' is invalid`.
    #[error("entity {index} has a bad URL or one where none belongs")]
    Url { index: usize },
    #[error("entity {index} has a bad language or one where none belongs")]
    Language { index: usize },
}

/// Checks one piece against every rule.
pub fn check(piece: &Formatted) -> Result<(), Illegal> {
    check_text(&piece.text)?;
    check_sizes(piece)?;
    let units: Vec<u16> = piece.text.encode_utf16().collect();
    for (index, entity) in piece.entities.iter().enumerate() {
        check_alone(entity, index, &units)?;
    }
    check_nesting(&piece.entities)
}

fn check_text(text: &str) -> Result<(), Illegal> {
    if text.chars().all(is_blank) {
        return Err(Illegal::Empty);
    }
    let units = text.encode_utf16().count();
    if units > MAX_TEXT {
        return Err(Illegal::TooLong { units });
    }
    if text.trim() != text {
        return Err(Illegal::Untrimmed);
    }
    let forbidden = |c: &char| {
        matches!(c, '\0'..='\u{9}' | '\u{B}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{2028}'..='\u{202E}'
            | '\u{30A}' | '\u{333}' | '\u{33F}')
    };
    text.chars().find(forbidden).map_or(Ok(()), |c| Err(Illegal::Character(c.into())))
}

fn check_sizes(piece: &Formatted) -> Result<(), Illegal> {
    let entities = &piece.entities;
    let mut count = entities.len();
    if count <= MAX_ENTITIES {
        // A style counts once more for every place inside it where another entity begins or ends.
        for style in entities.iter().filter(|entity| entity.kind.is_style()) {
            let mut borders: Vec<u64> = entities.iter().flat_map(|other| [start(other), end(other)]).collect();
            borders.sort_unstable();
            borders.dedup();
            count += borders.iter().filter(|&&border| start(style) < border && border < end(style)).count();
        }
    }
    if count > MAX_ENTITIES {
        return Err(Illegal::TooMany { count });
    }
    let bytes = serde_json::to_string(entities).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_ENTITY_BYTES {
        return Err(Illegal::TooLarge { bytes });
    }
    Ok(())
}

fn start(entity: &Entity) -> u64 {
    entity.offset.into()
}

fn end(entity: &Entity) -> u64 {
    u64::from(entity.offset) + u64::from(entity.length)
}

fn check_alone(entity: &Entity, index: usize, units: &[u16]) -> Result<(), Illegal> {
    let (from, to) = (entity.offset as usize, usize::try_from(end(entity)).unwrap_or(usize::MAX));
    let covered = units.get(from..to).filter(|covered| !covered.is_empty()).ok_or(Illegal::Bounds { index })?;
    let low = |unit: Option<&u16>| unit.is_some_and(|unit| (0xDC00..0xE000).contains(unit));
    if low(covered.first()) || low(units.get(to)) {
        return Err(Illegal::Surrogate { index });
    }
    let covered = String::from_utf16_lossy(covered);
    if covered.chars().all(is_blank) || covered.trim_end() != covered {
        return Err(Illegal::Blank { index });
    }
    if entity.kind.is_quote() {
        let in_line = |unit: &&u16| {
            **unit != u16::from(b'\n') && char::from_u32(u32::from(**unit)).is_some_and(char::is_whitespace)
        };
        let before = units.get(..from).unwrap_or(&[]).iter().rev().find(|unit| !in_line(unit));
        let after = units.get(to..).unwrap_or(&[]).iter().find(|unit| !in_line(unit));
        if [before, after].into_iter().flatten().any(|&unit| unit != u16::from(b'\n')) {
            return Err(Illegal::HalfLine { index });
        }
    }
    if (entity.kind == EntityKind::TextLink) != entity.url.is_some() || !entity.url.as_deref().is_none_or(is_url) {
        return Err(Illegal::Url { index });
    }
    let is_language = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+#-".contains(&byte))
    };
    if let Some(language) = &entity.language
        && (entity.kind != EntityKind::Pre || !is_language(language))
    {
        return Err(Illegal::Language { index });
    }
    Ok(())
}

fn check_nesting(entities: &[Entity]) -> Result<(), Illegal> {
    let mut open: Vec<(usize, &Entity)> = Vec::new();
    let mut last: Option<&Entity> = None;
    for (inner, entity) in entities.iter().enumerate() {
        if last.is_some_and(|last| {
            (start(last), std::cmp::Reverse(end(last))) > (start(entity), std::cmp::Reverse(end(entity)))
        }) {
            return Err(Illegal::Order { index: inner });
        }
        last = Some(entity);
        open.retain(|(_, outer)| end(outer) > start(entity));
        for &(outer, container) in &open {
            if end(container) < end(entity) {
                return Err(Illegal::Crossing { outer, inner });
            }
            if !may_contain(container.kind, entity.kind) {
                return Err(Illegal::Nesting { outer, inner });
            }
        }
        open.push((inner, entity));
    }
    Ok(())
}

fn may_contain(outer: EntityKind, inner: EntityKind) -> bool {
    match (outer, inner) {
        (EntityKind::Code | EntityKind::Pre, _) => false,
        (outer, inner) if outer.is_quote() => !inner.is_quote(),
        (_, EntityKind::Code | EntityKind::Pre) => false,
        // A quotation of whole lines inside a style or a link has not been seen to survive.
        (_, inner) if inner.is_quote() => false,
        (outer, inner) => outer != inner,
    }
}

/// The URLs Telegram takes in an entity, as its parser reads them.
fn is_url(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let (rest, is_web) = match ["http://", "https://", "tg://", "ton://"].iter().position(|s| lower.starts_with(s)) {
        Some(index) => (lower.split_once("://").map_or("", |(_, rest)| rest), index < 2),
        None => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_sound = match port {
        None => true,
        Some(port) => is_web && port.parse::<u16>().is_ok_and(|port| port > 0),
    };
    let host_sound = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || is_web && byte == b'.');
    let dots_sound = !is_web
        || host.trim_end_matches('.') == host && host.contains('.') && !host.starts_with('.') && !host.contains("..");
    let codes_sound =
        url.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    let bytes_sound = url.bytes().all(|byte| byte.is_ascii_graphic());
    let user = !is_web && host == "user";
    port_sound && host_sound && dots_sound && codes_sound && bytes_sound && !user
}
