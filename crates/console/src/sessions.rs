//! Open logins: opaque tokens, of which only the SHA-256 is kept, in memory. A restart ends every session.
//!
//! Time comes in as monotonic time since some start, so that a step of the wall clock neither ends nor prolongs a session.
//! An open event stream does not count as use: a browser left running is not a person.

use crate::accounts::{hex, random_token};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Open sessions in all.
pub const SESSIONS_MAX: usize = 10_000;
/// Open sessions of one account; the one longest unused makes room.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 32;

/// What a token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub username: String,
    /// The account's stamp at login; another one now ends the session.
    pub stamp: String,
    /// Cancelled when the session ends, so its streams end with it.
    pub ended: CancellationToken,
    opened: Duration,
    used: Duration,
}

/// The SHA-256 of a token.
pub(crate) type TokenHash = [u8; 32];

pub(crate) struct Sessions {
    open: Mutex<HashMap<TokenHash, Session>>,
    idle_max: Duration,
    age_max: Duration,
}

impl Sessions {
    pub fn new(idle_max: Duration, age_max: Duration) -> Self {
        Self { open: Mutex::new(HashMap::new()), idle_max, age_max }
    }
    /// Opens a session and gives its token, which is told once and kept nowhere.
    pub fn open(&self, username: &str, stamp: &str, now: Duration) -> String {
        let token = hex(&random_token());
        let mut open = self.lock();
        self.sweep(&mut open, now);
        if open.values().filter(|session| session.username == username).count() >= SESSIONS_PER_ACCOUNT_MAX {
            end_oldest(&mut open, |session| session.username == username);
        }
        if open.len() >= SESSIONS_MAX {
            end_oldest(&mut open, |_| true);
        }
        let session =
            Session { username: username.to_owned(), stamp: stamp.to_owned(), ended: CancellationToken::new(), opened: now, used: now };
        open.insert(token_hash(&token), session);
        token
    }
    /// The session of a token, counting this as use.
    pub fn touch(&self, token: &str, now: Duration) -> Option<(TokenHash, Session)> {
        let hash = token_hash(token);
        let mut open = self.lock();
        if !open.get(&hash).is_some_and(|session| self.lives(session, now)) {
            end(&mut open, &hash);
            return None;
        }
        let session = open.get_mut(&hash)?;
        session.used = session.used.max(now);
        Some((hash, session.clone()))
    }
    /// Whether a session still lives, without counting as use.
    pub fn is_alive(&self, hash: &TokenHash, now: Duration) -> bool {
        self.lock().get(hash).is_some_and(|session| self.lives(session, now))
    }
    /// Ends a session and its streams.
    pub fn end(&self, hash: &TokenHash) {
        end(&mut self.lock(), hash);
    }
    /// Ends the session of a token, if it is one.
    pub fn end_token(&self, token: &str) {
        self.end(&token_hash(token));
    }

    fn lives(&self, session: &Session, now: Duration) -> bool {
        now.saturating_sub(session.used) < self.idle_max && now.saturating_sub(session.opened) < self.age_max
    }
    fn sweep(&self, open: &mut HashMap<TokenHash, Session>, now: Duration) {
        open.retain(|_, session| {
            let lives = self.lives(session, now);
            if !lives {
                session.ended.cancel();
            }
            lives
        });
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TokenHash, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

fn end(open: &mut HashMap<TokenHash, Session>, hash: &TokenHash) {
    if let Some(session) = open.remove(hash) {
        session.ended.cancel();
    }
}

fn end_oldest(open: &mut HashMap<TokenHash, Session>, of: impl Fn(&Session) -> bool) {
    let oldest = open.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash);
    if let Some(hash) = oldest {
        end(open, &hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_session_ends_when_idle_and_at_its_greatest_age_however_used() {
        let sessions = Sessions::new(2 * HOUR, 5 * HOUR);
        let token = sessions.open("wang", "s", Duration::ZERO);
        assert_eq!(token.len(), 64);
        assert!(sessions.touch(&token, HOUR).is_some());
        assert!(sessions.touch(&token, 3 * HOUR - Duration::from_nanos(1)).is_some());
        let (hash, session) = sessions.touch(&token, 4 * HOUR).unwrap();
        assert!(sessions.touch(&token, 5 * HOUR).is_none());
        assert!(session.ended.is_cancelled() && !sessions.is_alive(&hash, 4 * HOUR));
        let idle = sessions.open("wang", "s", Duration::ZERO);
        assert!(sessions.touch(&idle, 2 * HOUR).is_none());
    }

    #[test]
    fn looking_at_a_session_does_not_prolong_it() {
        let sessions = Sessions::new(2 * HOUR, 50 * HOUR);
        let token = sessions.open("wang", "s", Duration::ZERO);
        let (hash, _) = sessions.touch(&token, Duration::ZERO).unwrap();
        assert!(sessions.is_alive(&hash, HOUR));
        assert!(!sessions.is_alive(&hash, 2 * HOUR));
    }

    #[test]
    fn one_account_cannot_fill_the_table_and_its_longest_unused_session_makes_room() {
        let sessions = Sessions::new(HOUR, HOUR);
        let other = sessions.open("li", "s", Duration::ZERO);
        let tokens: Vec<_> = (0..=SESSIONS_PER_ACCOUNT_MAX as u64).map(|n| sessions.open("wang", "s", Duration::from_secs(n))).collect();
        let now = Duration::from_secs(60);
        assert!(sessions.touch(&tokens[0], now).is_none());
        assert!(sessions.touch(&tokens[1], now).is_some() && sessions.touch(&other, now).is_some());
    }
}
