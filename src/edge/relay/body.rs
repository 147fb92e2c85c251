//! A request's body, piece by piece, at the pace at which it is taken. What is in memory of a file is one chunk.

use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use super::super::body;
use super::super::files::{Bucket, JsChunk, JsReader, JsStream, done};
use crate::chat::ports::Lost;
use crate::llm::Body;

/// Bytes asked of a stream at a time.
const CHUNK: u32 = 64 * 1024;

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

/// Where the bytes come from.
pub struct Source {
    /// Read and not taken yet, from `at` on.
    bytes: Vec<u8>,
    at: usize,
    more: Option<Stream>,
}

/// The writing of a body with files in it, and the reading at its other end.
struct Stream {
    reader: JsReader,
    upload: Option<Pending<Result<(), Lost>>>,
    read: Option<Pending<Result<JsValue, Lost>>>,
}

impl Source {
    pub fn new(body: Body, bucket: Option<Bucket>) -> Result<Source, Lost> {
        if let Some(text) = body.as_text() {
            return Ok(Source { bytes: text.as_bytes().to_vec(), at: 0, more: None });
        }
        let (stream, upload) = body::stream(body, bucket)?;
        let reader = stream.unchecked_into::<JsStream>().get_byte_reader()?;
        let stream = Stream { reader, upload: Some(Box::pin(upload)), read: None };
        Ok(Source { bytes: Vec::new(), at: 0, more: Some(stream) })
    }

    /// What is there of the body, at least one byte; `None` at its end.
    pub fn next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, Lost>> {
        while self.at >= self.bytes.len() {
            let Some(stream) = &mut self.more else { return Poll::Ready(Ok(None)) };
            self.at = 0;
            match stream.poll(context) {
                Poll::Ready(Ok(Some(bytes))) => self.bytes = bytes,
                Poll::Ready(Ok(None)) => {
                    self.bytes = Vec::new();
                    self.more = None;
                }
                Poll::Ready(Err(Lost)) => return Poll::Ready(Err(Lost)),
                Poll::Pending => {
                    self.bytes.clear();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(self.bytes.get(self.at..)))
    }

    /// The first `count` bytes of what [`Source::next`] gave were taken.
    pub fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Stream {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, Lost>> {
        if let Some(upload) = &mut self.upload
            && let Poll::Ready(written) = upload.as_mut().poll(context)
        {
            written?;
            self.upload = None;
        }
        let reader = &self.reader;
        let read =
            self.read.get_or_insert_with(|| Box::pin(done(reader.read_into(&Uint8Array::new_with_length(CHUNK)))));
        let Poll::Ready(chunk) = read.as_mut().poll(context) else { return Poll::Pending };
        self.read = None;
        let chunk: JsChunk = chunk?.unchecked_into();
        Poll::Ready(Ok((!chunk.done()).then(|| chunk.value().to_vec())))
    }
}
