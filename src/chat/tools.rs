//! What a model may call, and the bounds of a round of calls (providers.md §5.4 "cap the loop").
//!
//! Only tools without effects so far: they run within the step that records them, so a cut turn simply runs them again.
//! Not here: keeping calls and results (`run`).

use serde_json::{Value, json};

use crate::directory::config::ToolsProfile;
use crate::llm::{ToolCall, ToolResult, ToolSpec};
use crate::text::calendar::{date_time, weekday};

/// Rounds of calls in one turn.
const MAX_ROUNDS: u32 = 8;
/// Equal calls in one turn.
const MAX_EQUAL: usize = 3;

/// The tools on offer.
pub fn specs(profile: ToolsProfile) -> Vec<ToolSpec> {
    if profile == ToolsProfile::None {
        return Vec::new();
    }
    vec![ToolSpec {
        name: "current_time".into(),
        description: "The date, weekday and time now. Call it whenever the answer depends on the present moment."
            .into(),
        parameters: json!({
            "type": "object",
            "properties": {"utc_offset": {"type": "string", "description": "Of the place asked about, for example +03:00. Default +00:00."}},
        }),
    }]
}

/// The calls of one turn so far.
#[derive(Debug, Default)]
pub struct Loop {
    rounds: u32,
    /// Name and arguments of every call.
    calls: Vec<String>,
    over: bool,
}

impl Loop {
    /// True if the model has called enough: it is asked once more without tools.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The next round begins. False: the model was already asked to do without and called all the same.
    pub fn begin_round(&mut self) -> bool {
        let allowed = !self.over;
        self.rounds += 1;
        self.over |= self.rounds >= MAX_ROUNDS;
        allowed
    }

    /// Runs `call`, if its tool is on offer. A call that cannot be run gets an error the model can act on.
    pub fn answer(&mut self, call: &ToolCall, profile: ToolsProfile, now: i64) -> ToolResult {
        let key = format!("{} {}", call.name, call.arguments);
        let equal = self.calls.iter().filter(|known| **known == key).count();
        self.calls.push(key);
        let answer = if equal >= MAX_EQUAL {
            self.over = true;
            Err("this call was made several times already; use the results there are".to_owned())
        } else {
            run(call, profile, now)
        };
        let is_error = answer.is_err();
        let content = answer.unwrap_or_else(|error| error);
        ToolResult { call_id: call.id.clone(), name: call.name.clone(), content, is_error }
    }
}

fn run(call: &ToolCall, profile: ToolsProfile, now: i64) -> Result<String, String> {
    if !specs(profile).iter().any(|tool| tool.name == call.name) {
        return Err(format!("there is no tool named {}", call.name));
    }
    let arguments = call.object().ok_or("the arguments were not a JSON object")?;
    match call.name.as_str() {
        "current_time" => {
            let offset = arguments.get("utc_offset").and_then(Value::as_str).unwrap_or("+00:00");
            let minutes = offset_minutes(offset).ok_or("utc_offset is written like +03:00")?;
            let local = now + minutes * 60_000;
            Ok(format!("{} {} (UTC{offset})", weekday(local), date_time(local)))
        }
        name => Err(format!("there is no tool named {name}")),
    }
}

/// `+03:00` as minutes.
fn offset_minutes(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::ToolsProfile::All;
    use super::*;

    fn call(name: &str, arguments: Value) -> ToolCall {
        ToolCall { id: "call_1".into(), name: name.into(), arguments }
    }

    #[test]
    fn the_time_anywhere() {
        let at = |offset: &str| {
            Loop::default().answer(&call("current_time", json!({"utc_offset": offset})), All, 1_795_132_800_000)
        };
        assert_eq!(at("+03:00").content, "Friday 2026-11-20 03:00 (UTC+03:00)");
        assert_eq!(at("-08:30").content, "Thursday 2026-11-19 15:30 (UTC-08:30)");
        for bad in ["Moscow", "+25:00", "+3:99", "", "+-3"] {
            assert!(at(bad).is_error, "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_told_to_the_model() {
        let mut calls = Loop::default();
        assert_eq!(calls.answer(&call("rm", json!({})), All, 0).content, "there is no tool named rm");
        let barred = calls.answer(&call("current_time", json!({})), ToolsProfile::None, 0);
        assert_eq!(barred.content, "there is no tool named current_time");
        assert_eq!(
            calls.answer(&call("current_time", json!("{oops")), All, 0).content,
            "the arguments were not a JSON object"
        );
    }

    #[test]
    fn the_same_call_for_ever_comes_to_an_end() {
        let mut calls = Loop::default();
        let errors: Vec<bool> =
            (0..5).map(|_| calls.answer(&call("current_time", json!({})), All, 0).is_error).collect();
        assert_eq!(errors, [false, false, false, true, true]);
        assert!(calls.is_over());
        let mut calls = Loop::default();
        let rounds = (0..20).take_while(|_| calls.begin_round()).count();
        assert_eq!(rounds as u32, MAX_ROUNDS);
    }
}
