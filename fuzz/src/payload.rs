//! Any payload on a tag's topic or an enterprise's: what must hold of what the decoder makes of it.

use model::bounds::{BATCH_READINGS_MAX, QUARANTINE_BYTES_MAX};
use model::{Plant, Quality, Signal, Timestamp};
use watchfire_ingest::{Decoded, Decoder};

/// Where payloads go: a tag's topic and its enterprise's.
const TOPICS: [&str; 2] = ["watchfire/v1/xinghua/TT-101", "watchfire/v1/xinghua"];

/// Decodes a payload on both topics and checks it.
pub fn check(plant: &Plant, received: Timestamp, payload: &[u8]) {
    let decoder = Decoder::new(plant);
    for topic in TOPICS {
        let mut decoded = Decoded::default();
        decoder.decode(plant, topic.as_bytes(), payload, received, &mut decoded);
        hold_bounds(plant, received, &decoded);
        // One that knows no plant reads everything the careful way. By their text, since a value that could not be read is NaN.
        let mut carefully = Decoded::default();
        Decoder::default().decode(plant, topic.as_bytes(), payload, received, &mut carefully);
        assert_eq!(format!("{decoded:?}"), format!("{carefully:?}"), "the quick way read something else");
    }
    agree_with_serde_json(plant, received, payload);
}

fn hold_bounds(plant: &Plant, received: Timestamp, decoded: &Decoded) {
    assert!(decoded.readings.len() <= BATCH_READINGS_MAX);
    for reading in &decoded.readings {
        assert!(!matches!(plant.tag(reading.tag).signal, Signal::Gateway | Signal::System));
        assert_eq!(reading.receive_time, received);
        assert!(reading.value.is_finite() || reading.quality == Quality::Bad, "no data is never good: {reading:?}");
    }
    assert!(decoded.rejects.iter().all(|reject| reject.fragment.len() <= QUARANTINE_BYTES_MAX));
    let unread = decoded.readings.iter().filter(|reading| reading.value.is_nan()).count();
    let rejected = decoded.rejects.len() + decoded.rejects_unlisted as usize;
    assert!(rejected >= unread, "what could not be read is quarantined");
}

/// Where serde_json reads a plain reading, the decoder reads the same one.
fn agree_with_serde_json(plant: &Plant, received: Timestamp, payload: &[u8]) {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(payload) else { return };
    let plain = |key: &String| matches!(key.as_str(), "ts" | "value" | "quality" | "seq");
    let Some(value) = object.get("value").and_then(serde_json::Value::as_f64).filter(|_| object.keys().all(plain)) else { return };
    let mut decoded = Decoded::default();
    Decoder::new(plant).decode(plant, TOPICS[0].as_bytes(), payload, received, &mut decoded);
    let [reading] = decoded.readings.as_slice() else { panic!("one object is one reading") };
    let text = String::from_utf8_lossy(payload);
    // serde_json takes the last of two keys, and decodes escapes in keys; a careful decoder does neither.
    let is_odd = text.contains('\\') || ["\"ts\"", "\"value\"", "\"quality\"", "\"seq\""].iter().any(|key| text.matches(key).count() > 1);
    if is_odd {
        return;
    }
    assert_eq!(reading.value.to_bits(), value.to_bits(), "{text}");
    if let Some(millis) = object.get("ts").and_then(serde_json::Value::as_i64).filter(|millis| millis.abs() <= 253_402_300_799_999) {
        assert_eq!(reading.source_time, Timestamp::from_millis(millis), "{text}");
    }
    assert_eq!(reading.sequence, object.get("seq").and_then(serde_json::Value::as_u64), "{text}");
}
