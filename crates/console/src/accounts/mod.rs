//! Who may log in: a file of accounts in the data folder, each bound to a person and the body they act for.
//!
//! `watchfire user` and the running engine are two processes on one file, so every change is read-modify-write under a file
//! lock, written beside the old file and renamed over it after an fsync; the engine looks again at most once a second.
//! Passwords are kept as argon2id only. There is no default account and no default password. Which enterprises a login sees
//! is never stored here: it follows from the jurisdiction tree at every request.

mod file;
mod password;

pub(crate) use file::private as private_file;
pub use password::{ARGON2_MEMORY_KIB, ARGON2_PASSES, PASSPHRASE_CHARS_MIN, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, random_password};
pub(crate) use password::{hex, random_token};

use file::{FILE_NAME, LOCK_NAME, Stamp, private, read, stamp, write};
use model::{BodyId, PersonId, Plant, Tier};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A user name's greatest length in characters.
pub const USERNAME_CHARS_MAX: usize = 64;
/// Accounts in one file.
pub const ACCOUNTS_MAX: usize = 10_000;
/// The running engine looks at the file's stamp at most this often.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What kind of login it is. Enterprise, township and county act on cases of their tier; an admin sees everything and acts on nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// 企业: control room and its managers.
    Enterprise,
    /// 镇街 or 园区.
    Township,
    /// 区县.
    County,
    /// 管理员: sees everything, may do no act on alarms or cases.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Enterprise, Self::Township, Self::County, Self::Admin];
    /// The name in files, the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Township => "township",
            Self::County => "county",
            Self::Admin => "admin",
        }
    }
    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
    /// The tier its acts count for; an admin has none.
    pub const fn tier(self) -> Option<Tier> {
        match self {
            Self::Enterprise => Some(Tier::ENTERPRISE),
            Self::Township => Some(Tier::TOWNSHIP),
            Self::County => Some(Tier::COUNTY),
            Self::Admin => None,
        }
    }
}

/// An account without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What is typed at login; lower case.
    pub username: String,
    /// Kind of login.
    pub role: Role,
    /// The body it acts for; an admin may have none.
    pub body: Option<BodyId>,
    /// The person whose acts these are in the journal.
    pub person: PersonId,
    /// Whether it may log in.
    pub enabled: bool,
    /// Changes with every change of the stored account, so open sessions end when a password changes or the account is disabled.
    pub stamp: String,
}

impl Account {
    /// Why this account cannot be used with a plant, if so: its body or person is gone, or its body is of another tier.
    pub fn misfit(&self, plant: &Plant) -> Option<Misfit> {
        let tier = self.role.tier()?;
        let Some(body) = self.body.as_ref().and_then(|id| plant.body(id)) else { return Some(Misfit::NoSuchBody) };
        if body.tier != tier {
            return Some(Misfit::OtherTier);
        }
        plant.person(&self.person).is_none().then_some(Misfit::NoSuchPerson)
    }
}

/// Why an account does not fit the plant in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The body is not in the configuration.
    #[error("the body of this account is not in the configuration")]
    NoSuchBody,
    /// The body is of another tier than the role.
    #[error("the body of this account is of another tier than its role")]
    OtherTier,
    /// The person is not in the configuration.
    #[error("the person of this account is not in the configuration")]
    NoSuchPerson,
}

/// What may go wrong with accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what we wrote.
    #[error("{path}: not an accounts file: {reason}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The user name is taken.
    #[error("an account named {0} exists already")]
    Exists(String),
    /// There is none of that name.
    #[error("there is no account named {0}")]
    NoSuchAccount(String),
    /// The user name cannot be used.
    #[error("a user name has 1 to {USERNAME_CHARS_MAX} letters, digits or . _ - @")]
    BadUsername,
    /// The role needs a body.
    #[error("role {0} needs the body it acts for")]
    BodyNeeded(&'static str),
    /// Full.
    #[error("there are {ACCOUNTS_MAX} accounts already")]
    TooMany,
    /// The password is too weak or too long.
    #[error(
        "a password has at least {PASSWORD_CHARS_MIN} characters of three kinds (lower case, capitals, digits, others) or at least \
         {PASSPHRASE_CHARS_MIN} of any kind, at most {PASSWORD_BYTES_MAX} bytes, and does not contain the user name"
    )]
    WeakPassword,
    /// The hash could not be computed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<BodyId>,
    person: PersonId,
    #[serde(default)]
    disabled: bool,
    password: String,
}

