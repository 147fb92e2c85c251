//! Relays, as `/status` tells of them.

use super::Lang;
use super::calendar::date_time;

/// A relay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relay {
    pub name: String,
    pub connected: bool,
    /// Connected or away since, Unix ms.
    pub since: i64,
    /// It finishes what it has and takes nothing new.
    pub draining: bool,
    /// Its Ollama does not answer.
    pub trouble: bool,
    /// Models in memory.
    pub loaded: Vec<String>,
    pub latency_ms: Option<u32>,
    pub in_flight: u32,
    pub max_parallel: u32,
}

/// One line each. `None`: what is known of them did not come.
pub fn lines(lang: Lang, relays: Option<&[Relay]>, queued: u32) -> Vec<String> {
    let Some(relays) = relays else {
        return vec![lang.pick("Relays: no word from the hub", "Реле: хаб не отвечает").to_owned()];
    };
    if relays.is_empty() {
        return vec![lang.pick("Relays: none has connected yet", "Реле: пока ни одно не подключалось").to_owned()];
    }
    let mut lines: Vec<String> = relays.iter().map(|relay| line(lang, relay)).collect();
    if queued > 0 {
        lines.push(format!("{}: {queued}", lang.pick("Waiting for a place on a relay", "Ждут места на реле")));
    }
    lines
}

fn line(lang: Lang, relay: &Relay) -> String {
    let (name, since) = (&relay.name, date_time(relay.since));
    if !relay.connected {
        return match lang {
            Lang::En => format!("Relay {name}: away since {since} UTC"),
            Lang::Ru => format!("Реле {name}: нет связи с {since} UTC"),
        };
    }
    let mut parts = vec![match lang {
        Lang::En => format!("Relay {name}: connected since {since} UTC"),
        Lang::Ru => format!("Реле {name}: на связи с {since} UTC"),
    }];
    let (busy, most) = (relay.in_flight, relay.max_parallel);
    parts.push(match lang {
        Lang::En => format!("{busy} of {most} at work"),
        Lang::Ru => format!("занято {busy} из {most}"),
    });
    parts.extend(relay.latency_ms.map(|ms| format!("{ms} {}", lang.pick("ms", "мс"))));
    parts.push(match relay.loaded.as_slice() {
        [] => lang.pick("no model loaded", "модели не загружены").to_owned(),
        loaded => format!("{}: {}", lang.pick("loaded", "загружены"), loaded.join(", ")),
    });
    if relay.trouble {
        parts.push(lang.pick("⚠️ its Ollama does not answer", "⚠️ его Ollama не отвечает").to_owned());
    }
    if relay.draining {
        parts.push(lang.pick("about to stop", "останавливается").to_owned());
    }
    parts.join("; ")
}
