//! What a failed call means: whether the same model is asked again and when, and what the person hears
//! (providers.md §5.2). Not here: which model comes next (`run`), how long one rests (`directory::model_calls`).

use super::meter::NoLeave;
use crate::directory;
use crate::llm::{self, ErrorClass, ModelError};
use crate::text::trouble::{Cap, RelayTrouble, Trouble};

/// Tries of one model under one leave, the first included (two retries).
const MAX_TRIES: u32 = 3;
/// A provider that asks for a longer pause than this is not waited for.
const LONGEST_PAUSE_MS: i64 = 20_000;

/// The pause before the next try of the same model, or `None` if another would not help. A quarter of it varies with
/// `salt`, so that conversations that failed together do not come again together.
pub(super) fn retry_pause(error: &ModelError, tries: u32, salt: i64) -> Option<i64> {
    if tries >= MAX_TRIES {
        return None;
    }
    let asked = error.retry_after_ms.and_then(|ms| i64::try_from(ms).ok());
    let vary = |ms: i64| ms + ms * (salt.wrapping_mul(7_919).rem_euclid(251)) / 1_000;
    match error.class {
        ErrorClass::Transient => {
            Some(asked.unwrap_or_else(|| vary(500 << (tries - 1)))).filter(|&ms| ms <= LONGEST_PAUSE_MS)
        }
        ErrorClass::Rate => {
            Some(asked.unwrap_or_else(|| vary(2_000 << (tries - 1)))).filter(|&ms| ms <= LONGEST_PAUSE_MS)
        }
        ErrorClass::Empty if tries == 1 => Some(0),
        _ => None,
    }
}

pub(super) fn trouble_of(error: &ModelError) -> Trouble {
    if let Some(trouble) = error.relay.and_then(trouble_of_relay) {
        return Trouble::Relay(trouble);
    }
    match error.class {
        ErrorClass::Auth => Trouble::Key,
        ErrorClass::Plan | ErrorClass::Retired => Trouble::ModelUnavailable,
        ErrorClass::Quota => Trouble::Quota,
        ErrorClass::Rate => Trouble::Busy,
        ErrorClass::Transient => Trouble::Unreachable,
        ErrorClass::Overflow => Trouble::TooLong,
        ErrorClass::BadRequest => Trouble::Refused,
        ErrorClass::Content => Trouble::Declined,
        ErrorClass::Empty => Trouble::Empty,
    }
}

/// `None`: what the error's class says is all there is to say.
fn trouble_of_relay(trouble: llm::RelayTrouble) -> Option<RelayTrouble> {
    match trouble {
        llm::RelayTrouble::NoRelay => Some(RelayTrouble::Away),
        llm::RelayTrouble::Lost | llm::RelayTrouble::Protocol => Some(RelayTrouble::Lost),
        llm::RelayTrouble::Unreachable | llm::RelayTrouble::Broken => Some(RelayTrouble::Ollama),
        llm::RelayTrouble::Busy => Some(RelayTrouble::Busy),
        llm::RelayTrouble::NoModel => Some(RelayTrouble::NoModel),
        llm::RelayTrouble::Refused => None,
    }
}

pub(super) fn trouble_of_refusal(refusal: NoLeave) -> Trouble {
    match refusal {
        NoLeave::Capped { cap, until } => Trouble::Capped { cap: cap_of(cap), until },
        NoLeave::Unknown | NoLeave::Reconfigured => Trouble::NoLeave,
    }
}

fn cap_of(cap: directory::Cap) -> Cap {
    match cap {
        directory::Cap::Day => Cap::Day,
        directory::Cap::Month => Cap::Month,
        directory::Cap::Person => Cap::Person,
    }
}
