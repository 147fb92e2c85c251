//! What of the Directory is backed up, table by table.

use crate::backup::{Keep, Table};

/// Each table has to be here: a test says so.
pub const TABLES: &[Table] = &[
    // The claim code is a secret and dies with the first owner; what backups keep of themselves is true of here only.
    Table { name: "setting", keep: Keep::Where("key <> 'claim_code' AND substr(key, 1, 7) <> 'backup_'") },
    Table { name: "bot", keep: Keep::Rows },
    // What Telegram shows now, whatever it showed then.
    Table { name: "bot_commands", keep: Keep::Nothing },
    Table { name: "person", keep: Keep::Rows },
    Table { name: "grp", keep: Keep::Rows },
    // Codes are good for an hour, and who waits asks again. Counters of the last hour.
    Table { name: "pairing", keep: Keep::Nothing },
    Table { name: "claim_attempt", keep: Keep::Nothing },
    Table { name: "said", keep: Keep::Nothing },
    Table { name: "audit", keep: Keep::Rows },
    Table { name: "refusal", keep: Keep::Rows },
    // Messages and changes on their way now; those on their way then are not sent again.
    Table { name: "outbox", keep: Keep::Nothing },
    Table { name: "push", keep: Keep::Nothing },
    Table { name: "session", keep: Keep::Rows },
    Table { name: "config_version", keep: Keep::Rows },
    Table { name: "person_cap", keep: Keep::Rows },
    // A link that was used or revoked since must not open the door again.
    Table { name: "invite", keep: Keep::Nothing },
    Table { name: "invite_use", keep: Keep::Nothing },
    Table { name: "invite_guess", keep: Keep::Nothing },
    Table { name: "unknown_update", keep: Keep::Rows },
    // What was granted and reported in the last two days: of the moment. The ledger is what lasts.
    Table { name: "model_call", keep: Keep::Nothing },
    Table { name: "model_usage", keep: Keep::Rows },
    Table { name: "model_health", keep: Keep::Nothing },
    Table { name: "model_without", keep: Keep::Rows },
    Table { name: "budget_told", keep: Keep::Nothing },
    // The log and the counters are of the moment.
    Table { name: "event", keep: Keep::Nothing },
    Table { name: "counter", keep: Keep::Nothing },
    Table { name: "alert", keep: Keep::Nothing },
    // True of the storage as it is now; lists of it are manifests.
    Table { name: "backup_run", keep: Keep::Nothing },
    Table { name: "backup_version", keep: Keep::Nothing },
    Table { name: "backup_manifest", keep: Keep::Nothing },
    Table { name: "backup_failure", keep: Keep::Nothing },
    Table { name: "backup_restore", keep: Keep::Nothing },
    Table { name: "backup_restore_item", keep: Keep::Nothing },
    Table { name: "schema_version", keep: Keep::Nothing },
];