struct State {
    accounts: BTreeMap<String, Stored>,
    stamp: Stamp,
    looked: Instant,
}

/// The accounts of one data folder, or of one run only. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Accounts {
    folder: Option<Arc<Path>>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Opens the accounts of a data folder; a folder without the file has none yet.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, AccountsError> {
        let folder: Arc<Path> = Arc::from(folder.as_ref());
        let (accounts, stamp) = read(&folder)?;
        Ok(Self { folder: Some(folder), state: Arc::new(Mutex::new(State { accounts, stamp, looked: Instant::now() })) })
    }
    /// Accounts that live only as long as this process, for tests and a passing demonstration.
    pub fn in_memory() -> Self {
        let state = State { accounts: BTreeMap::new(), stamp: None, looked: Instant::now() };
        Self { folder: None, state: Arc::new(Mutex::new(state)) }
    }
    /// The folder they are kept in, if they are kept.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
    /// Adds an account.
    pub fn add(
        &self,
        username: &str,
        role: Role,
        body: Option<BodyId>,
        person: PersonId,
        password: &str,
    ) -> Result<Account, AccountsError> {
        let username = checked_username(username)?;
        if role.tier().is_some() && body.is_none() {
            return Err(AccountsError::BodyNeeded(role.name()));
        }
        password::check(&username, password)?;
        let stored = Stored { role, body, person, disabled: false, password: password::hash(password)? };
        self.change(|accounts| {
            if accounts.contains_key(&username) {
                return Err(AccountsError::Exists(username.clone()));
            }
            if accounts.len() >= ACCOUNTS_MAX {
                return Err(AccountsError::TooMany);
            }
            accounts.insert(username.clone(), stored.clone());
            Ok(account(&username, &stored))
        })
    }
    /// Gives an account a new password; its open sessions end.
    pub fn set_password(&self, username: &str, password: &str) -> Result<(), AccountsError> {
        let username = fold(username);
        password::check(&username, password)?;
        let hashed = password::hash(password)?;
        self.change(|accounts| {
            let stored = accounts.get_mut(&username).ok_or_else(|| AccountsError::NoSuchAccount(username.clone()))?;
            stored.password = hashed;
            Ok(())
        })
    }
    /// Lets an account log in or not; with `false` its open sessions end.
    pub fn set_enabled(&self, username: &str, enabled: bool) -> Result<(), AccountsError> {
        let username = fold(username);
        self.change(|accounts| {
            let stored = accounts.get_mut(&username).ok_or_else(|| AccountsError::NoSuchAccount(username.clone()))?;
            stored.disabled = !enabled;
            Ok(())
        })
    }
    /// Every account, by user name.
    pub fn list(&self) -> Vec<Account> {
        let state = self.current();
        state.accounts.iter().map(|(username, stored)| account(username, stored)).collect()
    }
    /// The account of that name as it stands now.
    pub fn find(&self, username: &str) -> Option<Account> {
        let username = fold(username);
        let state = self.current();
        state.accounts.get(&username).map(|stored| account(&username, stored))
    }
    /// The account if name and password are right and it may log in. Takes as long for a name that does not exist.
    ///
    /// Blocks for one argon2 computation: call it off the async threads.
    pub fn verify(&self, username: &str, password: &str) -> Option<Account> {
        let username = fold(username);
        let stored = self.current().accounts.get(&username).cloned();
        if password.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        let right = password::is_right(password, stored.as_ref().map(|stored| stored.password.as_str()));
        let stored = stored?;
        (right && !stored.disabled).then(|| account(&username, &stored))
    }

    /// The accounts, read again if the file has changed under us. A file that cannot be read now keeps what was known.
    fn current(&self) -> std::sync::MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = &self.folder else { return state };
        if state.looked.elapsed() < LOOK_AGAIN_AFTER {
            return state;
        }
        state.looked = Instant::now();
        if stamp(&folder.join(FILE_NAME)).is_ok_and(|stamp| stamp != state.stamp) {
            match read(folder) {
                Ok((accounts, stamp)) => {
                    state.accounts = accounts;
                    state.stamp = stamp;
                }
                Err(error) => tracing::error!(%error, "accounts file changed but cannot be read; keeping the accounts known before"),
            }
        }
        state
    }
    fn change<T>(&self, apply: impl FnOnce(&mut BTreeMap<String, Stored>) -> Result<T, AccountsError>) -> Result<T, AccountsError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = &self.folder else { return apply(&mut state.accounts) };
        let lock_path = folder.join(LOCK_NAME);
        let at = |source| AccountsError::Io { path: lock_path.clone(), source };
        let lock = private().write(true).create(true).truncate(false).open(&lock_path).map_err(at)?;
        lock.lock().map_err(at)?;
        let (mut accounts, _) = read(folder)?;
        let result = apply(&mut accounts)?;
        state.stamp = write(folder, &accounts)?;
        state.accounts = accounts;
        Ok(result)
    }
}

