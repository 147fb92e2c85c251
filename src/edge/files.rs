//! Files in R2, read and written as streams: a whole file is never in memory, neither the isolate's nor the Wasm's
//! (cloudflare.md §1.2: 128 MB for all conversations of an isolate).
//!
//! The platform's objects are talked to directly: the crate's streams would copy every chunk into the Wasm and out again.
//! Not here: keys and limits (`chat`).

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use crate::chat::ports::Lost;

#[wasm_bindgen]
extern "C" {
    /// An R2 binding.
    #[derive(Clone)]
    type JsBucket;
    #[wasm_bindgen(method, catch)]
    fn head(this: &JsBucket, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn get(this: &JsBucket, key: &str, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn put(this: &JsBucket, key: &str, value: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = delete)]
    fn remove(this: &JsBucket, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn list(this: &JsBucket, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &JsBucket, keys: &Array) -> Result<Promise, JsValue>;

    /// What `list` resolves to.
    type JsFound;
    #[wasm_bindgen(method, getter)]
    fn objects(this: &JsFound) -> Array;
    #[wasm_bindgen(method, getter)]
    fn truncated(this: &JsFound) -> bool;

    /// What these resolve to.
    type JsObject;
    #[wasm_bindgen(method, getter)]
    fn key(this: &JsObject) -> String;
    #[wasm_bindgen(method, getter)]
    fn size(this: &JsObject) -> f64;
    #[wasm_bindgen(method, getter)]
    fn body(this: &JsObject) -> JsStream;
    #[wasm_bindgen(method, catch, js_name = arrayBuffer)]
    fn array_buffer(this: &JsObject) -> Result<Promise, JsValue>;

    /// A `ReadableStream`.
    pub type JsStream;
    #[wasm_bindgen(method, js_name = getReader)]
    pub fn get_reader(this: &JsStream) -> JsReader;
    #[wasm_bindgen(method, js_name = getReader)]
    fn get_reader_of(this: &JsStream, options: &JsValue) -> JsReader;
    #[wasm_bindgen(method, catch, js_name = pipeTo)]
    fn pipe_to(this: &JsStream, into: &JsValue) -> Result<Promise, JsValue>;

    pub type JsReader;
    #[wasm_bindgen(method, catch)]
    pub fn read(this: &JsReader) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = read)]
    pub fn read_into(this: &JsReader, view: &Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn cancel(this: &JsReader) -> Result<Promise, JsValue>;

    /// What `read` resolves to.
    pub type JsChunk;
    #[wasm_bindgen(method, getter)]
    pub fn done(this: &JsChunk) -> bool;
    #[wasm_bindgen(method, getter)]
    pub fn value(this: &JsChunk) -> Uint8Array;

    /// A pipe that fails unless exactly so many bytes go through; its length becomes the request's `content-length`.
    #[wasm_bindgen(js_name = FixedLengthStream)]
    pub type JsFixedLength;
    #[wasm_bindgen(constructor, js_class = "FixedLengthStream", catch)]
    pub fn new(length: f64) -> Result<JsFixedLength, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub fn readable(this: &JsFixedLength) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub fn writable(this: &JsFixedLength) -> JsWritable;

    /// A `WritableStream`.
    pub type JsWritable;
    #[wasm_bindgen(method, catch, js_name = getWriter)]
    pub fn get_writer(this: &JsWritable) -> Result<JsWriter, JsValue>;

    pub type JsWriter;
    #[wasm_bindgen(method, catch)]
    pub fn write(this: &JsWriter, chunk: &Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn close(this: &JsWriter) -> Result<Promise, JsValue>;
}

impl JsStream {
    /// A reader that fills buffers it is given.
    pub fn get_byte_reader(&self) -> Result<JsReader, Lost> {
        let options = Object::new();
        js_sys::Reflect::set(&options, &"mode".into(), &"byob".into()).map_err(|_| Lost)?;
        Ok(self.get_reader_of(&options))
    }
}

/// Waits for a promise.
pub async fn done(promise: Result<Promise, JsValue>) -> Result<JsValue, Lost> {
    JsFuture::from(promise.map_err(|_| Lost)?).await.map_err(|_| Lost)
}

/// The bucket `FILES`.
#[derive(Clone)]
pub struct Bucket(JsBucket);

impl Bucket {
    /// `None` if it is not bound.
    pub fn of(env: &Env) -> Option<Bucket> {
        let bucket = js_sys::Reflect::get(env.unchecked_ref(), &JsValue::from_str("FILES")).ok()?;
        (!bucket.is_undefined()).then(|| Bucket(bucket.unchecked_into()))
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
