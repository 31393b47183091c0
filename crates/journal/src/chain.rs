//! The hash chain that makes a quiet edit of the journal visible.
//!
//! Every row carries SHA-256 over all that a reader of the journal is shown of it and over the hash of the row before. Whoever
//! edits, deletes, moves or inserts a row breaks every hash after it. What a chain alone cannot show: that its end was cut off,
//! or that somebody with write access computed all of it anew. Against the first stand the head kept beside the journal and the
//! anchor file; against the second only a head that was written down where that person cannot reach, such as the upper tier.

use sha2::{Digest, Sha256};
use std::fmt;

/// A row's place at the end of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What the first row names as the one before it.
    pub const START: Self = Self([0; 32]);

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = (char::from(pair[0]).to_digit(16)?, char::from(pair[1]).to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All of a stored row that its hash covers, in the order in which it is hashed.
///
/// Key, case and time are covered as well as the bytes: who moves a row into another case or to another hour hides it from
/// those who look for it there, and that must not be a quiet edit either.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    pub stream: &'a str,
    pub seq: i64,
    pub kind: &'a str,
    pub format: i64,
    pub key: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub at: i64,
    pub bytes: &'a [u8],
    pub prev: ChainHash,
}

impl Link<'_> {
    pub fn hash(&self) -> ChainHash {
        let mut fields = Fields::new(b"watchfire journal 1");
        fields.bytes(self.stream.as_bytes());
        fields.number(self.seq);
        fields.bytes(self.kind.as_bytes());
        fields.number(self.format);
        fields.optional(self.key.map(str::as_bytes));
        fields.optional(self.subject.map(str::as_bytes));
        fields.number(self.at);
        fields.bytes(self.bytes);
        fields.bytes(&self.prev.0);
        ChainHash(fields.finish())
    }
}

/// Hashes a list of fields so that no two lists give the same input: each is preceded by its length, an absent one by a mark
/// that no length can be.
pub(crate) struct Fields(Sha256);

impl Fields {
    pub fn new(domain: &[u8]) -> Self {
        let mut fields = Self(Sha256::new());
        fields.bytes(domain);
        fields
    }
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
    pub fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }
    pub fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.0.update(u64::MAX.to_be_bytes()),
        }
    }
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link<'static> = Link {
        stream: "main",
        seq: 1,
        kind: "transition",
        format: 1,
        key: Some("k"),
        subject: None,
        at: 5,
        bytes: b"{}",
        prev: ChainHash::START,
    };

    #[test]
    fn every_field_and_the_border_between_fields_counts() {
        let changed = [
            Link { stream: "mai", ..LINK },
            Link { seq: 2, ..LINK },
            Link { kind: "act", ..LINK },
            Link { format: 2, ..LINK },
            Link { key: None, ..LINK },
            Link { key: Some(""), ..LINK },
            Link { key: None, subject: Some("k"), ..LINK },
            Link { subject: Some(""), ..LINK },
            Link { at: 6, ..LINK },
            Link { bytes: b"{} ", ..LINK },
            Link { prev: ChainHash([1; 32]), ..LINK },
        ];
        let mut hashes: Vec<_> = changed.iter().map(|link| link.hash().to_string()).collect();
        hashes.push(LINK.hash().to_string());
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), changed.len() + 1);
    }

    #[test]
    fn the_hash_of_a_known_row_never_changes() {
        // Computed by an independent program; whoever breaks this breaks every journal in the field.
        assert_eq!(LINK.hash().to_string(), EXPECTED);
        assert_eq!(ChainHash::parse(EXPECTED), Some(LINK.hash()));
        assert_eq!(ChainHash::parse("00"), None);
    }
    const EXPECTED: &str = "b2919ebf596676aa4bb22a852a318629601606b1ac30eefbdb42f819a213f3c6";
}
