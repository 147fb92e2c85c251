//! R2 and streams as the platform has them, for who stores files (`files`) and who stores backups (`vault`).
//!
//! Talked to directly: the crate's streams would copy every chunk into the Wasm and out again. Not here: keys, limits and
//! deadlines.

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use crate::chat::ports::Lost;

#[wasm_bindgen]
extern "C" {
    /// An R2 binding.
    #[derive(Clone)]
    pub type JsBucket;
    #[wasm_bindgen(method, catch)]
    pub fn head(this: &JsBucket, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn get(this: &JsBucket, key: &str, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn put(this: &JsBucket, key: &str, value: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = delete)]
    pub fn remove(this: &JsBucket, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn list(this: &JsBucket, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn delete(this: &JsBucket, keys: &Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createMultipartUpload)]
    pub fn create_upload(this: &JsBucket, key: &str) -> Result<Promise, JsValue>;

    /// What `list` resolves to.
    pub type JsFound;
    #[wasm_bindgen(method, getter)]
    pub fn objects(this: &JsFound) -> Array;
    #[wasm_bindgen(method, getter)]
    pub fn truncated(this: &JsFound) -> bool;
    #[wasm_bindgen(method, getter)]
    pub fn cursor(this: &JsFound) -> Option<String>;

    /// What these resolve to.
    pub type JsObject;
    #[wasm_bindgen(method, getter)]
    pub fn key(this: &JsObject) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn size(this: &JsObject) -> f64;
    #[wasm_bindgen(method, getter)]
    pub fn body(this: &JsObject) -> JsStream;
    #[wasm_bindgen(method, catch, js_name = arrayBuffer)]
    pub fn array_buffer(this: &JsObject) -> Result<Promise, JsValue>;

    /// A `ReadableStream`.
    pub type JsStream;
    #[wasm_bindgen(method, js_name = getReader)]
    pub fn get_reader(this: &JsStream) -> JsReader;
    #[wasm_bindgen(method, js_name = getReader)]
    pub fn get_reader_of(this: &JsStream, options: &JsValue) -> JsReader;
    #[wasm_bindgen(method, catch, js_name = pipeTo)]
    pub fn pipe_to(this: &JsStream, into: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = pipeThrough)]
    pub fn pipe_through(this: &JsStream, transform: &JsValue) -> Result<JsStream, JsValue>;

    /// A reader of a stream.
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

    /// What `createMultipartUpload` resolves to.
    pub type JsUpload;
    #[wasm_bindgen(method, catch, js_name = uploadPart)]
    pub fn upload_part(this: &JsUpload, number: u32, value: &Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn complete(this: &JsUpload, parts: &Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn abort(this: &JsUpload) -> Result<Promise, JsValue>;

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
        Reflect::set(&options, &"mode".into(), &"byob".into()).map_err(|_| Lost)?;
        Ok(self.get_reader_of(&options))
    }
}

/// Waits for a promise.
pub async fn done(promise: Result<Promise, JsValue>) -> Result<JsValue, Lost> {
    JsFuture::from(promise.map_err(|_| Lost)?).await.map_err(|_| Lost)
}

/// The bucket `FILES`; `None` if it is not bound.
pub fn of(env: &Env) -> Option<JsBucket> {
    let bucket = Reflect::get(env.unchecked_ref(), &JsValue::from_str("FILES")).ok()?;
    (!bucket.is_undefined()).then(|| bucket.unchecked_into())
}
