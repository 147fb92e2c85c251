//! Leave to call a model: budgets, what is resting after a failure, and the ledger of what was used.
//!
//! Not here: prices (`llm::catalogue`; the conversation computes costs, the Directory adds them up) and the calls.
//! Rules: providers.md §5.2, DESIGN §3.9, `docs/decisions/010-model-calls.md`.

pub mod exchange;
