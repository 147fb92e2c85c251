//! Reads what a call consumed, wherever a server puts it (providers.md §3.1.7, §0.12).

use serde_json::{Map, Value};

use crate::llm::Usage;

/// The consumption in a chunk or whole answer: at its top, in its choice (Moonshot) or in `x_groq`.
pub(super) fn usage(fields: &Map<String, Value>) -> Option<Usage> {
    let in_choice = || fields.get("choices")?.as_array()?.iter().find_map(|choice| choice.get("usage"));
    let in_groq = || fields.get("x_groq")?.get("usage");
    [fields.get("usage"), in_choice(), in_groq()].into_iter().flatten().find_map(Value::as_object).and_then(read)
}

fn read(fields: &Map<String, Value>) -> Option<Usage> {
    let count = |path: &[&str]| number(fields, path).and_then(Value::as_u64);
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| count(path)).unwrap_or(0);
    let input = count(&["prompt_tokens"]);
    let completion = count(&["completion_tokens"]);
    let total = count(&["total_tokens"]);
    if input.is_none() && completion.is_none() && total.is_none() {
        return None;
    }
    let input = input.unwrap_or(0);
    // xAI leaves reasoning out of the completion but not out of the total.
    let output = completion.unwrap_or(0).max(total.unwrap_or(0).saturating_sub(input));
    let cached =
        first(&[&["prompt_tokens_details", "cached_tokens"], &["prompt_cache_hit_tokens"], &["cached_tokens"]]);
    let thinking = first(&[&["completion_tokens_details", "reasoning_tokens"], &["reasoning_tokens"]]);
    Some(Usage {
        input,
        cached_input: cached.min(input),
        output,
        thinking: thinking.min(output),
        cost_nano_usd: cost(fields),
    })
}

/// The server's own bill: OpenRouter's `cost` in dollars, or xAI's in ticks of 10⁻¹⁰ dollars.
fn cost(fields: &Map<String, Value>) -> Option<u64> {
    let dollars = |path: &[&str]| number(fields, path).and_then(Value::as_f64);
    if let Some(cost) = dollars(&["cost"]) {
        // With the owner's own key at the maker, `cost` is OpenRouter's fee alone; the maker bills the rest.
        let own_key = fields.get("is_byok") == Some(&Value::Bool(true));
        let upstream = dollars(&["cost_details", "upstream_inference_cost"]).filter(|_| own_key);
        let nano = (cost + upstream.unwrap_or(0.0)) * 1e9;
        return (nano.is_finite() && nano >= 0.0).then_some(nano.round() as u64);
    }
    number(fields, &["cost_in_usd_ticks"]).and_then(Value::as_u64).map(|ticks| ticks.div_ceil(10))
}

fn number<'a>(fields: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(fields.get(*first)?, |value, name| value.get(*name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(fields: Value) -> Option<Usage> {
        usage(fields.as_object().unwrap())
    }

    fn tokens(input: u64, cached_input: u64, output: u64, thinking: u64) -> Option<Usage> {
        Some(Usage { input, cached_input, output, thinking, cost_nano_usd: None })
    }

    #[test]
    fn places_and_spellings() {
        let plain = json!({"prompt_tokens":30,"completion_tokens":12,"total_tokens":42});
        for (fields, expected) in [
            (json!({"usage":plain}), tokens(30, 0, 12, 0)),
            (json!({"usage":null,"choices":[{"usage":plain}]}), tokens(30, 0, 12, 0)),
            (json!({"x_groq":{"id":"req","usage":plain}}), tokens(30, 0, 12, 0)),
            (
                json!({"usage":{"prompt_tokens":30,"completion_tokens":12,"prompt_tokens_details":{"cached_tokens":20},
                    "completion_tokens_details":{"reasoning_tokens":8}}}),
                tokens(30, 20, 12, 8),
            ),
            (
                json!({"usage":{"prompt_tokens":30,"completion_tokens":1,"prompt_cache_hit_tokens":10}}),
                tokens(30, 10, 1, 0),
            ),
            (json!({"usage":{"prompt_tokens":30,"completion_tokens":1,"cached_tokens":5}}), tokens(30, 5, 1, 0)),
            (json!({"usage":{"prompt_tokens":3,"completion_tokens":1,"cached_tokens":5}}), tokens(3, 3, 1, 0)),
            (json!({"usage":{"prompt_tokens":3,"prompt_tokens_details":null}}), tokens(3, 0, 0, 0)),
            (json!({"usage":{}}), None),
            (json!({"usage":null,"choices":[],"x_groq":{"id":"req"}}), None),
            (json!({}), None),
        ] {
            assert_eq!(of(fields.clone()), expected, "{fields}");
        }
    }

    #[test]
    fn cost() {
        let cost = |extra: Value| {
            let mut fields = json!({"prompt_tokens":1,"completion_tokens":1});
            fields.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            of(json!({ "usage": fields })).unwrap().cost_nano_usd
        };
        assert_eq!(cost(json!({"cost":0.00014,"is_byok":false})), Some(140_000));
        assert_eq!(cost(json!({"cost":0})), Some(0));
        let details = json!({"upstream_inference_cost":0.002});
        assert_eq!(cost(json!({"cost":0.0001,"is_byok":true,"cost_details":details})), Some(2_100_000));
        assert_eq!(cost(json!({"cost":0.0021,"is_byok":false,"cost_details":details})), Some(2_100_000));
        assert_eq!(cost(json!({"cost":-1.0})), None);
        assert_eq!(cost(json!({"cost":null,"cost_in_usd_ticks":1_497_500})), Some(149_750));
        assert_eq!(cost(json!({})), None);
    }
}