fn account(username: &str, stored: &Stored) -> Account {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(stored).unwrap_or_default());
    Account {
        username: username.to_owned(),
        role: stored.role,
        body: stored.body.clone(),
        person: stored.person.clone(),
        enabled: !stored.disabled,
        stamp: hex(&digest.finalize()[..16]),
    }
}

fn fold(username: &str) -> String {
    username.trim().chars().take(USERNAME_CHARS_MAX + 1).flat_map(char::to_lowercase).collect()
}

fn checked_username(username: &str) -> Result<String, AccountsError> {
    let username = fold(username);
    let fits = (1..=USERNAME_CHARS_MAX).contains(&username.chars().count())
        && username.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@'));
    if fits { Ok(username) } else { Err(AccountsError::BadUsername) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const PASSWORD: &str = "Correct-horse-9";

    #[test]
    fn an_account_survives_reopening_and_its_file_holds_no_password_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        Accounts::open(folder.path()).unwrap().add("Wang", Role::Enterprise, Some("hx".into()), "wang".into(), PASSWORD).unwrap();
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(!text.contains(PASSWORD) && text.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let again = Accounts::open(folder.path()).unwrap();
        assert_eq!(again.verify(" WANG ", PASSWORD).unwrap().person.as_str(), "wang");
        assert!(again.verify("wang", "Correct-horse-8").is_none());
        assert!(again.verify("nobody", PASSWORD).is_none());
    }

    #[test]
    fn two_processes_add_to_one_file_without_losing_either() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Accounts::open(folder.path()).unwrap(), Accounts::open(folder.path()).unwrap());
        one.add("a", Role::Admin, None, "a1".into(), PASSWORD).unwrap();
        two.add("b", Role::Admin, None, "b1".into(), PASSWORD).unwrap();
        let names: Vec<_> = Accounts::open(folder.path()).unwrap().list().into_iter().map(|account| account.username).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(matches!(one.add("b", Role::Admin, None, "b1".into(), PASSWORD), Err(AccountsError::Exists(_))));
    }

    #[test]
    fn a_disabled_account_cannot_log_in_and_a_new_password_changes_its_stamp() {
        let accounts = Accounts::in_memory();
        let before = accounts.add("li", Role::County, Some("c".into()), "li".into(), PASSWORD).unwrap();
        accounts.set_enabled("li", false).unwrap();
        assert!(accounts.verify("li", PASSWORD).is_none());
        accounts.set_enabled("li", true).unwrap();
        assert_eq!(accounts.find("li").unwrap().stamp, before.stamp);
        accounts.set_password("li", "Another-horse-7").unwrap();
        assert_ne!(accounts.find("li").unwrap().stamp, before.stamp);
        assert!(accounts.verify("li", PASSWORD).is_none() && accounts.verify("li", "Another-horse-7").is_some());
    }

    #[test]
    fn weak_passwords_and_odd_names_are_refused() {
        for password in ["short-A1", "alllowercase1", "aaaaaaaaaaaaaaaaaaaaaaaa", "wang-Wang-123", &"x1Y-".repeat(200)] {
            assert!(matches!(password::check("wang", password), Err(AccountsError::WeakPassword)), "{password}");
        }
        for password in ["Correct-horse-9", "four words are enough", &random_password()] {
            assert!(password::check("wang", password).is_ok(), "{password}");
        }
        for name in ["", "a b", "a\r\nb", "<b>", &"x".repeat(65)] {
            assert!(checked_username(name).is_err(), "{name}");
        }
        assert_eq!(checked_username("王伟").unwrap(), "王伟");
    }

    #[test]
    fn a_file_of_something_else_is_named_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "{\"format\":9,\"accounts\":{}}").unwrap();
        assert!(matches!(Accounts::open(folder.path()), Err(AccountsError::Unreadable { .. })));
    }
}
