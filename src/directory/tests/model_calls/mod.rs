//! Model calls against real SQLite: what is granted, counted, told, and what rests.

mod budget;
mod config;
mod counting;
mod health;
mod pinned;
mod random;
mod spend;

use super::*;
use crate::llm::{ErrorClass, Feature, ModelRef, Reset, Scope, Usage};

/// One dollar.
const USD: u64 = 1_000_000_000;
const CAPS: Caps = Caps { day_nano_usd: USD, month_nano_usd: 10 * USD, person_day_nano_usd: None };
const GPT: &str = "ollama/gpt-oss:120b";
const GLM: &str = "ollama/glm-5.3";
const FLASH: &str = "gemini/gemini-3.8-flash";

fn model(name: &str) -> ModelRef {
    name.parse().unwrap()
}

fn candidates(list: &[(&str, u64)]) -> Vec<Candidate> {
    list.iter().map(|&(name, estimate_nano_usd)| Candidate { model: model(name), estimate_nano_usd }).collect()
}

fn failure(class: ErrorClass) -> Failure {
    Failure { class, retry_after_ms: None, scope: None, reset: None, feature: None, relay: false }
}

impl World {
    fn ask(&self, reports: Vec<CallReport>, reserve: Option<Reserve>, caps: &Caps) -> Option<Reserved> {
        let ask = ModelAsk { session: "main:55".into(), reports, reserve, ..ModelAsk::default() };
        self.dir.model_call(&ask, caps, &self.cfg(), self.now()).unwrap().reserved
    }

    /// Ann asks for step `step`.
    fn reserve(&self, step: i64, list: &[(&str, u64)], caps: &Caps) -> Reserved {
        let reserve = Reserve { step, person: Some(ANN), candidates: candidates(list) };
        self.ask(vec![], Some(reserve), caps).unwrap()
    }

    /// Ann's call of `step`, ended now.
    fn report(&self, step: i64, name: &str, cost_nano_usd: u64) -> CallReport {
        CallReport {
            step,
            person: Some(ANN),
            model: model(name),
            at: self.now(),
            usage: Usage { input: 100, cached_input: 10, output: 20, thinking: 5, cost_nano_usd: None },
            cost_nano_usd,
            assumed: false,
            failure: None,
        }
    }

    fn tell(&self, report: CallReport) {
        self.ask(vec![report], None, &CAPS);
    }

    fn fail(&self, step: i64, name: &str, failure: Failure) {
        let report = CallReport { failure: Some(failure), ..self.report(step, name, 0) };
        self.tell(CallReport { usage: Usage::default(), ..report });
    }

    fn usage(&self) -> UsageView {
        let ask = UsageAsk { person: Some(OWNER), owner: true };
        self.dir.usage(&ask, &CAPS, &self.cfg(), self.now()).unwrap()
    }

    pub(super) fn rows(&self, table: &str) -> i64 {
        self.dir.sql.run(&format!("SELECT count(*) FROM {table}"), &[]).unwrap()[0].int(0).unwrap()
    }
}

#[track_caller]
fn granted(reserved: &Reserved) -> usize {
    match reserved {
        Reserved::Granted { candidate, .. } => *candidate,
        other => panic!("{other:?}"),
    }
}
