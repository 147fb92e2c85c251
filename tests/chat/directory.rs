//! The Directory as a conversation meets it: the real one over a store of its own, with answers to script and silence.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tideclaw::directory::config::ConfigMark;
use tideclaw::directory::{
    Activity, Actor, CallReport, Caps, Config, ConversationRow, Directory as Real, ModelAnswer, ModelAsk, Reserve,
    Reserved, UsageAsk, UsageView,
};

use serde_json::Value;
use tideclaw::store::Sql;

use super::store::Store;

/// Which release of the Directory is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// It knows no configuration.
    Older,
    Ours,
    /// It answers with a word that conversations do not know.
    Newer,
}

pub struct Directory {
    real: Real<Store>,
    store: Store,
    pub release: Cell<Release>,
    /// The configuration each question said.
    pub marks: RefCell<Vec<Option<ConfigMark>>>,
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
        let store = Store::new();
        Directory {
            real: Real::new(store.clone()).unwrap(),
            store,
            release: Cell::new(Release::Ours),
            marks: RefCell::default(),
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

    /// Somebody saves this document; its version.
    pub fn save(&self, document: &Value, now: i64) -> i64 {
        let base = self.real.live().unwrap().map_or(0, |(version, _)| version);
        self.real.save_config(base, &document.to_string(), "", &Actor::System, now).unwrap().version
    }

    /// A backup from before the first save is put back.
    pub fn forget_saves(&self) {
        self.store.run("DELETE FROM config_version", &[]).unwrap();
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
        self.marks.borrow_mut().push(ask.config);
        if self.release.get() == Release::Older {
            ask.config = None;
        }
        self.reports.borrow_mut().extend(ask.reports.clone());
        self.activities.borrow_mut().extend(ask.activity.clone().map(|activity| (now, activity)));
        let scripted = ask.reserve.is_some().then(|| self.answers.borrow_mut().pop_front()).flatten();
        self.asked.borrow_mut().extend(ask.reserve.clone());
        if scripted.is_some() {
            ask.reserve = None;
        }
        let answer = self.real.model_call(&ask, &self.caps.get(), &NOBODY, now).unwrap();
        if self.release.get() == Release::Newer && ask.reserve.is_some() {
            return Some(r#"{"reserved":{"ponder":{"for_ms":5}},"mood":"good"}"#.to_owned());
        }
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
