//! The body of a request as it is written: texts, and files from storage between them, one chunk at a time.
//!
//! The other side sets the pace: a chunk is written when the one before it was taken, so that each buffer is used again.
//! What a file takes up is one chunk of storage (64 kB) and, for base64, a block of it and its text.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::files::{Bucket, JsFixedLength, JsWriter, done};
use crate::chat::ports::Lost;
use crate::llm::base64::Base64;
use crate::llm::{Body, Piece};

/// Bytes encoded at a time: a multiple of 3.
const BLOCK: u32 = 48 * 1024;

/// A body ready to go.
pub enum Payload<'a> {
    None,
    Text(&'a str),
    /// A `ReadableStream` of known length.
    Stream(JsValue),
}

/// The stream of `body`, and the work that fills it. Dropping the work breaks the stream off.
pub fn stream(
    body: Body,
    bucket: Option<Bucket>,
) -> Result<(JsValue, impl Future<Output = Result<(), Lost>> + 'static), Lost> {
    let pipe = JsFixedLength::new(body.len() as f64).map_err(|_| Lost)?;
    let writer = pipe.writable().get_writer().map_err(|_| Lost)?;
    Ok((pipe.readable(), write(body, bucket, writer)))
}

async fn write(body: Body, bucket: Option<Bucket>, writer: JsWriter) -> Result<(), Lost> {
    for piece in body.pieces() {
        match piece {
            Piece::Text(text) => done(writer.write(&Uint8Array::from(text.as_bytes()))).await.map(drop)?,
            Piece::File { key, size, base64 } => {
                write_file(bucket.as_ref().ok_or(Lost)?, &writer, key, *size, *base64).await?;
            }
        }
    }
    done(writer.close()).await.map(drop)
}

async fn write_file(bucket: &Bucket, writer: &JsWriter, key: &str, size: u64, base64: bool) -> Result<(), Lost> {
    let mut file = bucket.read(key, size).await?;
    let (mut encoder, mut text) = (Base64::default(), Vec::new());
    let mut block = vec![0; BLOCK as usize];
    // A block's text, and that of two bytes held back.
    let out = Uint8Array::new_with_length(if base64 { BLOCK / 3 * 4 + 4 } else { 0 });
    let write = |text: &[u8]| {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX).min(out.length());
        let filled = out.subarray(0, length);
        filled.copy_from(text.get(..length as usize).unwrap_or_default());
        done(writer.write(&filled))
    };
    while let Some(chunk) = file.next().await? {
        if !base64 {
            done(writer.write(&chunk)).await?;
            continue;
        }
        let mut from = 0;
        while from < chunk.length() {
            let to = (from + BLOCK).min(chunk.length());
            text.clear();
            let part = block.get_mut(..(to - from) as usize).ok_or(Lost)?;
            chunk.subarray(from, to).copy_to(part);
            encoder.push(part, &mut text);
            write(&text).await?;
            from = to;
        }
    }
    if base64 {
        text.clear();
        encoder.finish(&mut text);
        if !text.is_empty() {
            write(&text).await?;
        }
    }
    Ok(())
}
