//! Files in R2, read and written as streams: a whole file is never in memory, neither the isolate's nor the Wasm's
//! (cloudflare.md §1.2: 128 MB for all conversations of an isolate).
//!
//! Not here: keys and limits (`chat`), the platform's own objects (`bucket`).

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::bucket::{self, JsBucket, JsFound, JsObject};
pub use super::bucket::{JsChunk, JsFixedLength, JsReader, JsStream, JsWriter, done};
use crate::chat::ports::Lost;

/// The bucket `FILES`.
#[derive(Clone)]
pub struct Bucket(JsBucket);

impl Bucket {
    /// `None` if it is not bound.
    pub fn of(env: &Env) -> Option<Bucket> {
        bucket::of(env).map(Bucket)
    }

    /// The length of a file; `None`: there is none.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, Lost> {
        let object = done(self.0.head(key)).await?;
        Ok((!object.is_null()).then(|| object.unchecked_into::<JsObject>().size() as u64))
    }

    /// The first `limit` bytes of a file.
    pub async fn head(&self, key: &str, limit: u64) -> Result<Vec<u8>, Lost> {
        let range = Object::new();
        let options = Object::new();
        js_sys::Reflect::set(&range, &"offset".into(), &JsValue::from_f64(0.0)).map_err(|_| Lost)?;
        js_sys::Reflect::set(&range, &"length".into(), &JsValue::from_f64(limit as f64)).map_err(|_| Lost)?;
        js_sys::Reflect::set(&options, &"range".into(), &range).map_err(|_| Lost)?;
        let object = done(self.0.get(key, &options)).await?;
        if object.is_null() {
            return Err(Lost);
        }
        let buffer = done(object.unchecked_into::<JsObject>().array_buffer()).await?;
        Ok(Uint8Array::new(&buffer).to_vec())
    }

    /// Deletes a file; one that is not there is no error.
    pub async fn delete_one(&self, key: &str) -> Result<(), Lost> {
        done(self.0.remove(key)).await.map(drop)
    }

    /// Stores bytes.
    pub async fn write(&self, key: &str, bytes: &[u8]) -> Result<(), Lost> {
        done(self.0.put(key, &Uint8Array::from(bytes))).await.map(drop)
    }

    /// At most `limit` keys that begin with `prefix` and come after `after`, in order; and whether there are more.
    pub async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<(Vec<String>, bool), Lost> {
        let options = Object::new();
        for (name, value) in [("prefix", prefix), ("startAfter", after)] {
            if !value.is_empty() {
                js_sys::Reflect::set(&options, &name.into(), &value.into()).map_err(|_| Lost)?;
            }
        }
        js_sys::Reflect::set(&options, &"limit".into(), &JsValue::from_f64(limit as f64)).map_err(|_| Lost)?;
        let found: JsFound = done(self.0.list(&options)).await?.unchecked_into();
        let keys = found.objects().iter().map(|object| object.unchecked_into::<JsObject>().key()).collect();
        Ok((keys, found.truncated()))
    }

    /// Deletes files, at most 1,000.
    pub async fn delete(&self, keys: Vec<String>) -> Result<(), Lost> {
        let keys: Array = keys.iter().map(|key| JsValue::from_str(key)).collect();
        done(self.0.delete(&keys)).await.map(drop)
    }

    /// Stores a stream of `length` bytes. `exact`: the platform knows its length itself.
    pub async fn write_stream(&self, key: &str, body: JsStream, length: u64, exact: bool) -> Result<u64, Lost> {
        let object = if exact {
            done(self.0.put(key, body.as_ref())).await?
        } else {
            let pipe = JsFixedLength::new(length as f64).map_err(|_| Lost)?;
            let put = self.0.put(key, &pipe.readable());
            let (piped, put) = futures::join!(done(body.pipe_to(pipe.writable().as_ref())), done(put));
            piped?;
            put?
        };
        Ok(object.unchecked_into::<JsObject>().size() as u64)
    }

    /// Opens a file of exactly `size` bytes for reading.
    pub async fn read(&self, key: &str, size: u64) -> Result<Reading, Lost> {
        let object = done(self.0.get(key, &JsValue::UNDEFINED)).await?;
        if object.is_null() {
            return Err(Lost);
        }
        let object: JsObject = object.unchecked_into();
        let reader = object.body().get_byte_reader()?;
        let reading = Reading { reader, buffer: Uint8Array::new_with_length(CHUNK), left: size, ended: false };
        if object.size() as u64 == size { Ok(reading) } else { Err(Lost) }
    }
}

/// Bytes read at a time.
const CHUNK: u32 = 64 * 1024;

/// A file being read; given up when dropped before its end. All of it goes through one buffer: a new one for each chunk
/// would be garbage that the platform collects late, and many conversations share its memory.
pub struct Reading {
    reader: JsReader,
    buffer: Uint8Array,
    left: u64,
    ended: bool,
}

impl Reading {
    /// The next chunk, good until the one after it is asked for; `None` after the last byte. Anything but the promised
    /// length is an error.
    pub async fn next(&mut self) -> Result<Option<Uint8Array>, Lost> {
        let chunk: JsChunk = done(self.reader.read_into(&self.buffer)).await?.unchecked_into();
        if chunk.done() {
            self.ended = true;
            return if self.left == 0 { Ok(None) } else { Err(Lost) };
        }
        let bytes = chunk.value();
        // The buffer went over to the chunk; it comes back for the next one.
        self.buffer = Uint8Array::new(&bytes.buffer());
        self.left = self.left.checked_sub(u64::from(bytes.length())).ok_or(Lost)?;
        Ok(Some(bytes))
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
