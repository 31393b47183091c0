//! Open logins: opaque tokens, of which only the SHA-256 is kept.
//!
//! Time comes in as monotonic time since some start, so that a step of the wall clock neither ends nor prolongs a session.
//! An open event stream does not count as use: a browser left running is not a person. Sessions are written to a file beside
//! the accounts, so that a restart in the middle of an alarm does not put every operator before a login page; across a
//! restart, and only there, their ages are told by the wall clock.

use crate::accounts::{hex, private_file, random_token};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Open sessions in all.
pub const SESSIONS_MAX: usize = 10_000;
/// Open sessions of one account; the one longest unused makes room.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 32;
/// Use is written down at this grain.
const USE_WRITTEN_EVERY_MS: i64 = 60_000;
const FORMAT: u32 = 1;

/// What a token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub username: String,
    /// The account's stamp at login; another one now ends the session.
    pub stamp: String,
    /// Cancelled when the session ends, so its streams end with it.
    pub ended: CancellationToken,
    /// Milliseconds on the monotonic clock; below 0 for what was opened before this start.
    opened: i64,
    used: i64,
}

/// The SHA-256 of a token.
pub(crate) type TokenHash = [u8; 32];

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    sessions: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    token_sha256: String,
    username: String,
    stamp: String,
    opened_ms: i64,
    used_ms: i64,
}

#[derive(Default)]
struct State {
    open: HashMap<TokenHash, Session>,
    unwritten: bool,
}

pub(crate) struct Sessions {
    state: Mutex<State>,
    idle_max: i64,
    age_max: i64,
    path: Option<PathBuf>,
}

impl Sessions {
    /// None open; `path` is where [`Self::write`] and [`Self::read`] keep them, if anywhere.
    pub fn new(idle_max: Duration, age_max: Duration, path: Option<PathBuf>) -> Self {
        Self { state: Mutex::default(), idle_max: ms(idle_max), age_max: ms(age_max), path }
    }
    /// Opens a session and gives its token, which is told once and kept nowhere.
    pub fn open(&self, username: &str, stamp: &str, now: Duration) -> String {
        let token = hex(&random_token());
        let now = ms(now);
        let mut state = self.lock();
        self.sweep(&mut state, now);
        if state.open.values().filter(|session| session.username == username).count() >= SESSIONS_PER_ACCOUNT_MAX {
            state.end_oldest(|session| session.username == username);
        }
        if state.open.len() >= SESSIONS_MAX {
            state.end_oldest(|_| true);
        }
        let session =
            Session { username: username.to_owned(), stamp: stamp.to_owned(), ended: CancellationToken::new(), opened: now, used: now };
        state.open.insert(token_hash(&token), session);
        state.unwritten = true;
        token
    }
    /// The session of a token, counting this as use.
    pub fn touch(&self, token: &str, now: Duration) -> Option<(TokenHash, Session)> {
        let (hash, now) = (token_hash(token), ms(now));
        let mut state = self.lock();
        if !state.open.get(&hash).is_some_and(|session| self.lives(session, now)) {
            state.end(&hash);
            return None;
        }
        let session = state.open.get_mut(&hash)?;
        // Many requests a second are one use.
        let news = now - session.used >= USE_WRITTEN_EVERY_MS;
        session.used = if news { now } else { session.used };
        let session = session.clone();
        state.unwritten |= news;
        Some((hash, session))
    }
    /// Whether a session still lives, without counting as use.
    pub fn is_alive(&self, hash: &TokenHash, now: Duration) -> bool {
        self.lock().open.get(hash).is_some_and(|session| self.lives(session, ms(now)))
    }
    /// Ends a session and its streams.
    pub fn end(&self, hash: &TokenHash) {
        self.lock().end(hash);
    }
    /// Ends the session of a token, if it is one.
    pub fn end_token(&self, token: &str) {
        self.end(&token_hash(token));
    }
    /// Writes the sessions down if any has changed. Blocking.
    pub fn write(&self, now: Duration) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let wall = wall() - ms(now);
        let document = {
            let mut state = self.lock();
            if !std::mem::take(&mut state.unwritten) {
                return Ok(());
            }
            let row = |(hash, session): (&TokenHash, &Session)| Row {
                token_sha256: hex(hash),
                username: session.username.clone(),
                stamp: session.stamp.clone(),
                opened_ms: session.opened + wall,
                used_ms: session.used + wall,
            };
            Document { format: FORMAT, sessions: state.open.iter().map(row).collect() }
        };
        let fresh = path.with_extension("json.new");
        // No fsync: what a power cut takes is a login, not an alarm.
        let mut file = private_file().write(true).create(true).truncate(true).open(&fresh)?;
        file.write_all(&serde_json::to_vec(&document)?)?;
        std::fs::rename(&fresh, path)
    }
    /// Takes up the sessions of before this start. A file that cannot be read only means logging in again.
    pub fn read(&self, now: Duration) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        let document: Document = serde_json::from_slice(&bytes)?;
        if document.format != FORMAT {
            return Err(io::Error::other(format!("format {} (this version reads {FORMAT})", document.format)));
        }
        let (now, wall) = (ms(now), wall() - ms(now));
        let mut state = self.lock();
        for row in document.sessions.into_iter().take(SESSIONS_MAX) {
            let Some(hash) = unhex(&row.token_sha256) else { continue };
            // A stamp from the future is a wall clock that went back, and is as old as can be told.
            let at = |stamp: i64| stamp.saturating_sub(wall).min(now);
            let session = Session {
                username: row.username,
                stamp: row.stamp,
                ended: CancellationToken::new(),
                opened: at(row.opened_ms),
                used: at(row.used_ms),
            };
            if self.lives(&session, now) {
                state.open.entry(hash).or_insert(session);
            }
        }
        Ok(())
    }

    fn lives(&self, session: &Session, now: i64) -> bool {
        now.saturating_sub(session.used) < self.idle_max && now.saturating_sub(session.opened) < self.age_max
    }
    fn sweep(&self, state: &mut State, now: i64) {
        state.open.retain(|_, session| {
            let lives = self.lives(session, now);
            if !lives {
                session.ended.cancel();
            }
            lives
        });
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, hash: &TokenHash) {
        if let Some(session) = self.open.remove(hash) {
            session.ended.cancel();
            self.unwritten = true;
        }
    }
    fn end_oldest(&mut self, of: impl Fn(&Session) -> bool) {
        let oldest = self.open.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.used);
        if let Some(hash) = oldest.map(|(hash, _)| *hash) {
            self.end(&hash);
        }
    }
}

fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, ms)
}

fn unhex(text: &str) -> Option<TokenHash> {
    let mut hash = TokenHash::default();
    if text.len() != hash.len() * 2 {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_session_ends_when_idle_and_at_its_greatest_age_however_used() {
        let sessions = Sessions::new(2 * HOUR, 5 * HOUR, None);
        let token = sessions.open("wang", "s", Duration::ZERO);
        assert_eq!(token.len(), 64);
        assert!(sessions.touch(&token, HOUR).is_some());
        assert!(sessions.touch(&token, 3 * HOUR - Duration::from_millis(1)).is_some());
        let (hash, session) = sessions.touch(&token, 4 * HOUR).unwrap();
        assert!(sessions.touch(&token, 5 * HOUR).is_none());
        assert!(session.ended.is_cancelled() && !sessions.is_alive(&hash, 4 * HOUR));
        let idle = sessions.open("wang", "s", Duration::ZERO);
        assert!(sessions.touch(&idle, 2 * HOUR).is_none());
    }

    #[test]
    fn looking_at_a_session_does_not_prolong_it() {
        let sessions = Sessions::new(2 * HOUR, 50 * HOUR, None);
        let token = sessions.open("wang", "s", Duration::ZERO);
        let (hash, _) = sessions.touch(&token, Duration::ZERO).unwrap();
        assert!(sessions.is_alive(&hash, HOUR));
        assert!(!sessions.is_alive(&hash, 2 * HOUR));
    }

    #[test]
    fn one_account_cannot_fill_the_table_and_its_longest_unused_session_makes_room() {
        let sessions = Sessions::new(HOUR, HOUR, None);
        let other = sessions.open("li", "s", Duration::ZERO);
        let tokens: Vec<_> = (0..=SESSIONS_PER_ACCOUNT_MAX as u64).map(|n| sessions.open("wang", "s", Duration::from_secs(n))).collect();
        let now = Duration::from_secs(60);
        assert!(sessions.touch(&tokens[0], now).is_none());
        assert!(sessions.touch(&tokens[1], now).is_some() && sessions.touch(&other, now).is_some());
    }

    #[test]
    fn a_restart_keeps_sessions_and_their_ages_and_the_file_holds_no_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.json");
        let before = Sessions::new(2 * HOUR, 5 * HOUR, Some(path.clone()));
        let (kept, ended) = (before.open("wang", "s", 10 * HOUR), before.open("wang", "s", 10 * HOUR));
        before.end_token(&ended);
        before.write(11 * HOUR).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&kept));
        let after = Sessions::new(2 * HOUR, 5 * HOUR, Some(path.clone()));
        after.read(Duration::ZERO).unwrap();
        assert!(after.touch(&ended, Duration::ZERO).is_none());
        // It was an hour old and unused for an hour.
        let (hash, _) = after.touch(&kept, Duration::ZERO).unwrap();
        assert!(after.is_alive(&hash, HOUR));
        let unused = Sessions::new(HOUR, 5 * HOUR, Some(path.clone()));
        unused.read(Duration::ZERO).unwrap();
        assert!(unused.touch(&kept, Duration::ZERO).is_none());
        std::fs::write(&path, "not ours").unwrap();
        assert!(after.read(Duration::ZERO).is_err() && after.touch(&kept, Duration::ZERO).is_some());
    }
}
