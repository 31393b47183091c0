//! What people see and touch: HTTP API, live events, pages and accounts.
//!
//! Architecture invariants: this crate never writes alarm state. An act is sent to the engine and answered after its commit;
//! what is shown comes from [`LiveView`], which the engine writes after each commit, and from [`Records`], which read
//! committed rows. Only this crate knows its JSON. Every list, case, message and event is cut to what the login's body
//! oversees in the jurisdiction tree, in one place (`access::Viewer`); a page is never trusted to hide anything. Wall time
//! comes in through [`Settings::clock`], the engine's; sessions and limits run on monotonic time.

mod access;
mod accounts;
mod error;
mod json;
mod live;
mod message;
mod metrics;
mod openapi;
mod pages;
mod patience;
mod port;
mod render;
mod render_windows;
mod routes;
mod server;
mod sessions;
mod settings;
mod steered;
mod timeline;
mod tries;
mod words;

pub use accounts::{Account, Accounts, AccountsError, Misfit, Role, random_password};
pub use json::{
    ApplyRequestJson, BacktestJson, BacktestRequestJson, ConfigChangeJson, ConfigJson, ConfirmRequestJson, FaultJson, FileJson,
    PlanEffectJson, PlanJson, PlanLineJson, PlanRequestJson, VersionJson,
};
pub use live::{Beside, CLOSED_CASES_KEPT, Change, LiveAlarm, LiveEvent, LiveValue, LiveView, Reshown, Update};
pub use message::{MESSAGES_KEPT, Message, MessageStatus};
pub use openapi::document as openapi;
pub use pages::are_built as pages_are_built;
pub use port::{
    ActFuture, Engine, EngineBusy, HistoryGap, QuarantineList, QuarantineRow, Readiness, Records, RecordsError, TimelineEntry, Trend,
    TrendPoint,
};
pub use port::{PlanFuture, SecondPerson, Tuning, TuningError};
pub use server::serve_on;
pub use settings::{Clock, Settings};
pub use steered::{LiveMode, LiveSuppressed, Steered, SuppressedBy};
pub use words::Language;

/// Bounds of the console, each with its reason.
pub mod bounds {
    pub use crate::accounts::{
        ACCOUNTS_MAX, ARGON2_MEMORY_KIB, ARGON2_PASSES, PASSPHRASE_CHARS_MIN, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, USERNAME_CHARS_MAX,
    };
    pub use crate::live::{CHANGES_BEHIND_MAX, CLOSED_CASES_KEPT};
    pub use crate::message::MESSAGES_KEPT;
    pub use crate::sessions::{SESSIONS_MAX, SESSIONS_PER_ACCOUNT_MAX};
    pub use crate::tries::{TRIES_PER_ACCOUNT_AND_ADDRESS_MAX, TRIES_PER_ADDRESS_MAX, WINDOW as TRIES_WINDOW};
    use std::time::Duration;

    /// A request's body in bytes.
    pub const BODY_BYTES_MAX: usize = 64 * 1024;
    /// The body of a plan: a setpoint list of 100,000 tags has about 25 MB.
    pub const CONFIG_BYTES_MAX: usize = 96 << 20;
    /// A plan of a whole county has this long.
    pub const CONFIG_TIMEOUT: Duration = Duration::from_secs(120);
    /// A client has this long to send its request head; a slower one is holding a connection, not asking.
    pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
    /// A request other than a stream has this long in all.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
    /// A client has this long to take what it was sent; event streams to a dead peer end so.
    pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
    /// The engine has this long to answer an act.
    pub const ACT_TIMEOUT: Duration = Duration::from_secs(5);
    /// Open connections: the engine's own files and links must never want for descriptors.
    pub const CONNECTIONS_MAX: usize = 512;
    /// Open connections from one address that is neither this machine nor a trusted proxy.
    pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 128;
    /// Open event streams in all.
    pub const STREAMS_MAX: usize = 256;
    /// Open event streams of one session: one per browser tab.
    pub const STREAMS_PER_SESSION_MAX: usize = 16;
    /// Password hashes computed at the same time: each takes a core and 19 MiB, and the engine needs its core.
    pub const HASHES_AT_ONCE_MAX: usize = 1;
    /// A heartbeat on every stream, so that a page notices silence.
    pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
    /// Changed values are sent this often.
    pub const VALUES_EVERY: Duration = Duration::from_secs(1);
    /// After the end of the engine is asked for, connections have this long to finish.
    pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
    /// Rows of one answer.
    pub const ROWS_MAX: usize = 2_000;
    /// Points of a trend, where the question does not say.
    pub const HISTORY_POINTS_DEFAULT: usize = 500;
    /// Milliseconds of a trend, where the question does not say: an hour.
    pub const HISTORY_SPAN_DEFAULT_MILLIS: i64 = 3_600_000;
    /// Quarantined payloads read from the store for one answer, before they are cut to what the login may see.
    pub const QUARANTINE_READ_MAX: usize = 5_000;
    /// An act id's length in characters.
    pub const ACT_ID_CHARS_MAX: usize = 100;
    /// A console's name in an act of silence, in characters.
    pub const CONSOLE_NAME_CHARS_MAX: usize = 100;
    /// Episodes or announcements one act may name.
    pub const ACT_ITEMS_MAX: usize = model::bounds::CASE_EPISODES_MAX;
}
