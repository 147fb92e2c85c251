//! The variable `MODEL_CATALOGUE`: what an operator knows better than the table.
//!
//! `{"openai/my-model":{"input_usd":1,"output_usd":2,"cached_usd":0.1,"context":128000,"output":8192,
//! "accepts":["image","audio","video","pdf"],"thinking":["off","low","high"],"tools":true}}`
//!
//! Every field may be absent and then stays as it is, but input and output prices come together. Prices are dollars per
//! million tokens, `context` and `output` tokens. Read by hand, because an operator needs the path of a mistake.

use super::{Accepts, Facts, Levels, Price, Rates};
use crate::llm::ModelRef;
use serde_json::{Map, Value};

/// Most an override may charge, dollars per million tokens; more is a slip of units.
const MOST_USD: f64 = 4_000.0;

/// What one entry says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Override {
    rates: Option<Rates>,
    context_tokens: Option<u32>,
    max_output_tokens: Option<u32>,
    accepts: Option<Accepts>,
    thinking: Option<Levels>,
    tools: Option<bool>,
}

impl Override {
    /// `facts` with what this entry says instead.
    pub(super) fn over(&self, facts: Facts) -> Facts {
        Facts {
            price: self.rates.map_or(facts.price, Price::of),
            context_tokens: self.context_tokens.or(facts.context_tokens),
            max_output_tokens: self.max_output_tokens.or(facts.max_output_tokens),
            accepts: self.accepts.or(facts.accepts),
            thinking: self.thinking.or(facts.thinking),
            tools: self.tools.or(facts.tools),
        }
    }
}

/// The entries without mistakes, and the mistakes.
pub(super) fn read(json: &str) -> (Vec<(ModelRef, Override)>, Vec<String>) {
    let mut entries = Vec::new();
    let models: Map<String, Value> = match serde_json::from_str(json) {
        Ok(Value::Object(models)) => models,
        Ok(_) => return (entries, vec!["MODEL_CATALOGUE: must be an object with models as its keys".to_owned()]),
        Err(error) => return (entries, vec![format!("MODEL_CATALOGUE: not JSON: {error}")]),
    };
    let mut problems = Vec::new();
    for (name, value) in &models {
        let read = name.parse::<ModelRef>().map_err(|error| vec![error.to_string()]);
        match read.and_then(|model| Ok((model, entry(value)?))) {
            Ok(entry) => entries.push(entry),
            Err(wrong) => problems.extend(wrong.iter().map(|wrong| format!("MODEL_CATALOGUE: \"{name}\": {wrong}"))),
        }
    }
    (entries, problems)
}

fn entry(value: &Value) -> Result<Override, Vec<String>> {
    let Value::Object(fields) = value else { return Err(vec!["must be an object".to_owned()]) };
    let mut entry = Override::default();
    let [mut input, mut output, mut cached] = [None; 3];
    let mut wrong = Vec::new();
    for (field, value) in fields {
        let read = match field.as_str() {
            "input_usd" => rate(value).map(|rate| input = Some(rate)),
            "output_usd" => rate(value).map(|rate| output = Some(rate)),
            "cached_usd" => rate(value).map(|rate| cached = Some(rate)),
            "context" => tokens(value).map(|tokens| entry.context_tokens = Some(tokens)),
            "output" => tokens(value).map(|tokens| entry.max_output_tokens = Some(tokens)),
            "accepts" => media(value).map(|accepts| entry.accepts = Some(accepts)),
            "thinking" => levels(value).map(|levels| entry.thinking = Some(levels)),
            "tools" => value.as_bool().map(|tools| entry.tools = Some(tools)).ok_or("must be true or false"),
            _ => Err(
                "is not known; fields are input_usd, output_usd, cached_usd, context, output, accepts, thinking, tools",
            ),
        };
        if let Err(problem) = read {
            wrong.push(format!("{field}: {problem}"));
        }
    }
    match (input, output, cached) {
        _ if !wrong.is_empty() => return Err(wrong),
        (Some(input), _, Some(cached)) if cached > input => wrong.push("cached_usd: is above input_usd".to_owned()),
        (Some(input), Some(output), cached) => {
            entry.rates = Some(Rates { input, output, cached_input: cached.unwrap_or(input) });
        }
        (None, None, None) => {}
        _ => wrong.push("input_usd and output_usd: must both be given".to_owned()),
    }
    if wrong.is_empty() { Ok(entry) } else { Err(wrong) }
}

/// Dollars per million tokens → [`Rates`], rounded up.
fn rate(value: &Value) -> Result<u32, &'static str> {
    match value.as_f64() {
        // In tenths first: 0.1 has no exact double, and a millionth too much would be a surprise.
        Some(usd) if (0.0..=MOST_USD).contains(&usd) => Ok(((usd * 10_000_000.0).round() as u64).div_ceil(10) as u32),
        _ => Err("must be dollars per million tokens, from 0 to 4000"),
    }
}

fn tokens(value: &Value) -> Result<u32, &'static str> {
    let tokens = value.as_u64().and_then(|tokens| u32::try_from(tokens).ok()).filter(|tokens| *tokens > 0);
    tokens.ok_or("must be a whole number of tokens above 0")
}

fn media(value: &Value) -> Result<Accepts, &'static str> {
    const WRONG: &str = "must be a list of image, audio, video, pdf";
    let mut accepts = Accepts::default();
    for kind in value.as_array().ok_or(WRONG)? {
        match kind.as_str() {
            Some("image") => accepts.image = true,
            Some("audio") => accepts.audio = true,
            Some("video") => accepts.video = true,
            Some("pdf") => accepts.pdf = true,
            _ => return Err(WRONG),
        }
    }
    Ok(accepts)
}

fn levels(value: &Value) -> Result<Levels, &'static str> {
    const WRONG: &str = "must be a list of off, minimal, low, medium, high";
    const WORDS: [&str; 5] = ["off", "minimal", "low", "medium", "high"];
    let mut levels = Levels::NONE;
    for word in value.as_array().ok_or(WRONG)? {
        let known = WORDS.iter().zip(Levels::ALL).find(|(known, _)| word.as_str() == Some(known));
        levels = levels.and(known.ok_or(WRONG)?.1);
    }
    Ok(levels)
}
