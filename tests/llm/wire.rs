//! What a server would read of a request's body, with `file:<key>` in place of a file's bytes.

use serde_json::Value;
use tideclaw::llm::{HttpRequest, Piece};

pub fn text(request: &HttpRequest) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::File { key, base64: true, .. } => format!("file:{key}"),
        Piece::File { key, .. } => format!("raw:{key}"),
    };
    request.body.pieces().iter().map(piece).collect()
}

pub fn json(request: &HttpRequest) -> Value {
    serde_json::from_str(&text(request)).unwrap()
}
