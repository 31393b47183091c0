//! The names of MQTT topics in the native format, by which gateways and siren controllers know the engine.
//!
//! An id stands in a topic as UTF-8 with `/ + # % $`, space and controls percent-encoded, for 位号 such as `1#罐` or `P-101A/B`
//! are common.

use crate::{BodyId, TagId, ZoneId};
use std::borrow::Cow;
use std::fmt::Write;

/// What all topics begin with.
pub const PREFIX: &str = "watchfire/v1";

/// The topic of one tag's readings.
pub fn of_tag(tag: &TagId) -> String {
    format!("{PREFIX}/{}/{}", encode(tag.enterprise.as_str()), encode(&tag.tag))
}

/// The topic of an enterprise's batches.
pub fn of_batch(enterprise: &BodyId) -> String {
    format!("{PREFIX}/{}", encode(enterprise.as_str()))
}

/// The topic of a siren zone's commands.
pub fn of_siren(enterprise: &BodyId, zone: &ZoneId) -> String {
    format!("{PREFIX}/{}/siren/{}", encode(enterprise.as_str()), encode(zone.as_str()))
}

/// An id as one level of a topic.
pub fn encode(id: &str) -> Cow<'_, str> {
    let reserved = |c: char| matches!(c, '/' | '+' | '#' | '%' | '$' | ' ') || c.is_control();
    if !id.contains(reserved) {
        return Cow::Borrowed(id);
    }
    let mut level = String::with_capacity(id.len() + 8);
    for c in id.chars() {
        if reserved(c) {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(level, "%{byte:02X}");
            }
        } else {
            level.push(c);
        }
    }
    Cow::Owned(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_encoded_only_where_they_must_be() {
        assert_eq!(of_tag(&TagId::new("xinghua", "P-101A/B")), "watchfire/v1/xinghua/P-101A%2FB");
        assert_eq!(of_tag(&TagId::new("xinghua", "1#罐")), "watchfire/v1/xinghua/1%23罐");
        assert_eq!(of_batch(&"兴华 化工".into()), "watchfire/v1/兴华%20化工");
        assert_eq!(of_siren(&"浙华".into(), &"1#罐区 A/B".into()), "watchfire/v1/浙华/siren/1%23罐区%20A%2FB");
        // A blank of CJK text is a letter like others to a broker; a control beyond ASCII is not.
        assert_eq!(encode("一\u{3000}二\u{85}"), "一\u{3000}二%C2%85");
    }

    #[test]
    fn an_id_that_needs_nothing_is_not_copied() {
        assert!(matches!(encode("TT-101"), Cow::Borrowed("TT-101")));
    }
}
