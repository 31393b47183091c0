//! From a topic to its tag without reading the topic: one hash over its bytes, one comparison.
//!
//! Only for tags whose topic is their name as it stands; what is percent-encoded, a gateway's or the engine's goes the careful way. A
//! lookup is made for one plant and finds nothing in another.

use model::plant::Tag;
use model::{Plant, RuleVersion, Signal, TagIndex, topic::PREFIX};

/// Where the tags of one plant are, by their topics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// Which plant: where its tags lie in memory, how many they are, and its version.
    plant: (usize, usize, Option<RuleVersion>),
    /// A power of two of places, at least half of them empty.
    places: Vec<Place>,
    /// The names, one behind the other: what a comparison needs is in one place.
    names: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The upper half of the hash.
    hash: u32,
    tag: u32,
    from: u32,
    length: u32,
}

const EMPTY: Place = Place { hash: 0, tag: u32::MAX, from: 0, length: 0 };

impl Lookup {
    pub fn new(plant: &Plant) -> Self {
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '%']);
        let is_plain = |tag: &Tag| plain(tag.id.enterprise.as_str()) && plain(&tag.id.tag);
        let is_measured = |tag: &Tag| !matches!(tag.signal, Signal::Gateway | Signal::System) && tag.calculation.is_none();
        let mut places = vec![EMPTY; (plant.tags.len() * 2).next_power_of_two().max(2)];
        let mut names = Vec::new();
        for (at, tag) in plant.tags.iter().enumerate().filter(|(_, tag)| is_plain(tag) && is_measured(tag)) {
            let from = names.len();
            names.extend_from_slice(tag.id.enterprise.as_str().as_bytes());
            names.push(b'/');
            names.extend_from_slice(tag.id.tag.as_bytes());
            let hash = hash(&names[from..]);
            let mut place = hash as usize & (places.len() - 1);
            while places[place].tag != EMPTY.tag {
                place = (place + 1) & (places.len() - 1);
            }
            let length = (names.len() - from) as u32;
            places[place] = Place { hash: (hash >> 32) as u32, tag: at as u32, from: from as u32, length };
        }
        let plant = (plant.tags.as_ptr() as usize, plant.tags.len(), Some(plant.version.clone()));
        Self { plant, places, names }
    }

    /// The measured tag whose topic this is; none where only a careful look can tell.
    pub fn find(&self, plant: &Plant, topic: &[u8]) -> Option<TagIndex> {
        if !self.is_of(plant) {
            return None;
        }
        let name = topic.strip_prefix(PREFIX.as_bytes())?.strip_prefix(b"/")?;
        let mask = self.places.len() - 1;
        let hash = hash(name);
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place.tag == EMPTY.tag {
                return None;
            }
            let known = place.from as usize..(place.from + place.length) as usize;
            if place.hash == (hash >> 32) as u32 && self.names[known] == *name {
                return Some(TagIndex(place.tag));
            }
            at = (at + 1) & mask;
        }
    }

    fn is_of(&self, plant: &Plant) -> bool {
        let (tags, count, version) = &self.plant;
        *tags == plant.tags.as_ptr() as usize && *count == plant.tags.len() && version.as_ref() == Some(&plant.version)
    }
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
