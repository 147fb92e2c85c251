//! Backups of an object's database: their format, how they are taken, checked and put back.
//!
//! A backup is NDJSON: a [`Header`], one line a row, a trailer with the number of rows and a SHA-256. All of it works over
//! [`crate::store::Sql`], page by page: an object is never whole in memory. Each object says table by table what belongs
//! into its backups ([`Table`]), beside its own schema.
//! Not here: compression, storage, deadlines (`edge`), when a backup is due (`directory::backups`), what a restored
//! conversation makes of messages that were under way (`chat`). Decision 014 has the reasons.
//!
//! | file | holds |
//! |---|---|
//! | `line` | the lines and their JSON |
//! | [`dump`] | rows of an object into lines |
//! | [`verify`] | a stream of bytes into lines that can be trusted |
//! | [`restore`] | lines into an object, all of them or none |
//! | [`manifest`] | the list that makes backups of many objects one restore point |
//! | [`key`] | names in storage |
//! | [`retention`] | which manifests stay |
//! | [`vault`] | storage as backups need it |
//! | [`orders`] | what the Directory asks of conversations |

pub mod dump;
pub mod key;
mod line;
pub mod manifest;
pub mod orders;
pub mod restore;
pub mod retention;
pub mod vault;
pub mod verify;

#[cfg(test)]
pub(crate) mod tests;

pub use dump::{Dump, DumpError};
pub use line::{Header, Sum, TableHead};
pub use restore::Restore;
pub use verify::{Item, Reader, Refused};

/// The one form there is.
pub const FORMAT: i64 = 1;

/// Longest line: a row of the platform has at most 2 MB (cloudflare.md §1.2), and JSON may write a byte as six.
pub const MAX_LINE: usize = 13_000_000;
/// Most bytes of a backup before compression. A conversation of a hundred thousand messages has a tenth of it.
pub const MAX_BYTES: u64 = 1 << 30;
/// Most columns of a table (cloudflare.md §1.2).
pub const MAX_COLUMNS: usize = 100;
/// Most tables of an object.
pub const MAX_TABLES: usize = 200;

/// What becomes of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of its rows are backed up and put back.
    Rows,
    /// Only the rows for which this SQL condition holds; the others are neither backed up nor touched by a restore.
    Where(&'static str),
    /// Nothing: derived, secret, or only good for the moment. A restore leaves it as it is.
    Nothing,
}

/// One table of an object. It must have a primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub keep: Keep,
}

impl Table {
    /// The condition for the rows that are kept; `None`: no row is.
    fn condition(&self) -> Option<&'static str> {
        match self.keep {
            Keep::Rows => Some("1"),
            Keep::Where(condition) => Some(condition),
            Keep::Nothing => None,
        }
    }
}
