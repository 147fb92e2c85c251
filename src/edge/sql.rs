//! The store port over a Durable Object's SQLite.

use worker::{SqlStorage, SqlStorageValue};

use crate::store::{Row, Sql, StoreError, Value, check_limits};

pub struct ObjectSql(pub SqlStorage);

impl Sql for ObjectSql {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        check_limits(params)?;
        let bindings: Vec<SqlStorageValue> = params
            .iter()
            .map(|value| match value {
                Value::Null => SqlStorageValue::Null,
                Value::Int(int) => SqlStorageValue::Integer(*int),
                Value::Text(text) => SqlStorageValue::String(text.clone()),
            })
            .collect();
        let cursor = self.0.exec(statement, bindings).map_err(|error| StoreError::Sql(error.to_string()))?;
        cursor
            .raw()
            .map(|row| {
                let row = row.map_err(|error| StoreError::Sql(error.to_string()))?;
                Ok(Row(row.into_iter().map(value).collect()))
            })
            .collect()
    }
}

fn value(value: SqlStorageValue) -> Value {
    match value {
        SqlStorageValue::Null => Value::Null,
        SqlStorageValue::Boolean(flag) => Value::Int(flag.into()),
        SqlStorageValue::Integer(int) => Value::Int(int),
        SqlStorageValue::Float(float) => Value::Int(float as i64),
        SqlStorageValue::String(text) => Value::Text(text),
        SqlStorageValue::Blob(bytes) => Value::Text(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
