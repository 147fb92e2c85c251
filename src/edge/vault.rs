//! Backups in R2: gzipped and unpacked by the platform, streamed both ways.
//!
//! R2 takes only bodies of known length, and what compresses to how much is not known before. So compressed bytes are
//! gathered up to [`PART`], outside the Wasm, whose memory never shrinks; most backups are one such part. Larger ones go up
//! in parts. Not here: keys, what is in a backup, what is due (`backup`, `directory::backups`).

use std::pin::pin;

use futures::future::{Either, select, try_join};
use js_sys::{Array, Object, Reflect, TypeError, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::bucket::{
    self, JsBucket, JsChunk, JsFound, JsObject, JsReader, JsStream, JsUpload, JsWritable, JsWriter, done,
};
use super::clock;
use crate::backup::vault::{Pieces, Taker, Vault};
use crate::backup::{DumpError, Refused, key};
use crate::chat::ports::Lost;
use crate::directory::backups::Found;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = CompressionStream)]
    type JsCompression;
    #[wasm_bindgen(constructor, js_class = "CompressionStream", catch)]
    fn new(format: &str) -> Result<JsCompression, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn readable(this: &JsCompression) -> JsStream;
    #[wasm_bindgen(method, getter)]
    fn writable(this: &JsCompression) -> JsWritable;

    #[wasm_bindgen(js_name = DecompressionStream)]
    type JsDecompression;
    #[wasm_bindgen(constructor, js_class = "DecompressionStream", catch)]
    fn new(format: &str) -> Result<JsDecompression, JsValue>;
}

/// Bytes gathered before they go to storage: R2 wants parts of at least 5 MiB and equal length.
const PART: u32 = 8 * 1024 * 1024;
/// One backup, one way. Less than whoever asks waits.
const DEADLINE_MS: i64 = 100_000;
/// A list or a deletion.
const SHORT_DEADLINE_MS: i64 = 20_000;

/// Storage for backups.
pub struct R2(JsBucket);

impl R2 {
    /// `None` if no bucket is bound.
    pub fn of(env: &Env) -> Option<R2> {
        bucket::of(env).map(R2)
    }

    /// A page of what is there. `None`: storage did not answer.
    pub async fn list(&self, cursor: Option<&str>) -> Option<Found> {
        let options = Object::new();
        Reflect::set(&options, &"prefix".into(), &key::PREFIX.into()).ok()?;
        if let Some(cursor) = cursor {
            Reflect::set(&options, &"cursor".into(), &cursor.into()).ok()?;
        }
        let list: JsFound = in_time(SHORT_DEADLINE_MS, done(self.0.list(&options))).await?.ok()?.unchecked_into();
        let read = |object: JsValue| {
            let object: JsObject = object.unchecked_into();
            (object.key(), object.size() as i64)
        };
        let cursor = if list.truncated() { list.cursor() } else { None };
        Some(Found { files: list.objects().iter().map(read).collect(), cursor })
    }

    /// Deletes files, at most 1,000. False: storage did not answer.
    pub async fn delete(&self, keys: &[String]) -> bool {
        let list: Array = keys.iter().map(|key| JsValue::from_str(key)).collect();
        matches!(in_time(SHORT_DEADLINE_MS, done(self.0.delete(&list))).await, Some(Ok(_)))
    }

