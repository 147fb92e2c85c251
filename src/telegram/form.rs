//! A call with a file as a form (`multipart/form-data`, RFC 7578): what stands before the file's bytes and what after.
//!
//! Not here: the bytes themselves, nor the choice of a boundary (long and random, so that no file contains it).

use super::method::Call;
use serde_json::Value;

/// Everything of a form but the file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The value of `content-type`.
    pub content_type: String,
    pub before: String,
    pub after: String,
}

/// The form of `call`; `None` if it has no file. Parameters that are not strings travel as JSON, as the Bot API wants.
pub fn form(call: &Call, boundary: &str) -> Option<Form> {
    let upload = call.upload.as_ref()?;
    let mut before = String::new();
    for (name, value) in call.params.as_object()? {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        before.push_str(&format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    let name: String =
        upload.name.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { '_' } else { c }).collect();
    before.push_str(&format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"; filename=\"{name}\"\r\ncontent-type: {}\r\n\r\n",
        upload.field, upload.mime
    ));
    Some(Form {
        content_type: format!("multipart/form-data; boundary={boundary}"),
        before,
        after: format!("\r\n--{boundary}--\r\n"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::telegram::method::{Content, SendOptions, Target, Upload, get_me, send_document};

    #[test]
    fn a_call_with_a_file_is_a_form() {
        let upload = Upload {
            field: "document".into(),
            name: "a\"b\r\n.md".into(),
            mime: "text/markdown".into(),
            content: Content::Text("x".into()),
        };
        let options = SendOptions { reply_to: Some(5), ..SendOptions::default() };
        let call = send_document(Target { chat_id: 7, topic: None }, upload, Some("see é"), &options);
        let form = form(&call, "BB").unwrap();
        assert_eq!(form.content_type, "multipart/form-data; boundary=BB");
        let part = |name: &str, value: &str| {
            format!("--BB\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        for expected in [
            part("chat_id", "7"),
            part("caption", "see é"),
            part("reply_parameters", r#"{"allow_sending_without_reply":true,"message_id":5}"#),
            part("disable_content_type_detection", "true"),
        ] {
            assert!(form.before.contains(&expected), "{expected} in {}", form.before);
        }
        let file = "--BB\r\ncontent-disposition: form-data; name=\"document\"; filename=\"a_b__.md\"\r\ncontent-type: text/markdown\r\n\r\n";
        assert!(form.before.ends_with(file), "{}", form.before);
        assert_eq!(form.after, "\r\n--BB--\r\n");
        assert_eq!(super::form(&get_me(), "BB"), None);
    }
}
