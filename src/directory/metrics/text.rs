//! Prometheus' text format, version 0.0.4 ("Exposition formats", prometheus.io): one `# HELP` and `# TYPE` a family, all
//! its samples together, `\`, `"` and newlines escaped in label values, buckets summed up and ending in `+Inf`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::counters::{BUCKETS_MS, Counters, Histogram};
use crate::directory::RelaySeen;
use crate::directory::alerts::AlertKind;

/// What is measured rather than counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gauges {
    pub version: &'static str,
    pub conversations: u64,
    /// Messages that wait: the Directory's own, and conversations' as they last told.
    pub outbox: [u64; 2],
    /// Of the day and of the month, 10⁻⁹ US dollars.
    pub spent: [u64; 2],
    pub caps: [u64; 2],
    pub backup_age_s: Option<i64>,
    /// Relays, and how many calls wait for one; `None`: there are none, or they are not known.
    pub relays: Option<(Vec<RelaySeen>, u32)>,
    /// Troubles under way, by kind.
    pub alerts: Vec<(AlertKind, u64)>,
}

/// Most relays with samples of their own.
const MOST_RELAYS: usize = 50;
/// The spans of [`Gauges::spent`] and [`Gauges::caps`].
const SPANS: [&str; 2] = ["day", "month"];

/// The whole page.
pub fn render(counters: &Counters, gauges: &Gauges) -> String {
    let mut page = Page(String::with_capacity(8 * 1024));
    page.family("build_info", "gauge", "The release that runs.");
    page.sample("build_info", &[("version", gauges.version)], "1");
    page.one("updates_total", "counter", "Updates taken in by conversations.", counters.updates);
    page.one("updates_dropped_total", "counter", "Updates that were taken in and dropped.", counters.dropped);
    page.family("turns_total", "counter", "Turns that ended, by outcome.");
    for (outcome, count) in &counters.turns {
        page.sample("turns_total", &[("outcome", outcome)], &count.to_string());
    }
    page.histogram("first_words_seconds", "From the first message in to the first words out.", &counters.first);
    page.histogram("turn_seconds", "From the first message in to the end of the turn.", &counters.total);
    page.family("model_calls_total", "counter", "Model calls that ended, by model and outcome.");
    for (model, sums) in &counters.models {
        for (outcome, count) in [("ok", sums.ok), ("failed", sums.failed)] {
            page.sample("model_calls_total", &[("model", model), ("outcome", outcome)], &count.to_string());
        }
    }
    page.family(
        "model_tokens_total",
        "counter",
        "Tokens by model and kind; cached_input is part of input, thinking of output.",
    );
    for (model, sums) in &counters.models {
        for (kind, count) in [
            ("input", sums.input),
            ("cached_input", sums.cached_input),
            ("output", sums.output),
            ("thinking", sums.thinking),
        ] {
            page.sample("model_tokens_total", &[("model", model), ("kind", kind)], &count.to_string());
        }
    }
    page.family("model_cost_usd_total", "counter", "What models cost, US dollars.");
    for (model, sums) in &counters.models {
        page.sample("model_cost_usd_total", &[("model", model)], &decimal(sums.nano_usd, 9));
    }
    page.family("provider_errors_total", "counter", "Failed model calls by provider and class of error.");
    for (provider, classes) in &counters.errors {
        for (class, count) in classes {
            page.sample("provider_errors_total", &[("provider", provider), ("class", class)], &count.to_string());
        }
    }
    page.family("outbox_waiting", "gauge", "Messages that wait to be sent; conversations as they last reported.");
    for (of, count) in ["directory", "conversations"].into_iter().zip(gauges.outbox) {
        page.sample("outbox_waiting", &[("of", of)], &count.to_string());
    }
    page.one("conversations", "gauge", "Conversations that exist.", gauges.conversations);
    for (name, help, values) in [
        ("budget_spent_usd", "Spent in this day and month (UTC), US dollars.", gauges.spent),
        ("budget_cap_usd", "The most that may be spent, US dollars.", gauges.caps),
    ] {
        page.family(name, "gauge", help);
        for (span, value) in SPANS.iter().zip(values) {
            page.sample(name, &[("span", span)], &decimal(value, 9));
        }
    }
    page.family("backup_age_seconds", "gauge", "Since the last backup; absent while there is none.");
    if let Some(age) = gauges.backup_age_s {
        page.sample("backup_age_seconds", &[], &age.to_string());
    }
    if let Some((relays, queued)) = &gauges.relays {
        page.relays(relays, *queued);
    }
    let mut alerts: BTreeMap<&str, u64> = AlertKind::ALL.iter().map(|kind| (kind.as_str(), 0)).collect();
    for (kind, count) in &gauges.alerts {
        *alerts.entry(kind.as_str()).or_default() += count;
    }
    page.family("alerts", "gauge", "Troubles under way, by kind.");
    for (kind, count) in alerts {
        page.sample("alerts", &[("kind", kind)], &count.to_string());
    }
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Help texts are ours: no backslash or newline is in them.
        let _ = write!(self.0, "# HELP tideclaw_{name} {help}\n# TYPE tideclaw_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.0, "tideclaw_{name}");
        for (index, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{}\"", if index == 0 { '{' } else { ',' }, escaped(text));
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], &value.to_string());
    }

    fn relays(&mut self, relays: &[RelaySeen], queued: u32) {
        // Their number is bounded by the hub, and here once more.
        let relays = relays.get(..relays.len().min(MOST_RELAYS)).unwrap_or_default();
        self.family("relay_connected", "gauge", "1: the relay is connected.");
        for relay in relays {
            self.sample("relay_connected", &[("relay", &relay.name)], if relay.connected { "1" } else { "0" });
        }
        self.family("relay_calls_in_flight", "gauge", "Calls a relay makes now.");
        for relay in relays {
            self.sample("relay_calls_in_flight", &[("relay", &relay.name)], &relay.in_flight.to_string());
        }
        self.one("relay_calls_queued", "gauge", "Calls that wait for a relay's free slot.", queued.into());
        self.family("relay_calls_total", "counter", "Calls through a relay that ended, by outcome.");
        for relay in relays {
            for (outcome, count) in [("ok", relay.ended_well), ("failed", relay.failed)] {
                let labels = [("relay", relay.name.as_str()), ("outcome", outcome)];
                self.sample("relay_calls_total", &labels, &count.to_string());
            }
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for (most, count) in BUCKETS_MS.iter().zip(histogram.counts) {
            below += count;
            self.sample(&bucket, &[("le", &decimal(*most, 3))], &below.to_string());
        }
        self.sample(&bucket, &[("le", "+Inf")], &histogram.count().to_string());
        self.sample(&format!("{name}_sum"), &[], &decimal(histogram.sum_ms, 3));
        self.sample(&format!("{name}_count"), &[], &histogram.count().to_string());
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `value` of 10⁻`digits` each as a decimal, exactly.
fn decimal(value: u64, digits: usize) -> String {
    let text = format!("{value:0>width$}", width = digits + 1);
    let (whole, rest) = text.split_at(text.len() - digits);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}
