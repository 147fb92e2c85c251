//! One tiny real call: is the model there, how fast, and what does it cost?
//!
//! Made with the request builders, parsers and price table of conversations, with the Directory's leave before and a report
//! after, so that caps hold and it is counted. A rest does not keep it from being made: it finds out whether the rest is
//! still due, and a success ends it. Not here: retries, of which a test has none.

use std::collections::BTreeSet;

use serde::Serialize;

use super::report::{catalogue_of, servers_of, state_of};
use crate::admin::port::{Ended, ModelReply, Office, read};
use crate::admin::relays::wanted;
use crate::directory::desk::models::{Heard, Leave, ModelsAsk};
use crate::directory::desk::{DeskAsk, Refused};
use crate::directory::{CallReport, Candidate, Cap, Failure, Reserved};
use crate::llm::catalogue::{cost_nano_usd, estimate_nano_usd};
use crate::llm::{
    Accumulator, ErrorClass, Feature, Message, ModelError, ModelRef, Part, Prompt, Provider, Role, Server, Usage,
    ollama,
};

/// For the whole call, milliseconds.
const DEADLINE_MS: i64 = 20_000;
/// The same through a relay, where the model may have to be loaded first.
const RELAY_DEADLINE_MS: i64 = 60_000;
/// Enough for a word and some thinking before it.
const MAX_OUTPUT: u32 = 256;
/// More than the question has, tokens.
const INPUT: u64 = 64;

/// What came of a test call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ping {
    pub model: ModelRef,
    pub ok: bool,
    /// Until the answer's first byte, milliseconds.
    pub first_ms: Option<i64>,
    /// 0: no call was made.
    pub total_ms: i64,
    /// Tokens.
    pub input: u64,
    pub output: u64,
    pub nano_usd: u64,
    /// The cost rests on an assumed price, or on a guess at the tokens.
    pub assumed: bool,
    /// AI Gateway's name for the call.
    pub log_id: Option<String>,
    pub trouble: Option<Trouble>,
}

/// Why it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// A class of failure (`auth`, `quota`, …), `timed_out`, `capped_day` or `capped_month`.
    pub code: String,
    /// The HTTP status, if a server answered.
    pub status: Option<u16>,
    /// Its words, without secrets; may be empty.
    pub detail: String,
}

/// How a call ended.
enum Outcome {
    Answered,
    TimedOut,
    Failed(ModelError),
}

pub async fn ping<O: Office>(office: &O, model: &ModelRef) -> Result<Ping, Refused> {
    let servers = servers_of(office);
    let Some(server) = servers.of(model) else {
        return Err(Refused::bad_input(&format!("The provider of `{model}` is not set up.")));
    };
    let bot = office.bots().into_iter().next().ok_or_else(|| Refused::bad_input("No bot has a token."))?;
    let (catalogue, _) = catalogue_of(office, &state_of(office).await?);
    let facts = catalogue.facts(model, server.is_local());
    // As conversations ask for it: asked for less, a server at home would load the model anew, and again for the next of them.
    let (price, context) = (facts.price, ollama::asked_window(facts.context_tokens));
    let estimate = estimate_nano_usd(&price, INPUT, MAX_OUTPUT.into(), office.now());
    let candidate = Candidate { model: model.clone(), estimate_nano_usd: estimate };
    let ask = ModelsAsk::Leave { bot: bot.clone(), candidate };
    let leave: Leave = read(&office.directory(&DeskAsk::Models(ask)).await?)?;
    let without = match leave.reserved {
        Some(Reserved::Granted { without, .. }) => without,
        Some(Reserved::Capped { cap, .. }) => return Ok(capped(model, cap)),
        _ => return Err(Refused::new(503, "not_reachable", "No leave for the call was given. Try again.")),
    };
    let (reply, outcome, answer) = call(office, &server, model, context, without).await;
    let (usage, guessed) = used(&answer, &outcome);
    let cost = cost_nano_usd(&price, &usage, office.now());
    let assumed = guessed || (price.assumed && usage.cost_nano_usd.is_none());
    let report = CallReport {
        step: leave.step,
        person: None,
        model: model.clone(),
        at: office.now(),
        usage,
        cost_nano_usd: cost,
        assumed,
        failure: match &outcome {
            Outcome::Answered => None,
            // Conversations wait longer: that it was slow is no reason to let it rest.
            Outcome::TimedOut => Some(Failure::from(&ModelError::new(ErrorClass::Empty, "slow"))),
            Outcome::Failed(error) => Some(Failure::from(error)),
        },
    };
    // Should this get lost, the call is counted at its estimate.
    let _: Heard = read(&office.directory(&DeskAsk::Models(ModelsAsk::Report { bot, report })).await?)?;
    Ok(Ping {
        model: model.clone(),
        ok: matches!(outcome, Outcome::Answered),
        first_ms: reply.first_ms,
        total_ms: reply.total_ms,
        input: usage.input,
        output: usage.output,
        nano_usd: cost,
        assumed,
        log_id: reply.log_id,
        trouble: match outcome {
            Outcome::Answered => None,
            Outcome::TimedOut => {
                Some(Trouble { code: "timed_out".into(), status: reply.status, detail: String::new() })
            }
            Outcome::Failed(error) => {
                Some(Trouble { code: word(error.class), status: error.status.or(reply.status), detail: error.detail })
            }
        },
    })
}

