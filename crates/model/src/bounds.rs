//! How long, how large and how many something may be, by name, so that a bound is never a bare number in the code.

use crate::Duration;

/// A comment's length in characters.
pub const COMMENT_CHARS_MAX: usize = 2_000;
/// A text of a limit's rationalisation, in characters.
pub const RATIONALE_CHARS_MAX: usize = 500;
/// The answer of a channel kept with an attempt, in characters.
pub const ANSWER_CHARS_MAX: usize = 300;
/// A payload's length in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Readings in one payload.
pub const BATCH_READINGS_MAX: usize = 10_000;
/// A tag's length in bytes.
pub const TAG_BYTES_MAX: usize = 256;
/// Episodes kept in a case in detail; more are counted only in `folded`.
pub const CASE_EPISODES_MAX: usize = 500;
/// Quarantined payloads kept per source.
pub const QUARANTINE_PER_SOURCE_MAX: usize = 200;
/// Bytes kept of a quarantined payload.
pub const QUARANTINE_BYTES_MAX: usize = 4_096;
/// Changes of the configuration kept with what they changed, so that a late reading is judged by the limits of its time.
pub const FORMER_CHANGES_MAX: usize = 1_024;
/// Tags that all these changes together may have changed: each takes some 100 bytes, and where all of its limits changed 600 in the store.
/// The newest change is kept however large it is.
pub const FORMER_TAGS_MAX: usize = 500_000;
/// Configurations kept that were in force, for `replay`, roll back and backtests: more changes in the time of the history are rare.
pub const CONFIGURATIONS_KEPT_MAX: usize = 64;
/// Soft state is written at most this often.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);
/// Inputs waiting for the engine.
pub const ENGINE_QUEUE_MAX: usize = 16_384;
/// Inputs evaluated before a commit, so one transaction stays short.
pub const BATCH_INPUTS_MAX: usize = 4_096;
/// Readings that wait for the history's writer; more are counted as lost and recorded as a gap. Some 30 MiB.
pub const HISTORY_QUEUE_MAX: usize = 500_000;
/// Points of one trend.
pub const HISTORY_POINTS_MAX: usize = 2_000;
/// Readings, alarms and audit are kept no shorter than this: 30 days.
pub const HISTORY_KEPT_MIN: Duration = Duration::from_mins(30 * 24 * 60);
/// Readings, alarms and audit are kept no longer than this: ten years.
pub const HISTORY_KEPT_MAX: Duration = Duration::from_mins(3_660 * 24 * 60);
/// Rows of the journal past their retention that go at once. A disk that needs ten milliseconds for a page is done with them and what
/// goes with them in a few seconds, while commits go on into their log.
pub const JOURNAL_PIECE_ROWS: usize = 50;
/// A test window's length, whatever the policy says.
pub const TEST_MAX: Duration = Duration::from_mins(8 * 60);
/// Tags or alarms named by one window.
pub const SCOPE_MAX: usize = 500;
/// Windows one enterprise may have open at once.
pub const WINDOWS_MAX: usize = 500;
/// A permit's or ticket's number in characters.
pub const REFERENCE_CHARS_MAX: usize = 100;
/// Raises looked at to find chattering, and announcements to find a flood.
pub const RAISES_KEPT_MAX: usize = 1_024;
