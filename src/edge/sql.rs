//! The store port over a Durable Object's SQLite.
//!
//! Most of what a message costs is statements, so this talks to the platform's object directly: parameters go over as
//! they are, and the result of a statement that has none is not looked at.

use std::panic::AssertUnwindSafe;

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::Storage;

use crate::store::{Row, Sql, StoreError, Value, check_limits};

#[wasm_bindgen]
extern "C" {
    /// `ctx.storage.sql`.
    type JsSql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &JsSql, statement: &str, params: &Array) -> Result<JsCursor, JsValue>;

    /// What `exec` returns. The statement has run by then; rows are read as they are asked for.
    type JsCursor;
    #[wasm_bindgen(method, catch)]
    fn raw(this: &JsCursor) -> Result<JsValue, JsValue>;

    /// `ctx.storage`.
    type JsStorage;
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &JsStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Array, js_name = from, catch)]
    fn array_from(iterable: &JsValue) -> Result<Array, JsValue>;
}

pub struct ObjectSql {
    sql: JsSql,
    storage: JsStorage,
}

impl ObjectSql {
    pub fn new(storage: &Storage) -> ObjectSql {
        let sql = storage.sql().as_ref().clone().unchecked_into();
        ObjectSql { sql, storage: AsRef::<JsValue>::as_ref(storage.as_raw()).clone().unchecked_into() }
    }
}

impl Sql for ObjectSql {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        check_limits(params)?;
        let bindings = Array::new();
        for param in params {
            bindings.push(&match param {
                Value::Null => JsValue::NULL,
                // 53 bits, as the port says.
                Value::Int(int) => JsValue::from_f64(*int as f64),
                Value::Text(text) => JsValue::from_str(text),
            });
        }
        let cursor = self.sql.exec(statement, &bindings).map_err(failed)?;
        if !has_result(statement) {
            return Ok(Vec::new());
        }
        let rows = cursor.raw().and_then(|rows| array_from(&rows)).map_err(failed)?;
        rows.iter()
            .map(|row| row.unchecked_into::<Array>().iter().map(value).collect::<Result<_, _>>().map(Row))
            .collect()
    }

    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        // A panic inside ends the whole event, and with it whoever could see these halfway.
        let mut state = AssertUnwindSafe((&mut outcome, work));
        let done = self.storage.transaction_sync(&mut move || {
            let (outcome, work) = &mut *state;
            **outcome = work();
            // The platform rolls back when the callback throws; what is thrown does not matter.
            if outcome.is_ok() { Ok(JsValue::UNDEFINED) } else { Err(JsValue::NULL) }
        });
        outcome?;
        done.map(drop).map_err(failed)
    }
}

/// Changes have a result only if they ask for one.
fn has_result(statement: &str) -> bool {
    let is_change = ["INSERT", "UPDATE", "DELETE", "CREATE"].iter().any(|word| statement.starts_with(word));
    !is_change || statement.contains("RETURNING")
}

fn value(value: JsValue) -> Result<Value, StoreError> {
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    if let Some(number) = value.as_f64() {
        return Ok(Value::Int(number as i64));
    }
    if value.is_null() {
        return Ok(Value::Null);
    }
    Err(StoreError::Sql("a value that is neither text nor number".into()))
}

fn failed(error: JsValue) -> StoreError {
    let text = error.dyn_ref::<js_sys::Error>().map(js_sys::Error::message);
    StoreError::Sql(text.map_or_else(|| format!("{error:?}"), |text: JsString| text.into()))
}
