//! What real clients write beside or instead of a value: nothing of it is believed, and nothing of it costs a reading.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod common;

use common::{RECEIVED, plant};
use model::Quality;
use watchfire_ingest::{Decoded, Decoder};

const TOPIC: &[u8] = b"watchfire/v1/xinghua/TT-101";

fn decode(payload: &str) -> Decoded {
    let plant = plant();
    let mut out = Decoded::default();
    Decoder::new(&plant).decode(&plant, TOPIC, payload.as_bytes(), RECEIVED, &mut out);
    out
}

/// `value quality` of the one reading, and the reasons of what was set aside.
fn read(payload: &str) -> (String, Vec<&'static str>) {
    let decoded = decode(payload);
    let [reading] = decoded.readings.as_slice() else { panic!("{payload} is one reading") };
    let quality = format!("{:?}", reading.quality).to_lowercase();
    (format!("{} {quality}", reading.value), decoded.rejects.iter().map(|reject| reject.reason.code()).collect())
}

#[test]
fn a_threshold_that_a_client_sends_is_neither_believed_nor_a_fault() {
    // The client fills in the measured value. What is judged by is configured here.
    let decoded = decode(r#"{"value":83.2,"threshold":83.2,"alarmType":"alarm hi:alarm"}"#);
    assert_eq!((decoded.readings[0].value, decoded.readings[0].quality), (83.2, Quality::Good));
    assert!(decoded.rejects.is_empty() && decoded.inhibits.is_empty());
    assert_eq!(decoded.unknown_fields, 2, "counted, so that somebody can see it");
}

#[test]
fn a_value_is_a_number_and_a_null_or_a_number_in_quotes_is_a_bad_reading_that_is_kept() {
    assert_eq!(read(r#"{"value":9173}"#), ("9173 good".into(), vec![]));
    assert_eq!(read(r#"{"value":null}"#), ("NaN bad".into(), vec!["null-value"]));
    assert_eq!(read(r#"{"value":"9173"}"#), ("NaN bad".into(), vec!["not-a-number"]));
    assert_eq!(read(r#"{"value":9173,"isConnectDataSource":"true"}"#), ("9173 good".into(), vec![]));
}

#[test]
fn a_connection_flag_under_either_name_is_no_quality_of_the_native_format() {
    // What a gateway knows of its source it says by `quality`; a mapped format may translate either name to it.
    for name in ["isConnectDataSource", "connectDataSource"] {
        for said in ["true", "false", "\"true\"", "\"false\"", "null"] {
            let decoded = decode(&format!(r#"{{"value":1,"{name}":{said}}}"#));
            assert_eq!(
                (decoded.readings[0].quality, decoded.unknown_fields, decoded.rejects.len()),
                (Quality::Good, 1, 0),
                "{name} {said}"
            );
        }
        assert_eq!(read(&format!(r#"{{"value":1,"quality":"bad","{name}":true}}"#)), ("1 bad".into(), vec![]), "it takes nothing back");
    }
}

#[test]
fn a_level_number_that_a_client_sends_means_nothing_here() {
    // 1 is the lowest for one client and the highest for another.
    for level in ["1", "4", "\"1\"", "\"一级\""] {
        let decoded = decode(&format!(r#"{{"value":83.2,"alarmLevel":{level}}}"#));
        assert_eq!((decoded.readings[0].value, decoded.unknown_fields, decoded.rejects.len()), (83.2, 1, 0));
    }
}
