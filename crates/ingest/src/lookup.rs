//! From a topic to its tag without reading the topic: one hash over its bytes, one comparison.
//!
//! Only for tags whose topic is their name as it stands; what is percent-encoded, a gateway's or the engine's goes the careful way. A
//! lookup is made for one plant and finds nothing in another.

use model::plant::Tag;
use model::{Plant, RuleVersion, TagIndex, topic::PREFIX};

/// Where the tags of one plant are, by their topics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// Which plant: where its tags lie in memory, how many they are, and its version.
    plant: (usize, usize, Option<RuleVersion>),
    /// A power of two of places, at least half of them empty.
    places: Vec<Place>,
    /// By tag its [`Head`] and the words of its name, one tag behind the other: what a comparison needs is in one place.
    words: Vec<[u8; 8]>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The upper half of the hash.
    hash: u32,
    /// Within [`Lookup::words`].
    from: u32,
}

const EMPTY: Place = Place { hash: 0, from: u32::MAX };

/// What stands before the words of a name.
#[derive(Clone, Copy)]
struct Head {
    tag: u32,
    /// Bytes of the name.
    length: u32,
}

impl Head {
    const fn word(self) -> [u8; 8] {
        (self.tag as u64 | (self.length as u64) << 32).to_le_bytes()
    }
    const fn of(word: [u8; 8]) -> Self {
        let both = u64::from_le_bytes(word);
        Self { tag: both as u32, length: (both >> 32) as u32 }
    }
}

impl Lookup {
    pub fn new(plant: &Plant) -> Self {
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '%']);
        let is_plain = |tag: &Tag| plain(tag.id.enterprise.as_str()) && plain(&tag.id.tag);
        let mut places = vec![EMPTY; (plant.tags.len() * 2).next_power_of_two().max(2)];
        let mut words = Vec::new();
        for (at, tag) in plant.tags.iter().enumerate().filter(|(_, tag)| is_plain(tag) && Tag::is_measured(tag)) {
            let topic = format!("{PREFIX}/{}/{}", tag.id.enterprise, tag.id.tag);
            let Some(name) = name(topic.as_bytes()) else { continue };
            let hash = name.hash();
            let mut place = hash as usize & (places.len() - 1);
            while places[place].from != EMPTY.from {
                place = (place + 1) & (places.len() - 1);
            }
            places[place] = Place { hash: (hash >> 32) as u32, from: words.len() as u32 };
            words.push(Head { tag: at as u32, length: name.length as u32 }.word());
            words.extend(name.words.iter().chain([&name.last]).copied());
        }
        let plant = (plant.tags.as_ptr() as usize, plant.tags.len(), Some(plant.version.clone()));
        words.shrink_to_fit();
        Self { plant, places, words }
    }

    /// The measured tag whose topic this is; none where only a careful look can tell.
    #[inline]
    pub fn find(&self, plant: &Plant, topic: &[u8]) -> Option<TagIndex> {
        if !self.is_of(plant) {
            return None;
        }
        let name = name(topic)?;
        let mask = self.places.len() - 1;
        let hash = name.hash();
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place.from == EMPTY.from {
                return None;
            }
            if place.hash == (hash >> 32) as u32
                && let Some((head, words)) = self.words.get(place.from as usize..).and_then(<[_]>::split_first)
            {
                let Head { tag, length } = Head::of(*head);
                if length as usize == name.length && name.is(words) {
                    return Some(TagIndex(tag));
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn is_of(&self, plant: &Plant) -> bool {
        let (tags, count, version) = &self.plant;
        // A version that is held here cannot lie where another one does.
        let is_version = version.as_ref().is_some_and(|version| std::ptr::eq(version.as_str(), plant.version.as_str()));
        *tags == plant.tags.as_ptr() as usize && *count == plant.tags.len() && is_version
    }
}

/// The part of a topic that names a tag, in words of eight bytes.
struct Name<'a> {
    words: &'a [[u8; 8]],
    /// The last eight bytes of the topic, whatever of them stands in `words` or before the name.
    last: [u8; 8],
    /// Bytes.
    length: usize,
}

fn name(topic: &[u8]) -> Option<Name<'_>> {
    let name = topic.strip_prefix(PREFIX.as_bytes())?.strip_prefix(b"/")?;
    Some(Name { words: name.as_chunks().0, last: *topic.last_chunk()?, length: name.len() })
}

impl Name<'_> {
    /// Each word is multiplied into both halves of 128 bits, which are then laid over each other. Whoever sends topics cannot fill the
    /// table, so it need not withstand them.
    #[inline(always)]
    fn hash(&self) -> u64 {
        let add = |state: u64, word: &[u8; 8]| {
            let product = u128::from(state.rotate_left(5) ^ u64::from_le_bytes(*word)) * 0x9E37_79B9_7F4A_7C15;
            product as u64 ^ (product >> 64) as u64
        };
        add(self.words.iter().fold(self.length as u64, add), &self.last)
    }

    /// Whether the words of a name of the same length are the same.
    #[inline(always)]
    fn is(&self, known: &[[u8; 8]]) -> bool {
        let (words, last) = (known.iter().zip(self.words), known.get(self.words.len()));
        last == Some(&self.last) && words.fold(true, |same, (known, word)| same & (known == word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_tell_names_apart() {
        let names =
            (0..100_000).map(|tag| name(format!("{PREFIX}/e{:03}/TI-{tag:06}", tag / 1000).as_bytes()).map_or(0, |name| name.hash()));
        let mut low: Vec<u64> = names.map(|hash| hash & 0x3_FFFF).collect();
        low.sort_unstable();
        low.dedup();
        // 100,000 into 262,144 places at random leave 83,000 of them taken.
        assert!(low.len() > 78_000, "{} places", low.len());
    }
}
