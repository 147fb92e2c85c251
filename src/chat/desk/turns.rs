//! Turns, and one of them with all of its steps, deliveries, updates and files.
//!
//! The journal has no index by turn, which each message would pay for: one look at a turn reads the tables through.

use serde::Deserialize;

use super::messages::clipped;
use super::{DeliveryView, StepView, TurnRow, TurnView, TurnsView};
use crate::chat::conversation::Conversation;
use crate::chat::ports::Ports;
use crate::directory::desk::Refused;
use crate::llm::{ModelRef, Usage};
use crate::store::{Row, Sql, StoreError};

/// Turns of a page.
const PAGE: usize = 50;
/// Rows of one kind shown with a turn.
const MOST: i64 = 200;
const MAX_NOTE: usize = 500;

const COLUMNS: &str =
    "turn.id, state, model, answered_by, created_at, coalesce(asked_at, created_at), first_at, finished_at,
    attempts, error, epoch, turn.user_id,
    substr(iif(json_valid(inbox.content), json_extract(inbox.content, '$.text'), NULL), 1, 120)";

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// A page of turns, newest first. `before`: the `next` of the page before.
    pub(super) fn turns_page(&self, before: Option<&str>) -> Result<TurnsView, StoreError> {
        let place = before.and_then(|text| {
            let (at, id) = text.split_once('-')?;
            Some((at.parse::<i64>().ok()?, id.parse::<i64>().ok()?))
        });
        let rows = self.sql.run(
            // A turn is named for the first row of the inbox it answers; one answered anew is not, and shows no words here.
            &format!(
                "SELECT {COLUMNS} FROM turn LEFT JOIN inbox ON inbox.seq = turn.id AND inbox.kind = 'message'
                 WHERE state <> 'deleted' AND (?1 IS NULL OR (created_at, turn.id) < (?1, ?2))
                 ORDER BY created_at DESC, turn.id DESC LIMIT ?3"
            ),
            &[
                place.map(|(at, _)| at).into(),
                place.map(|(_, id)| id).into(),
                i64::try_from(PAGE + 1).unwrap_or(0).into(),
            ],
        )?;
        let mut turns = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = turns.len() > PAGE;
        turns.truncate(PAGE);
        let next = turns.last().filter(|_| more).map(|last| format!("{}-{}", last.created_at, last.id));
        Ok(TurnsView { turns, next })
    }

    pub(super) fn turn_view(&self, id: i64) -> Result<TurnView, Refused> {
        let rows = self.sql.run(
            &format!(
                "SELECT {COLUMNS} FROM turn LEFT JOIN inbox ON inbox.seq = turn.id AND inbox.kind = 'message'
                 WHERE turn.id = ?1 AND state <> 'deleted'"
            ),
            &[id.into()],
        )?;
        let Some(row) = rows.first() else { return Err(Refused::not_found("There is no such turn.")) };
        let turn = read(row)?;
        Ok(TurnView {
            messages: self.messages_of(id)?,
            updates: self.updates_of(id)?,
            steps: self.steps_of(id)?,
            deliveries: self.deliveries_of(id)?,
            files: self.files_of(id)?,
            can_retry: self.why_not_retried(id)?.is_none(),
            turn,
        })
    }

    fn steps_of(&self, turn: i64) -> Result<Vec<StepView>, StoreError> {
        let rows = self.sql.run(
            "SELECT id, kind, model, state, started_at, ended_at, detail FROM step WHERE turn_id = ?1 ORDER BY id LIMIT ?2",
            &[turn.into(), MOST.into()],
        )?;
        rows.iter().map(|row| self.read_step(row)).collect()
    }

    fn read_step(&self, row: &Row) -> Result<StepView, StoreError> {
        let model = row.opt_text(2)?;
        let detail = row.opt_text(6)?.unwrap_or_default();
        let mut step = StepView {
            id: row.int(0)?,
            kind: row.text(1)?.to_owned(),
            model: model.map(str::to_owned),
            state: row.text(3)?.to_owned(),
            started_at: row.int(4)?,
            ended_at: row.opt_int(5)?,
            ..StepView::default()
        };
        match serde_json::from_str::<Detail>(detail) {
            Ok(took) => {
                step.input = took.usage.input;
                step.cached_input = took.usage.cached_input;
                step.output = took.usage.output;
                step.thinking = took.usage.thinking;
                step.log_id = took.log_id;
                // Journals of older releases hold no price; today's is as near as one gets.
                let now = || {
                    model.and_then(|model| model.parse::<ModelRef>().ok()).map(|model| self.cost(&model, &took.usage).0)
                };
                step.nano_usd = took.nano_usd.or_else(now);
            }
            Err(_) if detail.is_empty() => {}
            Err(_) => step.note = Some(clipped(detail, MAX_NOTE)),
        }
        Ok(step)
    }

    fn deliveries_of(&self, turn: i64) -> Result<Vec<DeliveryView>, StoreError> {
        let rows = self.sql.run(
            "SELECT id, slot, json_extract(call, '$.method'), state, attempts, created_at, not_before, message_id, error,
               substr(coalesce(json_extract(call, '$.params.text'), json_extract(call, '$.params.caption')), 1, 200)
             FROM outbox WHERE turn_id = ?1 ORDER BY id LIMIT ?2",
            &[turn.into(), MOST.into()],
        )?;
        let read = |row: &Row| {
            Ok(DeliveryView {
                id: row.int(0)?,
                slot: row.text(1)?.to_owned(),
                method: row.opt_text(2)?.unwrap_or_default().to_owned(),
                state: row.text(3)?.to_owned(),
                attempts: row.int(4)?,
                created_at: row.int(5)?,
                not_before: row.int(6)?,
                message_id: row.opt_int(7)?,
                error: row.opt_text(8)?.map(str::to_owned),
                text: row.opt_text(9)?.map(str::to_owned),
            })
        };
        rows.iter().map(read).collect()
    }
}

/// What the journal keeps of a call that went well.
#[derive(Deserialize)]
struct Detail {
    #[serde(flatten)]
    usage: Usage,
    #[serde(default)]
    log_id: Option<String>,
    #[serde(default)]
    nano_usd: Option<u64>,
}

fn read(row: &Row) -> Result<TurnRow, StoreError> {
    Ok(TurnRow {
        id: row.int(0)?,
        state: row.text(1)?.to_owned(),
        model: row.text(2)?.to_owned(),
        answered_by: row.opt_text(3)?.map(str::to_owned),
        created_at: row.int(4)?,
        asked_at: row.int(5)?,
        first_at: row.opt_int(6)?,
        finished_at: row.opt_int(7)?,
        attempts: row.int(8)?,
        error: row.opt_text(9)?.map(str::to_owned),
        epoch: row.int(10)?,
        user_id: row.opt_int(11)?,
        asked: row.opt_text(12)?.map(str::to_owned),
    })
}