    async fn write_all(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError> {
        let gzip = JsCompression::new("gzip").map_err(|_| DumpError::Lost)?;
        let writer = gzip.writable().get_writer().map_err(|_| DumpError::Lost)?;
        let mut gathered = Gathered { bucket: &self.0, key, chunks: Array::new(), length: 0, total: 0, upload: None };
        let stored = gathered.store(gzip.readable().get_reader());
        // Whichever fails ends the other: nothing is stored of a backup that was interrupted.
        match try_join(feed(&writer, pieces), stored).await {
            Ok(((), total)) => Ok(total),
            Err(error) => {
                gathered.give_up().await;
                Err(error)
            }
        }
    }

    async fn read_all(&self, key: &str, bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused> {
        let object = done(self.0.get(key, &JsValue::UNDEFINED)).await.map_err(|Lost| Refused::Lost)?;
        if object.is_null() {
            return Err(Refused::Missing);
        }
        let object: JsObject = object.unchecked_into();
        let gunzip = JsDecompression::new("gzip").map_err(|_| Refused::Lost)?;
        let stream = object.body().pipe_through(gunzip.as_ref()).map_err(|_| Refused::Lost)?;
        let mut reading = Reading { reader: stream.get_reader(), ended: false };
        match bytes {
            Some(bytes) if (object.size() as u64) < bytes => return Err(Refused::Truncated),
            Some(bytes) if (object.size() as u64) > bytes => return Err(Refused::Trailing),
            _ => {}
        }
        while let Some(chunk) = reading.next().await? {
            take(&chunk.to_vec())?;
        }
        Ok(())
    }
}

impl Vault for R2 {
    async fn write(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError> {
        in_time(DEADLINE_MS, self.write_all(key, pieces)).await.unwrap_or(Err(DumpError::Lost))
    }

    async fn read(&self, key: &str, bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused> {
        in_time(DEADLINE_MS, self.read_all(key, bytes, take)).await.unwrap_or(Err(Refused::Lost))
    }
}

/// `None`: it took too long.
async fn in_time<T>(ms: i64, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(clock::sleep(ms))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Writes every piece, as fast as the stream takes them, and its end after the last.
async fn feed(writer: &JsWriter, pieces: Pieces<'_>) -> Result<(), DumpError> {
    while let Some(piece) = pieces()? {
        done(writer.write(&Uint8Array::from(piece.as_slice()))).await.map_err(|Lost| DumpError::Lost)?;
    }
    done(writer.close()).await.map(drop).map_err(|Lost| DumpError::Lost)
}

/// Compressed bytes on their way to storage.
struct Gathered<'a> {
    bucket: &'a JsBucket,
    key: &'a str,
    chunks: Array,
    /// Of the chunks.
    length: u32,
    /// Of what is stored and gathered.
    total: u64,
    /// Once there is more than one part: the upload, its parts.
    upload: Option<(JsUpload, Array)>,
}

impl Gathered<'_> {
    /// Stores all that comes until its end, and returns how much that was.
    async fn store(&mut self, reader: JsReader) -> Result<u64, DumpError> {
        self.store_all(reader).await.map_err(|Lost| DumpError::Lost)
    }

    /// Parts that are given up would be kept, and paid for, for a week.
    async fn give_up(&self) {
        if let Some((upload, _)) = &self.upload {
            let _ = done(upload.abort()).await;
        }
    }

    async fn store_all(&mut self, reader: JsReader) -> Result<u64, Lost> {
        loop {
            let chunk: JsChunk = done(reader.read()).await?.unchecked_into();
            if chunk.done() {
                break;
            }
            let bytes = chunk.value();
            self.length += bytes.length();
            self.total += u64::from(bytes.length());
            self.chunks.push(&bytes);
            while self.length > PART {
                self.part(PART).await?;
            }
        }
        if self.upload.is_none() {
            let bytes = self.take(self.length);
            done(self.bucket.put(self.key, &bytes)).await?;
            return Ok(self.total);
        }
        self.part(self.length).await?;
        let Some((upload, parts)) = &self.upload else { return Err(Lost) };
        done(upload.complete(parts)).await?;
        Ok(self.total)
    }

    /// Uploads the first `length` gathered bytes as the next part.
    async fn part(&mut self, length: u32) -> Result<(), Lost> {
        if self.upload.is_none() {
            let upload = done(self.bucket.create_upload(self.key)).await?;
            self.upload = Some((upload.unchecked_into(), Array::new()));
        }
        let bytes = self.take(length);
        let Some((upload, parts)) = &self.upload else { return Err(Lost) };
        let part = done(upload.upload_part(parts.length() + 1, &bytes)).await?;
        parts.push(&part);
        Ok(())
    }

    /// The first `length` gathered bytes in one piece.
    fn take(&mut self, length: u32) -> Uint8Array {
        let whole = Uint8Array::new_with_length(self.length);
        let mut at = 0;
        for chunk in self.chunks.iter() {
            let chunk: Uint8Array = chunk.unchecked_into();
            whole.set(&chunk, at);
            at += chunk.length();
        }
        self.chunks = Array::new();
        if length == self.length {
            self.length = 0;
            return whole;
        }
        self.chunks.push(&whole.slice(length, self.length));
        self.length -= length;
        whole.slice(0, length)
    }
}

/// Unpacked bytes being read; given up when dropped before their end.
struct Reading {
    reader: JsReader,
    ended: bool,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Uint8Array>, Refused> {
        let promise = self.reader.read().map_err(|_| Refused::Lost)?;
        match JsFuture::from(promise).await {
            Ok(chunk) => {
                let chunk: JsChunk = chunk.unchecked_into();
                self.ended = chunk.done();
                Ok((!self.ended).then(|| chunk.value()))
            }
            Err(error) => {
                self.ended = true;
                // The platform throws this type for what is no gzip, and others for the network.
                Err(if error.is_instance_of::<TypeError>() { Refused::Packing } else { Refused::Lost })
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.ended
            && let Ok(cancelled) = self.reader.cancel()
        {
            // Listened to, so that a refusal is not reported as unhandled.
            drop(JsFuture::from(cancelled));
        }
    }
}
