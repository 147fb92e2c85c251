//! Model calls against real SQLite.

mod pinned;

use super::*;
