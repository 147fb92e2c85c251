//! Decoding that survives an API which grows monthly: a field of an unexpected shape reads as absent.
//!
//! Source: telegram.md §5 ("unknown field or kind: decode leniently").

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

/// `Some` if the field is there and decodes, `None` otherwise. Use with `#[serde(default, deserialize_with = …)]`.
pub fn maybe<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// The elements that decode; an empty list if the field is not a list at all.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    let items: Vec<Box<RawValue>> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    Ok(items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
}
