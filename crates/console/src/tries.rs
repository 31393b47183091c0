//! Bounds the guessing of passwords: per account and address, and per address over all accounts.
//!
//! Never per account alone: whoever knows a duty officer's user name could then lock them out during an alarm. A try counts
//! before its password is checked, so a hundred at once are not a hundred free ones; a right password gives it back. Those
//! who wait for their turn to be checked do not count yet, so a whole shift may log in at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Wrong tries of one account from one address within [`WINDOW`].
pub const TRIES_PER_ACCOUNT_AND_ADDRESS_MAX: u32 = 5;
/// Wrong tries from one address, whatever the account, within [`WINDOW`].
pub const TRIES_PER_ADDRESS_MAX: u32 = 50;
/// How long a wrong try counts.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Entries remembered; the oldest makes room.
const ENTRIES_MAX: usize = 20_000;

type Key = (IpAddr, Option<String>);

#[derive(Default)]
pub(crate) struct Tries {
    entries: Mutex<HashMap<Key, (u32, Duration)>>,
}

impl Tries {
    /// Whether a try may be made; `Err` says how long to wait.
    pub fn ask(&self, username: &str, address: IpAddr, now: Duration) -> Result<(), Duration> {
        allowed(&self.lock(), &keys(username, address), now)
    }
    /// Counts one try if it may be made.
    pub fn begin(&self, username: &str, address: IpAddr, now: Duration) -> Result<(), Duration> {
        let keys = keys(username, address);
        let mut entries = self.lock();
        allowed(&entries, &keys, now)?;
        for (key, _) in keys {
            make_room(&mut entries, &key, now);
            let entry = entries.entry(key).or_insert((0, now));
            if now.saturating_sub(entry.1) >= WINDOW {
                *entry = (0, now);
            }
            entry.0 += 1;
        }
        Ok(())
    }
    /// The password was right: the account's tries from here are forgotten, the address gets this one back.
    pub fn right(&self, username: &str, address: IpAddr) {
        let [(account, _), (address, _)] = keys(username, address);
        let mut entries = self.lock();
        entries.remove(&account);
        if let Some((count, _)) = entries.get_mut(&address) {
            *count = count.saturating_sub(1);
        }
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (u32, Duration)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account at this address, then the address, each with its bound.
fn keys(username: &str, address: IpAddr) -> [(Key, u32); 2] {
    let address = network(address);
    let account = (address, Some(username.to_lowercase()));
    [(account, TRIES_PER_ACCOUNT_AND_ADDRESS_MAX), ((address, None), TRIES_PER_ADDRESS_MAX)]
}

fn allowed(entries: &HashMap<Key, (u32, Duration)>, keys: &[(Key, u32)], now: Duration) -> Result<(), Duration> {
    for (key, max) in keys {
        if let Some((count, since)) = entries.get(key) {
            let left = WINDOW.saturating_sub(now.saturating_sub(*since));
            if count >= max && !left.is_zero() {
                return Err(left);
            }
        }
    }
    Ok(())
}

fn make_room(entries: &mut HashMap<Key, (u32, Duration)>, key: &Key, now: Duration) {
    if entries.len() < ENTRIES_MAX || entries.contains_key(key) {
        return;
    }
    entries.retain(|_, (_, since)| now.saturating_sub(*since) < WINDOW);
    if entries.len() >= ENTRIES_MAX
        && let Some(oldest) = entries.iter().min_by_key(|(_, (_, since))| *since).map(|(key, _)| key.clone())
    {
        entries.remove(&oldest);
    }
}

/// One host may own a whole IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        },
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn five_wrong_tries_stop_this_address_for_this_account_and_nobody_else() {
        let tries = Tries::default();
        for _ in 0..5 {
            tries.begin("wang", address(1), Duration::ZERO).unwrap();
        }
        assert_eq!(tries.begin("WANG", address(1), Duration::from_secs(60)), Err(Duration::from_secs(14 * 60)));
        assert!(tries.begin("wang", address(2), Duration::from_secs(60)).is_ok());
        assert!(tries.begin("li", address(1), Duration::from_secs(60)).is_ok());
        assert!(tries.begin("wang", address(1), WINDOW).is_ok());
    }

    #[test]
    fn a_right_password_forgets_the_wrong_ones() {
        let tries = Tries::default();
        for _ in 0..4 {
            tries.begin("wang", address(1), Duration::ZERO).unwrap();
        }
        tries.right("wang", address(1));
        for _ in 0..5 {
            tries.begin("wang", address(1), Duration::ZERO).unwrap();
        }
        assert!(tries.begin("wang", address(1), Duration::ZERO).is_err());
    }

    #[test]
    fn trying_many_names_from_one_address_is_stopped_too() {
        let tries = Tries::default();
        for n in 0..TRIES_PER_ADDRESS_MAX {
            tries.begin(&format!("user{n}"), address(1), Duration::ZERO).unwrap();
        }
        assert!(tries.begin("another", address(1), Duration::ZERO).is_err());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let tries = Tries::default();
        for n in 0..5u16 {
            tries.begin("wang", IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]), Duration::ZERO).unwrap();
        }
        assert!(tries.begin("wang", IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]), Duration::ZERO).is_err());
    }
}
