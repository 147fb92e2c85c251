//! The Directory's side of model calls, scripted: records what it is asked and grants the first model unless told else.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tideclaw::directory::{CallReport, ModelAnswer, ModelAsk, Reserve, Reserved, Totals, UsageView};

#[derive(Default)]
pub struct Directory {
    /// Every report heard, a repeated one each time.
    pub reports: RefCell<Vec<CallReport>>,
    /// Every question heard.
    pub asked: RefCell<Vec<Reserve>>,
    answers: RefCell<VecDeque<Reserved>>,
    /// Nobody answers for so many requests.
    pub silent: Cell<u32>,
}

impl Directory {
    /// The next question is answered so.
    pub fn next(&self, reserved: Reserved) {
        self.answers.borrow_mut().push_back(reserved);
    }

    pub fn hear(&self, route: &str, body: &str) -> Option<String> {
        if self.silent.get() > 0 {
            self.silent.set(self.silent.get() - 1);
            return None;
        }
        if route == "/usage" {
            let day = Totals { calls: 7, nano_usd: 1_370_000_000, ..Totals::default() };
            let view = UsageView {
                owner: true,
                day,
                month: day,
                caps: None,
                person_cap_nano_usd: None,
                by_model: Vec::new(),
                by_person: Vec::new(),
                resting: Vec::new(),
            };
            return serde_json::to_string(&view).ok();
        }
        let ask: ModelAsk = serde_json::from_str(body).unwrap();
        self.reports.borrow_mut().extend(ask.reports);
        let reserved = ask.reserve.map(|reserve| {
            self.asked.borrow_mut().push(reserve);
            let granted = Reserved::Granted { candidate: 0, without: Vec::new() };
            self.answers.borrow_mut().pop_front().unwrap_or(granted)
        });
        serde_json::to_string(&ModelAnswer { reserved }).ok()
    }
}
