//! Requests and answers as data. Not here: who may ask (`access`), same-origin checks (`origin`).

use serde_json::{Map, Value};

use crate::chat::desk::Form;
use crate::directory::desk::Refused;
use crate::text::Lang;

/// Largest body taken, in bytes: a form writes the largest configuration document (256 KiB) with three signs a byte.
pub const MAX_BODY: usize = 1024 * 1024;

/// The two methods there are; `HEAD` counts as `GET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// A request to a page or to the API.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    /// Decoded segments of the path after `/_admin` or `/api`, none of them empty.
    pub segments: Vec<String>,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// Fields of a JSON object or of a form (then all strings).
    pub fields: Map<String, Value>,
    /// The language of pages.
    pub lang: Lang,
    /// Scheme and host the request came to, such as `https://bot.example.workers.dev`.
    pub origin: String,
}

impl Request {
    /// The path as slices, for `match`.
    pub fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A parameter of the query; blank counts as absent.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    /// A number in the query; what is none counts as absent.
    pub fn query_int(&self, name: &str) -> Option<i64> {
        self.query(name)?.parse().ok()
    }

    /// A text field; blank counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        Some(self.fields.get(name)?.as_str()?.trim()).filter(|value| !value.is_empty())
    }

    /// A text field that must be there.
    pub fn need_text(&self, name: &str) -> Result<&str, Refused> {
        self.text(name).ok_or_else(|| missing(name))
    }

    /// A whole number, as JSON or as a form writes it; blank counts as absent.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Refused> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong(name, "a whole number")),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(name, "a whole number")),
        }
    }

    /// A whole number that must be there.
    pub fn need_int(&self, name: &str) -> Result<i64, Refused> {
        self.int(name)?.ok_or_else(|| missing(name))
    }

    /// A switch: `true`, or a form's checkbox that is on.
    pub fn flag(&self, name: &str) -> bool {
        match self.fields.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => matches!(text.as_str(), "1" | "on" | "true" | "yes"),
            _ => false,
        }
    }
}

fn missing(name: &str) -> Refused {
    Refused::bad_input(&format!("The field `{name}` is missing."))
}

fn wrong(name: &str, what: &str) -> Refused {
    Refused::bad_input(&format!("The field `{name}` must be {what}."))
}

/// Fields of a JSON object; anything else is refused.
pub fn json_fields(body: &str) -> Result<Map<String, Value>, Refused> {
    match crate::llm::parse::json(body.as_bytes()) {
        Some(Value::Object(fields)) => Ok(fields),
        _ => Err(Refused::bad_input("The body must be a JSON object.")),
    }
}

/// Fields of a form; of repeated ones the last.
pub fn form_fields(body: &str) -> Map<String, Value> {
    let pairs = url::form_urlencoded::parse(body.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

/// What goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Page {
        status: u16,
        html: String,
    },
    Json {
        status: u16,
        json: String,
    },
    /// 303 to a path of ours, after a form.
    See(String),
    /// A file of this release, or made for downloading.
    File {
        content_type: &'static str,
        body: String,
        /// Shown as a download of this name.
        download: Option<String>,
    },
    /// A conversation for downloading, fetched piece by piece as it goes out.
    Export {
        session: String,
        form: Form,
    },
    /// The live log: the connection becomes a WebSocket to the Directory, which first sends the lines after this one, if
    /// one is given.
    LiveLog {
        after: Option<i64>,
    },
}

impl Answer {
    /// 200 with JSON.
    pub fn json(json: &str) -> Answer {
        Answer::Json { status: 200, json: json.to_owned() }
    }

    /// An error in the shape all routes use.
    pub fn refused(refused: &Refused) -> Answer {
        let mut error = serde_json::json!({ "code": refused.code, "message": refused.message });
        if let (false, Some(fields)) = (refused.problems.is_empty(), error.as_object_mut()) {
            fields.insert("problems".to_owned(), serde_json::to_value(&refused.problems).unwrap_or_default());
        }
        let json = serde_json::json!({ "error": error }).to_string();
        Answer::Json { status: refused.status, json }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn request(fields: Map<String, Value>) -> Request {
        Request {
            method: Method::Post,
            segments: vec![],
            query: vec![],
            fields,
            lang: Lang::En,
            origin: "https://x.example".into(),
        }
    }

    #[test]
    fn forms_and_json_read_alike() {
        let json = json_fields(r#"{"id":5,"name":" Ann ","on":true,"none":null}"#).unwrap();
        for fields in [json, form_fields("id=5&name=+Ann+&on=on&none=")] {
            let request = request(fields);
            assert_eq!(request.need_int("id").unwrap(), 5);
            assert_eq!(request.need_text("name").unwrap(), "Ann");
            assert!(request.flag("on"));
            assert_eq!((request.int("none").unwrap(), request.text("none")), (None, None));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let request = request(form_fields("id=five"));
        assert!(request.need_int("id").unwrap_err().message.contains("`id`"));
        assert!(request.need_text("name").unwrap_err().message.contains("`name`"));
        assert_eq!(json_fields("[1]").unwrap_err().status, 400);
        assert_eq!(json_fields("{").unwrap_err().status, 400);
    }

    #[test]
    fn errors_have_one_shape() {
        let Answer::Json { status, json } = Answer::refused(&Refused::conflict("Too late.")) else { unreachable!() };
        assert_eq!((status, json.as_str()), (409, r#"{"error":{"code":"conflict","message":"Too late."}}"#));
    }
}
