//! Rules about two places of a document at once. They look at what is there and fits its shape; the rest is `check`'s.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::{Problems, problem};
use super::path::Path;
use super::shape::is_agent_id;
use crate::directory::desk::Problem;

/// The agent that answers wherever no binding says otherwise; it needs no entry.
pub const MAIN: &str = "main";

/// Adds what is wrong.
pub fn check(document: &Value, problems: &mut Problems) {
    bindings(document, problems);
    prices(document, problems);
}

fn bindings(document: &Value, problems: &mut Problems) {
    let Some(bindings) = document.get("bindings").and_then(Value::as_array) else { return };
    let agents = document.get("agents");
    // With agents that are none, every binding would be wrong too.
    let readable = agents.is_none_or(Value::is_object);
    let agents = agents.and_then(Value::as_object);
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, binding) in bindings.iter().enumerate() {
        let path = Path::default().field("bindings").entry(index);
        let agent = binding.get("agent").and_then(Value::as_str);
        if let Some(agent) = agent.filter(|agent| *agent != MAIN && !agents.is_some_and(|all| all.contains_key(*agent)))
            && readable
            && is_agent_id(agent)
        {
            let known = agents.into_iter().flat_map(|all| all.keys()).filter(|id| *id != MAIN).take(20).cloned();
            let allowed = std::iter::once(MAIN.to_owned()).chain(known).collect();
            problems.add_with(path.field("agent").as_str(), "There is no such agent.", allowed);
        }
        if binding.get("topic").is_some() && binding.get("chat").is_none() {
            problems.add(path.field("topic").as_str(), "A topic needs the chat it is in.");
        }
        let place: Vec<String> = ["bot", "chat", "topic"].map(|part| format!("{:?}", binding.get(part))).into();
        if binding.is_object()
            && let Some(earlier) = places.insert(place.join("/"), index)
        {
            problems.add(path.as_str(), &format!("Is about the same place as bindings[{earlier}]."));
        }
    }
}

fn prices(document: &Value, problems: &mut Problems) {
    let Some(entries) = document.pointer("/models/catalogue").and_then(Value::as_object) else { return };
    for (name, entry) in entries {
        let path = Path::default().field("models").field("catalogue").field(name);
        let [input, output, cached] = ["input_usd", "output_usd", "cached_usd"].map(|part| entry.get(part));
        if input.is_some() != output.is_some() || (cached.is_some() && input.is_none()) {
            problems.add(path.as_str(), "input_usd and output_usd must both be given.");
        }
        let number = |value: Option<&Value>| value.and_then(Value::as_f64);
        if let (Some(input), Some(cached)) = (number(input), number(cached))
            && input >= 0.0
            && cached > input
        {
            problems.add(path.field("cached_usd").as_str(), "Is above input_usd.");
        }
    }
}

/// What is allowed but probably not meant.
pub fn warnings(document: &Value) -> Vec<Problem> {
    let usd = |name: &str| document.get("budget").and_then(|budget| budget.get(name)).and_then(Value::as_f64);
    let mut warnings = Vec::new();
    if let (Some(day), Some(month)) = (usd("day_usd"), usd("month_usd"))
        && day > month
    {
        warnings.push(problem("budget.day_usd", "Is above the month's cap, which will hold first."));
    }
    if let (Some(person), Some(day)) = (usd("person_day_usd"), usd("day_usd"))
        && person > day
    {
        warnings.push(problem("budget.person_day_usd", "Is above everybody's day, which will hold first."));
    }
    warnings
}
