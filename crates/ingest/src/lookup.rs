//! From a topic to its tag without reading the topic: one hash over its bytes, one comparison.
//!
//! Only for tags whose topic is their name as it stands; what is percent-encoded, a gateway's or the engine's goes the careful way. A
//! lookup is made for one plant, but a hit is compared with the plant at hand: with another one it finds less and never wrongly.

use model::plant::Tag;
use model::{Plant, Signal, TagIndex, topic::PREFIX};

/// Where the tags of one plant are, by their topics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// A power of two of places, at least half of them empty.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The upper half of the hash.
    hash: u32,
    tag: u32,
}

const EMPTY: Place = Place { hash: 0, tag: u32::MAX };

impl Lookup {
    pub fn new(plant: &Plant) -> Self {
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '%']);
        let is_plain = |tag: &Tag| plain(tag.id.enterprise.as_str()) && plain(&tag.id.tag);
        let is_measured = |tag: &Tag| !matches!(tag.signal, Signal::Gateway | Signal::System);
        let tags = plant.tags.iter().enumerate().filter(|(_, tag)| is_plain(tag) && is_measured(tag));
        let mut places = vec![EMPTY; (plant.tags.len() * 2).next_power_of_two().max(2)];
        for (at, tag) in tags {
            let hash = hash(format!("{}/{}", tag.id.enterprise, tag.id.tag).as_bytes());
            let mut place = hash as usize & (places.len() - 1);
            while places[place].tag != EMPTY.tag {
                place = (place + 1) & (places.len() - 1);
            }
            places[place] = Place { hash: (hash >> 32) as u32, tag: at as u32 };
        }
        Self { places }
    }

    /// The measured tag whose topic this is; none where only a careful look can tell.
    pub fn find(&self, plant: &Plant, topic: &[u8]) -> Option<TagIndex> {
        let name = topic.strip_prefix(PREFIX.as_bytes())?.strip_prefix(b"/")?;
        let mask = self.places.len().checked_sub(1)?;
        let hash = hash(name);
        let mut at = hash as usize & mask;
        loop {
            let place = self.places.get(at)?;
            if place.tag == EMPTY.tag {
                return None;
            }
            if place.hash == (hash >> 32) as u32
                && let Some(tag) = plant.tags.get(place.tag as usize)
                && is_named(tag, name)
            {
                return Some(TagIndex(place.tag));
            }
            at = (at + 1) & mask;
        }
    }
}

fn is_named(tag: &Tag, name: &[u8]) -> bool {
    let (enterprise, own) = (tag.id.enterprise.as_str().as_bytes(), tag.id.tag.as_bytes());
    // Of another plant, it may be one that has to be looked at carefully.
    let is_measured = !matches!(tag.signal, Signal::Gateway | Signal::System);
    is_measured
        && name.len() == enterprise.len() + 1 + own.len()
        && name.starts_with(enterprise)
        && name[enterprise.len()] == b'/'
        && name.ends_with(own)
        && !own.contains(&b'/')
        && !name.contains(&b'%')
}

/// Eight bytes at a time, in the manner of FxHash, with the upper bits stirred into the lower. Whoever sends topics cannot fill the
/// table, so it need not withstand them.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x517C_C1B7_2722_0A95;
    let mut state = bytes.len() as u64;
    let mut add = |word: u64| state = (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| add(u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    add(u64::from_le_bytes(last));
    state ^ state >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_tell_names_apart() {
        let names = (0..100_000).map(|tag| hash(format!("e{:03}/TI-{tag:06}", tag / 1000).as_bytes()));
        let mut low: Vec<u64> = names.map(|hash| hash & 0x3_FFFF).collect();
        low.sort_unstable();
        low.dedup();
        // 100,000 into 262,144 places at random leave 83,000 of them taken.
        assert!(low.len() > 78_000, "{} places", low.len());
    }
}
