//! Topics of the native format, read. They are written as [`model::topic`] says.

pub use model::topic::{PREFIX, encode, of_batch, of_siren, of_tag};
use std::borrow::Cow;

/// What an ingest client subscribes to where it is told nothing else: everything, so that a message on a mistaken topic is seen
/// and quarantined instead of silently missed. The engine's own siren commands come back with it and are dropped on arrival. A
/// configured server subscribes to the topics of readings alone unless its file says otherwise.
pub const FILTER: &str = "watchfire/v1/#";
/// The level that marks a siren's topic.
const SIREN: &[u8] = b"siren";

/// Where a topic points.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// `watchfire/v1/{enterprise}/{tag}`: one reading.
    Tag {
        /// The enterprise.
        enterprise: Cow<'a, str>,
        /// The tag.
        tag: Cow<'a, str>,
    },
    /// `watchfire/v1/{enterprise}`: a batch.
    Batch {
        /// The enterprise.
        enterprise: Cow<'a, str>,
    },
    /// `watchfire/v1/{enterprise}/siren/{zone}`: a command of the engine.
    Siren {
        /// The enterprise.
        enterprise: Cow<'a, str>,
        /// The zone.
        zone: Cow<'a, str>,
    },
}

/// Reads a topic. None when it is not one of ours, has an empty level or is not UTF-8. Allocates only where something is
/// percent-encoded.
pub fn parse(topic: &[u8]) -> Option<Place<'_>> {
    let rest = topic.strip_prefix(PREFIX.as_bytes())?.strip_prefix(b"/")?;
    let mut levels = rest.split(|byte| *byte == b'/');
    let enterprise = decode(levels.next()?)?;
    let place = match (levels.next(), levels.next()) {
        (None, _) => Place::Batch { enterprise },
        (Some(tag), None) => Place::Tag { enterprise, tag: decode(tag)? },
        (Some(SIREN), Some(zone)) => Place::Siren { enterprise, zone: decode(zone)? },
        (Some(_), Some(_)) => return None,
    };
    levels.next().is_none().then_some(place)
}

/// Whether the topic is a siren's, without decoding it.
pub fn is_siren(topic: &[u8]) -> bool {
    let Some(rest) = topic.strip_prefix(PREFIX.as_bytes()).and_then(|rest| rest.strip_prefix(b"/")) else { return false };
    let mut levels = rest.split(|byte| *byte == b'/');
    levels.next().is_some() && levels.next() == Some(SIREN) && levels.next().is_some()
}

/// One level of a topic as an id. A `%` that starts no two hex digits stands for itself: gateways that do not encode exist.
pub(crate) fn decode(level: &[u8]) -> Option<Cow<'_, str>> {
    if level.is_empty() {
        return None;
    }
    if !level.contains(&b'%') {
        return std::str::from_utf8(level).ok().map(Cow::Borrowed);
    }
    let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16)).map(|digit| digit as u8);
    let mut id = Vec::with_capacity(level.len());
    let mut at = 0;
    while let Some(byte) = level.get(at) {
        match (byte, hex(level.get(at + 1)), hex(level.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                id.push(high << 4 | low);
                at += 3;
            }
            _ => {
                id.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(id).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TagId;

    fn tag(enterprise: &'static str, tag: &'static str) -> Option<Place<'static>> {
        Some(Place::Tag { enterprise: enterprise.into(), tag: tag.into() })
    }

    #[test]
    fn an_id_survives_its_topic() {
        for id in ["TT-101", "1#罐", "P-101A/B", "100%", "a b", "$SYS", "+", "换行\n", "\u{85}", "%2F", "é"] {
            let topic = of_tag(&TagId::new("兴华化工", id));
            assert!(!topic.contains(['+', '#', '$', ' ', '\n']), "{topic}");
            assert_eq!(parse(topic.as_bytes()), Some(Place::Tag { enterprise: "兴华化工".into(), tag: id.into() }), "{topic}");
        }
    }

    #[test]
    fn topics_are_told_apart() {
        assert_eq!(parse(b"watchfire/v1/e/t"), tag("e", "t"));
        assert_eq!(parse(b"watchfire/v1/e"), Some(Place::Batch { enterprise: "e".into() }));
        assert_eq!(parse(b"watchfire/v1/e/siren/z"), Some(Place::Siren { enterprise: "e".into(), zone: "z".into() }));
        assert_eq!(parse(b"watchfire/v1/e/siren"), tag("e", "siren"));
        assert_eq!(parse(b"watchfire/v1/e/100%"), tag("e", "100%"));
        assert_eq!(parse(b"watchfire/v1/e/50%zz"), tag("e", "50%zz"));
        for wrong in ["", "watchfire", "watchfire/v1", "watchfire/v1/", "watchfire/v2/e/t", "watchfire/v1/e/", "watchfire/v1//t"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
        for wrong in ["watchfire/v1/e/a/b", "watchfire/v1/e/siren/z/x", "watchfire/v1/e/siren/", "watchfire/v1x/e/t", "/watchfire/v1/e/t"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(parse(b"watchfire/v1/e/\xff"), None);
        assert_eq!(parse(b"watchfire/v1/e/%FF"), None);
    }

    #[test]
    fn a_siren_topic_is_known_without_decoding() {
        assert!(is_siren(b"watchfire/v1/e/siren/z"));
        assert!(is_siren(b"watchfire/v1/e/siren/z/more"));
        assert!(!is_siren(b"watchfire/v1/e/siren"));
        assert!(!is_siren(b"watchfire/v1/siren/z"));
        assert!(!is_siren(b"watchfire/v1/e/t"));
    }
}
