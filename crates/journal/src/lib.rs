//! The journal, state, timers and outbox: what is still known after the power went.
//!
//! Everything the engine must not forget goes through [`Store::commit`] in one transaction: the chained journal rows that
//! auditors read, and beside them, unchained, the state, timers, notifications, acts and quarantine that the next engine starts
//! from. No ack, message, siren or answer may leave before it returned. [`AheadStore`] is the embedded store, a log of commits with
//! [`SqliteStore`] behind it; PostgreSQL will stand behind the same traits and pass the same `contract` suite.
//!
//! The crate decides nothing and reads no clock for what it stores: every stamp is given. It knows no alarm and no case, only
//! bytes under keys; the one thing it looks up inside them is to whom a notification goes. It writes no names and no numbers of
//! people unless it is handed them.
//!
//! A folder holds `watchfire.ahead` (the newest commits), `watchfire.db` (with `-wal` and `-shm` while it is open), `watchfire.lock` (one
//! engine at a time), `watchfire.reserve` (empty room for a start on a full disk) and `journal.head` (the anchor: the journal's end at
//! most a minute ago); `starts` has the state that each start took up; `history.db`, in which [`history`] keeps the readings, is a
//! file of its own with a writer of its own.
//!
//! Architecture invariant: only this crate knows SQL.

mod batch;
mod chain;
#[cfg(test)]
mod contract;
pub mod history;
mod sqlite;
mod starts;
mod store;

pub use batch::*;
pub use chain::ChainHash;
pub use sqlite::ACT_KEY;
pub use sqlite::{AheadStore, Anchor, Bad, Fault, Outside, SqliteReader, SqliteStore, VerifyReport, anchor, commits_ahead, verify};
pub use starts::{KeptStart, StartState, keep_start, kept_starts};
pub use store::*;
