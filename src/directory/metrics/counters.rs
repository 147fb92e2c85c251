//! What is counted; it only grows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::activity::Activity;
use crate::directory::model_calls::exchange::CallReport;
use crate::llm::redact::clip;

/// Upper bounds of the buckets, milliseconds: from an instant answer to the longest a turn may take.
pub const BUCKETS_MS: [u64; 12] =
    [250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 45_000, 90_000, 180_000, 600_000];
/// Models told apart; further ones are `other`.
pub const MAX_MODELS: usize = 100;
/// Providers and outcomes told apart.
const MAX_FEW: usize = 20;
/// Longest label, in characters.
const MAX_LABEL: usize = 128;
const OTHER: &str = "other";

/// All counters. Fields are only added, each with a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub updates: u64,
    /// Of these, those that were dropped.
    pub dropped: u64,
    /// By outcome.
    pub turns: BTreeMap<String, u64>,
    /// From the first message in to the first words out.
    pub first: Histogram,
    /// From the first message in to the end.
    pub total: Histogram,
    /// By `provider/model`.
    pub models: BTreeMap<String, ModelCounters>,
    /// By provider, then class.
    pub errors: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Calls of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelCounters {
    pub ok: u64,
    pub failed: u64,
    /// Tokens; the cached share included.
    pub input: u64,
    pub cached_input: u64,
    /// Tokens; thinking included.
    pub output: u64,
    pub thinking: u64,
    pub nano_usd: u64,
}

/// How many took how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Histogram {
    /// By bucket, not summed up; the last one is for what no bucket holds.
    pub counts: [u64; BUCKETS_MS.len() + 1],
    pub sum_ms: u64,
}

impl Histogram {
    pub fn add(&mut self, ms: i64) {
        let ms = ms.max(0).unsigned_abs();
        let bucket = BUCKETS_MS.iter().position(|most| ms <= *most).unwrap_or(BUCKETS_MS.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    /// Of all of them.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Counters {
    /// A call that ended.
    pub fn add_call(&mut self, report: &CallReport) {
        let model = entry(&mut self.models, &report.model.to_string(), MAX_MODELS);
        let usage = &report.usage;
        match &report.failure {
            None => add(&mut model.ok, 1),
            Some(_) => add(&mut model.failed, 1),
        }
        add(&mut model.input, usage.input);
        add(&mut model.cached_input, usage.cached_input);
        add(&mut model.output, usage.output);
        add(&mut model.thinking, usage.thinking);
        add(&mut model.nano_usd, report.cost_nano_usd);
        if let Some(failure) = &report.failure {
            let class = serde_json::to_value(failure.class).ok();
            let class = class.as_ref().and_then(|class| class.as_str()).unwrap_or(OTHER);
            add(entry(entry(&mut self.errors, &report.model.provider, MAX_FEW), class, MAX_FEW), 1);
        }
    }

    /// What a conversation tells of itself.
    pub fn add_activity(&mut self, activity: &Activity) {
        add(&mut self.updates, activity.updates);
        add(&mut self.dropped, activity.dropped);
        for turn in &activity.turns {
            add(entry(&mut self.turns, &turn.outcome, MAX_FEW), 1);
            if let Some(first) = turn.first_ms {
                self.first.add(first);
            }
            self.total.add(turn.total_ms);
        }
    }
}

fn add(counter: &mut u64, more: u64) {
    // Within what JSON's readers keep exact.
    *counter = counter.saturating_add(more).min(1 << 53);
}

/// The entry called `name`, or that of all others when there are too many.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str, most: usize) -> &'a mut T {
    let name = clip(if name.is_empty() { OTHER } else { name }, MAX_LABEL);
    let name = if map.len() < most || map.contains_key(&name) { name } else { OTHER.to_owned() };
    map.entry(name).or_default()
}
