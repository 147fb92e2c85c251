//! The document's shape as JSON Schema (draft 2020-12), for editors and programs. What a schema cannot say (rules about
//! two places, secrets) only `check` refuses.

use serde_json::{Map, Value, json};

use super::schema::{DOCUMENT, SCHEMA_VERSION};
use super::shape::{DECIMALS, Field, Key, MAX_ID, Shape};
use crate::llm::model::MAX_MODEL_REF;
use crate::llm::servers;
use crate::text::Lang;

/// The schema of the whole document.
pub fn json_schema() -> Value {
    let mut schema = of(&DOCUMENT);
    if let Value::Object(fields) = &mut schema {
        fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("title".to_owned(), json!(format!("Tideclaw's configuration, schema {SCHEMA_VERSION}")));
    }
    schema
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Object(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
            let required: Vec<&str> = fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
            let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
            if let (false, Value::Object(fields)) = (required.is_empty(), &mut schema) {
                fields.insert("required".to_owned(), json!(required));
            }
            schema
        }
        Shape::Map { keys, most, of: entry } => {
            let names = match keys {
                Key::Agent => of(&Shape::AgentId),
                Key::Model => of(&Shape::Model),
            };
            json!({ "type": "object", "maxProperties": most, "propertyNames": names, "additionalProperties": of(entry) })
        }
        Shape::List { most, of: entry } => json!({ "type": "array", "maxItems": most, "items": of(entry) }),
        Shape::Text { most, .. } => json!({ "type": "string", "maxLength": most }),
        Shape::Emoji => json!({ "type": "string", "maxLength": 16 }),
        Shape::Bot => json!({ "type": "string", "pattern": format!("^[a-z0-9_]{{1,{MAX_ID}}}$") }),
        Shape::AgentId => json!({ "type": "string", "pattern": format!("^[a-z0-9_-]{{1,{MAX_ID}}}$") }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Number { least, most } => {
            let step = 10_f64.powi(-(DECIMALS as i32));
            json!({ "type": "number", "minimum": least, "maximum": most, "multipleOf": step })
        }
        Shape::Whole { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Switch => json!({ "type": "boolean" }),
        Shape::Model => {
            let providers: Vec<&str> = servers::names().collect();
            let pattern = format!("^({}|relay:[a-z0-9-]{{1,32}})/\\S+$", providers.join("|"));
            json!({ "type": "string", "maxLength": MAX_MODEL_REF, "pattern": pattern })
        }
        Shape::Deadlines => json!({ "type": "string", "pattern": "^\\s*[0-9.]+\\s*(,\\s*[0-9.]+\\s*){2,3}$" }),
    }
}

fn described(field: &Field) -> Value {
    let mut schema = of(field.shape);
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), json!((field.about)(Lang::En)));
    }
    schema
}
