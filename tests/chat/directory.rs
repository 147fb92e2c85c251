//! The Directory as a conversation meets it: the real one over a store of its own, with answers to script and silence.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tideclaw::directory::{
    Activity, CallReport, Caps, Config, ConversationRow, Directory as Real, ModelAnswer, ModelAsk, Reserve, Reserved,
    UsageAsk, UsageView,
};

use super::store::Store;

pub struct Directory {
    real: Real<Store>,
    pub caps: Cell<Caps>,
    /// Every report heard, a repeated one each time.
    pub reports: RefCell<Vec<CallReport>>,
    /// Every activity heard, and when; a repeated one each time.
    pub activities: RefCell<Vec<(i64, Activity)>>,
    /// Every question heard.
    pub asked: RefCell<Vec<Reserve>>,
    answers: RefCell<VecDeque<Reserved>>,
    /// Nobody answers for so many requests.
    pub silent: Cell<u32>,
    /// So many requests are acted on, but the answer is lost.
    pub deaf: Cell<u32>,
}

const NOBODY: Config<'static> = Config { owners: &[], claim_code: None };

impl Directory {
    pub fn new() -> Directory {
        let plenty = Caps { day_nano_usd: u64::MAX, month_nano_usd: u64::MAX, person_day_nano_usd: None };
        Directory {
            real: Real::new(Store::new()).unwrap(),
            caps: Cell::new(plenty),
            reports: RefCell::default(),
            activities: RefCell::default(),
            asked: RefCell::default(),
            answers: RefCell::default(),
            silent: Cell::default(),
            deaf: Cell::default(),
        }
    }

    /// The next question is answered so, whatever the Directory would say.
    pub fn next(&self, reserved: Reserved) {
        self.answers.borrow_mut().push_back(reserved);
    }

    pub fn hear(&self, route: &str, body: &str, now: i64) -> Option<String> {
        if self.silent.get() > 0 {
            self.silent.set(self.silent.get() - 1);
            return None;
        }
        if route == "/usage" {
            return serde_json::to_string(&self.usage(&serde_json::from_str(body).unwrap(), now)).ok();
        }
        let mut ask: ModelAsk = serde_json::from_str(body).unwrap();
        self.reports.borrow_mut().extend(ask.reports.clone());
        self.activities.borrow_mut().extend(ask.activity.clone().map(|activity| (now, activity)));
        let scripted = ask.reserve.is_some().then(|| self.answers.borrow_mut().pop_front()).flatten();
        self.asked.borrow_mut().extend(ask.reserve.clone());
        if scripted.is_some() {
            ask.reserve = None;
        }
        let answer = self.real.model_call(&ask, &self.caps.get(), &NOBODY, now).unwrap();
        if self.deaf.get() > 0 {
            self.deaf.set(self.deaf.get() - 1);
            return None;
        }
        serde_json::to_string(&ModelAnswer { reserved: scripted.or(answer.reserved), ..answer }).ok()
    }

    /// The row of the index.
    pub fn row(&self, session: &str) -> ConversationRow {
        self.real.conversation(session).unwrap().unwrap_or_default()
    }

    pub fn usage(&self, ask: &UsageAsk, now: i64) -> UsageView {
        self.real.usage(ask, &self.caps.get(), &NOBODY, now).unwrap()
    }
}
