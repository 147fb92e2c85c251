//! The conversation's store: SQLite that outlives the conversation, with statements that fail on demand.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use native::Sqlite;
use tideclaw::store::{Row, Sql, StoreError, Value, check_limits};

#[path = "../../src/store/native.rs"]
#[allow(dead_code)]
mod native;

type Fault = Box<dyn FnMut(u64, &str) -> bool>;

struct Inner {
    sqlite: Sqlite,
    fault: RefCell<Option<Fault>>,
    statements: Cell<u64>,
}

#[derive(Clone)]
pub struct Store(Rc<Inner>);

impl Store {
    pub fn new() -> Store {
        let sqlite = Sqlite::memory().unwrap();
        Store(Rc::new(Inner { sqlite, fault: RefCell::default(), statements: Cell::new(0) }))
    }

    /// From now on statements for which `fault` (their number from now on, their text) is true fail.
    pub fn fail_when(&self, fault: impl FnMut(u64, &str) -> bool + 'static) {
        self.0.statements.set(0);
        self.0.fault.replace(Some(Box::new(fault)));
    }

    pub fn mend(&self) {
        self.0.fault.replace(None);
    }

    /// Rows of a query outside any fault, columns joined by a blank; NULL is `-`.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let show = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::Int(int) => int.to_string(),
            Value::Text(text) => text.clone(),
        };
        let rows = self.0.sqlite.run(query, &[]).unwrap();
        rows.iter().map(|row| row.0.iter().map(show).collect::<Vec<_>>().join(" ")).collect()
    }
}

impl Sql for Store {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let number = self.0.statements.get();
        self.0.statements.set(number + 1);
        if self.0.fault.borrow_mut().as_mut().is_some_and(|fault| fault(number, statement)) {
            return Err(StoreError::Sql("injected".into()));
        }
        self.0.sqlite.run(statement, params)
    }

    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.sqlite.atomically(work)
    }
}
