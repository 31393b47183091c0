//! Passwords and tokens: argon2id for what people choose, the operating system's generator for what they do not.

use super::AccountsError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::collections::BTreeSet;

/// Memory of one argon2id computation, in KiB (OWASP's floor: 19 MiB with two passes).
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Passes of argon2id.
pub const ARGON2_PASSES: u32 = 2;
/// A password's least length in characters.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// A password of this length needs no mix of kinds.
pub const PASSPHRASE_CHARS_MIN: usize = 16;
/// A password's greatest length in bytes: hashing is paid by us.
pub const PASSWORD_BYTES_MAX: usize = 512;
/// A password nobody chose: 128 bits from the operating system as hexadecimal text, for logins made for one run.
pub fn random_password() -> String {
    hex(&password_hash::generate_salt())
}

/// 256 bits from the operating system.
pub(crate) fn random_token() -> [u8; 32] {
    let mut token = [0; 32];
    // A recommended salt is 16 bytes straight from the operating system's generator, which is all a token is.
    token[..16].copy_from_slice(&password_hash::generate_salt());
    token[16..].copy_from_slice(&password_hash::generate_salt());
    token
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn check(username: &str, password: &str) -> Result<(), AccountsError> {
    let chars = password.chars().count();
    let kinds: [fn(char) -> bool; 4] =
        [|c| c.is_lowercase(), |c| c.is_uppercase(), |c| c.is_numeric(), |c| !c.is_lowercase() && !c.is_uppercase() && !c.is_numeric()];
    let mixed = kinds.iter().filter(|kind| password.chars().any(kind)).count() >= 3;
    let varied = password.chars().collect::<BTreeSet<_>>().len() >= 5;
    let strong = varied && (chars >= PASSPHRASE_CHARS_MIN || (chars >= PASSWORD_CHARS_MIN && mixed));
    let named = password.to_lowercase().contains(username);
    if strong && !named && password.len() <= PASSWORD_BYTES_MAX { Ok(()) } else { Err(AccountsError::WeakPassword) }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, 1, None).expect("constant argon2 parameters are within its limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

pub(super) fn hash(password: &str) -> Result<String, AccountsError> {
    let hashed: Result<password_hash::phc::PasswordHash, _> = hasher().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| AccountsError::Hash(error.to_string()))
}

/// Whether a password is the one of a stored hash. Without a hash it takes as long and is wrong.
pub(super) fn is_right(password: &str, stored: Option<&str>) -> bool {
    let against = stored.unwrap_or(NOBODY);
    let right = PasswordHash::new(against).is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok());
    right && stored.is_some()
}

/// What an unknown user name is checked against, so that asking for it takes as long as for a known one. Nobody knows its
/// password, and it is not let in with it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$d2F0Y2hmaXJlbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_costs_the_same_computation_as_a_known_one() {
        let known = hash("Correct-horse-9").unwrap();
        let cost = |stored: &str| stored.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(NOBODY), cost(&known));
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let known = PasswordHash::new(&known).unwrap();
        assert_eq!(parsed.hash.unwrap().len(), known.hash.unwrap().len());
        assert!(!is_right("", None) && !is_right("Correct-horse-9", None));
    }
}