async fn call<O: Office>(
    office: &O,
    server: &Server,
    model: &ModelRef,
    context: u32,
    without: Vec<Feature>,
) -> (ModelReply, Outcome, Accumulator) {
    let prompt = Prompt {
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::text("This is a test of the connection. Reply with the one word: pong".to_owned())],
        }],
        max_output_tokens: Some(MAX_OUTPUT),
        context_tokens: Some(context),
        dropped: without.into_iter().collect::<BTreeSet<_>>(),
        ..Prompt::default()
    };
    let request = server.seal(server.provider.request(&server.endpoint, &model.model, &prompt), &[("ping", 1)]);
    let deadline = if wanted(model).is_some() { RELAY_DEADLINE_MS } else { DEADLINE_MS };
    let reply = office.model(request, deadline).await;
    let mut answer = Accumulator::new(model.clone());
    let outcome = heard(server.provider, &reply, &mut answer);
    (reply, outcome, answer)
}

/// Reads what came.
fn heard(provider: Provider, reply: &ModelReply, answer: &mut Accumulator) -> Outcome {
    let status = match reply.status {
        Some(status) => status,
        None if reply.ended == Ended::TimedOut => return Outcome::TimedOut,
        None => return Outcome::Failed(ModelError::transient("connection failed")),
    };
    if !(200..300).contains(&status) {
        return Outcome::Failed(provider.classify(status, reply.retry_after.as_deref(), &reply.body));
    }
    let mut parser = provider.parser();
    let mut events = Vec::new();
    parser.feed(&reply.body, &mut events);
    if reply.ended == Ended::Whole {
        parser.end(&mut events);
    }
    answer.drain(&mut events);
    match (answer.outcome(), reply.ended) {
        (Ok(_), _) => Outcome::Answered,
        // All its words went into thinking: it is there all the same.
        (Err(error), _) if error.class == ErrorClass::Empty && !answer.thought().is_empty() => Outcome::Answered,
        (Err(_), Ended::TimedOut) if !answer.is_ended() => Outcome::TimedOut,
        (Err(error), _) => Outcome::Failed(error),
    }
}

/// What was consumed, and whether that is a guess. Nobody bills a refusal.
fn used(answer: &Accumulator, outcome: &Outcome) -> (Usage, bool) {
    match (answer.usage(), outcome) {
        (Some(usage), _) => (usage, false),
        (None, Outcome::Failed(_)) => (Usage::default(), false),
        (None, _) => (Usage { input: INPUT, output: MAX_OUTPUT.into(), ..Usage::default() }, true),
    }
}

fn capped(model: &ModelRef, cap: Cap) -> Ping {
    let code = if cap == Cap::Month { "capped_month" } else { "capped_day" };
    Ping {
        model: model.clone(),
        ok: false,
        first_ms: None,
        total_ms: 0,
        input: 0,
        output: 0,
        nano_usd: 0,
        assumed: false,
        log_id: None,
        trouble: Some(Trouble { code: code.into(), status: None, detail: String::new() }),
    }
}

/// The word of an enum, as serde writes it.
pub(super) fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
