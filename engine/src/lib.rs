//! Doorward: risk-based login anomaly detection. Login events in, a decision with its ledger and a mail out.
//!
//! One login in fifteen lines:
//!
//! 1. A door reads a line ([`io`]) and hands it to a worker thread ([`pipeline::door`]).
//! 2. [`event`] makes a valid event of it, or a refusal that names the field.
//! 3. [`enrich`] adds what can be said without history: device, network, place.
//! 4. [`pipeline::sequencer`] gives it a place in the journal and loads what is known of the user.
//! 5. [`attempt`] takes it as a stage of one try to get in.
//! 6. [`history`] says how the device stands to those seen before, and how usual the address is.
//! 7. [`signals`] answer one question each and fill the declared fields.
//! 8. The rules (`doorward_rules`) read the fields and give points.
//! 9. [`risk`] sums the ledger, compares the required level with the proven one, and picks the action.
//! 10. If the attempt ends here, [`history::learn`] learns from it,
//! 11. and [`alerts`] say whether the owner is told, or why not.
//! 12. [`pipeline::batch`] makes one commit of it all; [`pipeline::committer`] writes it.
//! 13. Only then do the sinks publish: decisions, dead letters, mails.
//! 14. After a crash the next start goes on from the commit: nothing lost, nothing decided twice.
//! 15. [`cli`] wires it to the world; `ARCHITECTURE.md` has the map.

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::disallowed_macros
    )
)]

pub mod alerts;
pub mod attempt;
pub mod cli;
pub mod config;
pub mod enrich;
pub mod event;
pub mod generate;
pub mod history;
pub mod io;
pub mod keyed_hash;
pub mod pipeline;
pub mod risk;
pub mod signals;
pub mod telemetry;
pub mod terms;
