//! Payloads as gateways send them, and what becomes of them.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod common;

use common::{RECEIVED, plant};
use model::bounds::{BATCH_READINGS_MAX, PAYLOAD_BYTES_MAX, QUARANTINE_BYTES_MAX};
use model::{BodyId, Plant, Quality};
use proptest::prelude::*;
use watchfire_ingest::{Decoded, Decoder, RejectReason, topic};

fn decode(plant: &Plant, topic: &[u8], payload: &[u8]) -> Decoded {
    let (mut out, mut carefully) = (Decoded::default(), Decoded::default());
    Decoder::new(plant).decode(plant, topic, payload, RECEIVED, &mut out);
    // One that knows no plant finds every tag the careful way, and reads its payload so.
    Decoder::default().decode(plant, topic, payload, RECEIVED, &mut carefully);
    assert_eq!(format!("{out:?}"), format!("{carefully:?}"), "the quick way read something else");
    out
}

/// `tag value quality source-time sequence; …  ! reject(tag) …`, with `now` for the receive time and `?` for no value.
fn told(plant: &Plant, decoded: &Decoded) -> String {
    let mut text = String::new();
    for reading in &decoded.readings {
        assert_eq!(reading.receive_time, RECEIVED);
        let value = if reading.value.is_nan() { "?".to_owned() } else { reading.value.to_string() };
        let time = if reading.source_time == RECEIVED { "now".to_owned() } else { reading.source_time.as_micros().to_string() };
        let quality = format!("{:?}", reading.quality).to_lowercase();
        text += &format!("{} {value} {quality} {time}", plant.tag(reading.tag).id.tag);
        if let Some(sequence) = reading.sequence {
            text += &format!(" #{sequence}");
        }
        text += "; ";
    }
    for reject in &decoded.rejects {
        text += &format!("!{}", reject.reason.code());
        if let Some(tag) = &reject.tag {
            text += &format!("({tag})");
        }
        text += " ";
    }
    text.trim_end().trim_end_matches(';').to_owned()
}

#[track_caller]
fn check(topic: &str, payload: impl AsRef<[u8]>, expected: &str) {
    let plant = plant();
    let decoded = decode(&plant, topic.as_bytes(), payload.as_ref());
    assert_eq!(told(&plant, &decoded), expected, "{}", String::from_utf8_lossy(payload.as_ref()));
}

const TT: &str = "watchfire/v1/xinghua/TT-101";
const ALL: &str = "watchfire/v1/xinghua";

#[test]
fn a_device_s_inhibit_bit_is_read_beside_its_reading_and_nonsense_in_it_costs_nothing() {
    let plant = plant();
    let index = plant.find_tag("xinghua", "TT-101").unwrap();
    let of = |payload: &str| {
        let decoded = decode(&plant, TT.as_bytes(), payload.as_bytes());
        (decoded.inhibits, decoded.readings.len(), decoded.rejects.len(), decoded.unknown_fields)
    };
    assert_eq!(of(r#"{"value":1,"inhibit":true}"#), (vec![(index, true)], 1, 0, 0));
    assert_eq!(of(r#"{"value":1,"inhibit":false}"#), (vec![(index, false)], 1, 0, 0));
    assert_eq!(of(r#"{"value":1}"#), (vec![], 1, 0, 0), "where it is not said nothing is concluded");
    assert_eq!(of(r#"{"value":1,"inhibit":"yes"}"#), (vec![], 1, 0, 1));
}

#[test]
fn a_reading_is_read() {
    check(TT, r#"{"ts":1732451674123,"value":83.2,"quality":"good","seq":17}"#, "TT-101 83.2 good 1732451674123000 #17");
    check(TT, r#"{"value":83.2}"#, "TT-101 83.2 good now");
    check(TT, r#"{"value":true}"#, "TT-101 1 good now");
    check(TT, r#"{"value":false,"quality":"BAD"}"#, "TT-101 0 bad now");
    check(TT, r#"{"value":-0.5e-3,"quality":"uncertain"}"#, "TT-101 -0.0005 uncertain now");
    check(TT, r#"{"value":12345678901234567890}"#, "TT-101 12345678901234567000 good now");
    check(TT, r#"{"value":83.19999694824219}"#, "TT-101 83.19999694824219 good now");
    check(TT, r#"{"value":3000.0}"#, "TT-101 3000 good now");
    check(TT, "\u{feff} {\r\n\t\"value\" : 1 , \"ts\" : null, \"quality\":null,\"seq\":null }\n", "TT-101 1 good now");
    check(TT, b"{\"value\":1}\0", "TT-101 1 good now");
    check(TT, r#"{"tag":"TT-101","value":1}"#, "TT-101 1 good now");
    check(TT, r#"{"\u0076alue":1,"value":2}"#, "TT-101 2 good now");
}

#[test]
fn times_are_epoch_milliseconds_or_rfc_3339() {
    check(TT, r#"{"ts":"2024-11-24T12:34:34.123Z","value":1}"#, "TT-101 1 good 1732451674123000");
    check(TT, r#"{"ts":"2024-11-24T20:34:34.123456+08:00","value":1}"#, "TT-101 1 good 1732451674123456");
    check(TT, r#"{"ts":1732451674123.5,"value":1}"#, "TT-101 1 good 1732451674123500");
    check(TT, r#"{"ts":1.732451674123e12,"value":1}"#, "TT-101 1 good 1732451674123000");
    check(TT, r#"{"ts":0,"value":1}"#, "TT-101 1 good 0");
    check(TT, r#"{"ts":-1000,"value":1}"#, "TT-101 1 good -1000000");
    for unreadable in ["\"yesterday\"", "\"2025-03-01 08:00:00\"", "\"20250301080000\"", "1e300", "\"1732451674123\"", "true", "[]", "NaN"]
    {
        check(TT, format!(r#"{{"ts":{unreadable},"value":99}}"#), "TT-101 99 uncertain now; !unreadable-time(TT-101)");
    }
    check(TT, r#"{"ts":"x","value":1,"quality":"bad"}"#, "TT-101 1 bad now; !unreadable-time(TT-101)");
}

#[test]
fn a_value_that_cannot_be_read_is_a_bad_reading_and_quarantined() {
    for (value, reason) in [
        ("null", "null-value"),
        ("NaN", "not-finite"),
        ("nan", "not-finite"),
        ("Infinity", "not-finite"),
        ("-Infinity", "not-finite"),
        ("-inf", "not-finite"),
        ("1e400", "not-finite"),
        ("-1e999", "not-finite"),
        (r#""83.2""#, "not-a-number"),
        (r#""9173""#, "not-a-number"),
        (r#""NaN""#, "not-a-number"),
        ("[]", "not-a-number"),
        (r#"{"v":1}"#, "not-a-number"),
        ("0x1F", "not-a-number"),
        ("+5", "not-a-number"),
        (".5", "not-a-number"),
        ("5.", "not-a-number"),
        ("007", "not-a-number"),
        ("1_000", "not-a-number"),
        ("1e", "not-a-number"),
        ("-", "not-a-number"),
        ("True", "not-a-number"),
        ("undefined", "not-a-number"),
    ] {
        check(TT, format!(r#"{{"ts":1000,"value":{value}}}"#), &format!("TT-101 ? bad 1000000; !{reason}(TT-101)"));
    }
    check(TT, r#"{"ts":1000}"#, "TT-101 ? bad 1000000; !missing-value(TT-101)");
    check(TT, "{}", "TT-101 ? bad now; !missing-value(TT-101)");
}

#[test]
fn a_payload_that_cannot_be_read_is_a_bad_reading_and_quarantined() {
    check(TT, "", "TT-101 ? bad now; !empty(TT-101)");
    check(TT, "  \n", "TT-101 ? bad now; !empty(TT-101)");
    check(TT, "83.2", "TT-101 ? bad now; !wrong-shape(TT-101)");
    check(TT, "<value>1</value>", "TT-101 ? bad now; !wrong-shape(TT-101)");
    check(TT, b"\xff\xfe\x00", "TT-101 ? bad now; !wrong-shape(TT-101)");
    check(TT, r#"[{"value":1}]"#, "TT-101 ? bad now; !wrong-shape(TT-101)");
    check(TT, r#"{"value":12,3}"#, "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, r#"{"ts":1000,"value":12"#, "TT-101 ? bad 1000000; !malformed(TT-101)");
    check(TT, r#"{"value":12}{"value":13}"#, "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, r#"{"value":12,}"#, "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, r#"{value:12}"#, "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, r#"{'value':12}"#, "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, r#"{"value":}"#, "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, r#"{"value":1,"value":2}"#, "TT-101 ? bad now; !duplicate-key(TT-101)");
    check(TT, r#"{"value":2,"value":2}"#, "TT-101 2 good now");
    check(TT, r#"{"value":1,"tag":"GT-1"}"#, "TT-101 ? bad now; !tag-mismatch(TT-101)");
    check(TT, format!(r#"{{"value":1,"x":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000)), "TT-101 ? bad now; !malformed(TT-101)");
    check(TT, format!(r#"{{"value":1,"x":"{}"}}"#, "x".repeat(PAYLOAD_BYTES_MAX)), "TT-101 ? bad now; !oversize(TT-101)");
}

#[test]
fn what_is_beside_the_value_costs_trust_not_the_reading() {
    check(TT, r#"{"value":1,"quality":"192"}"#, "TT-101 1 uncertain now; !unreadable-quality(TT-101)");
    check(TT, r#"{"value":1,"quality":192}"#, "TT-101 1 uncertain now; !unreadable-quality(TT-101)");
    check(TT, r#"{"value":1,"seq":-1}"#, "TT-101 1 good now; !unreadable-sequence(TT-101)");
    check(TT, r#"{"value":1,"seq":"a"}"#, "TT-101 1 good now; !unreadable-sequence(TT-101)");
    check(TT, r#"{"value":1,"seq":18446744073709551615}"#, "TT-101 1 good now #18446744073709551615");
    let plant = plant();
    let decoded = decode(&plant, TT.as_bytes(), br#"{"value":1,"unit":"C","gateway":{"rssi":[-70,{"a":"]}"}]},"note":"\u4e2d \"x\" \\"}"#);
    assert_eq!((decoded.readings.len(), decoded.rejects.len(), decoded.unknown_fields), (1, 0, 3));
    // A note in GBK does not cost the reading.
    check(TT, b"{\"value\":1,\"note\":\"\xb2\xe2\xca\xd4\"}", "TT-101 1 good now");
}

#[test]
fn topics_name_the_tag() {
    check("watchfire/v1/xinghua/P-101A%2FB", r#"{"value":1}"#, "P-101A/B 1 good now");
    check("watchfire/v1/兴华化工/1%23罐", r#"{"value":1}"#, "1#罐 1 good now");
    check("watchfire/v1/%E5%85%B4%E5%8D%8E%E5%8C%96%E5%B7%A5/1%23%E7%BD%90", r#"{"value":1}"#, "1#罐 1 good now");
    check("watchfire/v1/xinghua/P-101A/B", r#"{"value":1}"#, "!bad-topic");
    check("watchfire/v1/xinghua/siren/z1", r#"{"sound":true}"#, "!bad-topic");
    check("other/topic", "x", "!bad-topic");
    check("watchfire/v1/nobody/TT-101", r#"{"value":1}"#, "!unknown-enterprise");
    check("watchfire/v1/county/TT-101", r#"{"value":1}"#, "!unknown-enterprise");
    check("watchfire/v1/_system/broker", r#"{"value":0}"#, "!reserved-enterprise");
    check("watchfire/v1/_system", r#"[{"tag":"broker","value":0}]"#, "!reserved-enterprise");
    check("watchfire/v1/xinghua/GW-1", r#"{"value":0}"#, "!not-measured(GW-1)");
    let plant = plant();
    let decoded = decode(&plant, b"watchfire/v1/\xff/x", b"{}");
    assert_eq!(decoded.rejects[0].reason, RejectReason::BadTopic);
    assert_eq!(decoded.rejects[0].fragment, b"watchfire/v1/\xff/x");
}

#[test]
fn an_unknown_tag_of_a_known_enterprise_is_named() {
    let plant = plant();
    let decoded = decode(&plant, b"watchfire/v1/xinghua/TT-999", br#"{"value":1}"#);
    assert_eq!(decoded.unknown, [(BodyId::new("xinghua"), "TT-999".to_owned())]);
    assert_eq!(told(&plant, &decoded), "!unknown-tag(TT-999)");
    assert_eq!(decoded.rejects[0].enterprise, Some(BodyId::new("xinghua")));
    let batch = br#"[{"tag":"X","value":1},{"tag":"X","value":2},{"tag":"Y","value":3},{"tag":"TT-101","value":4}]"#;
    let decoded = decode(&plant, ALL.as_bytes(), batch);
    assert_eq!(decoded.unknown.iter().map(|(_, tag)| tag.as_str()).collect::<Vec<_>>(), ["X", "Y"]);
    assert_eq!(told(&plant, &decoded), "TT-101 4 good now; !unknown-tag(X) !unknown-tag(X) !unknown-tag(Y)");
    let long = format!("watchfire/v1/xinghua/{}", "罐".repeat(200));
    let decoded = decode(&plant, long.as_bytes(), b"{}");
    assert_eq!(decoded.rejects[0].reason, RejectReason::TagTooLong);
    assert!(decoded.unknown.is_empty());
}

#[test]
fn a_batch_is_read() {
    check(ALL, "[]", "");
    check(ALL, " [ ] ", "");
    check(
        ALL,
        r#" [ {"tag":"TT-101","ts":1000,"value":1} , {"value":true,"tag":"P-101A/B"} ] "#,
        "TT-101 1 good 1000000; P-101A/B 1 good now",
    );
    check(ALL, r#"[{"tag":"\u0054T-101","value":1}]"#, "TT-101 1 good now");
    check("watchfire/v1/兴华化工", r##"[{"tag":"1#罐","value":1}]"##, "1#罐 1 good now");
    check(ALL, r#"{"tag":"TT-101","value":1}"#, "TT-101 1 good now");
    check(ALL, "", "!empty");
    check(ALL, "1", "!wrong-shape");
    check("watchfire/v1/nobody", r#"[{"tag":"TT-101","value":1}]"#, "!unknown-enterprise");
}

#[test]
fn a_bad_element_never_drops_its_batch() {
    let around = |bad: &str| format!(r#"[{{"tag":"T1","value":1}},{bad},{{"tag":"T2","value":2}}]"#);
    for (bad, said) in [
        (r#"{"tag":"T9","value":NaN}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !not-finite(T9)"),
        (r#"{"tag":"T9","value":-Infinity}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !not-finite(T9)"),
        (r#"{"tag":"T9","value":null}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !null-value(T9)"),
        (r#"{"tag":"T9","value":12,3}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !malformed(T9)"),
        (r#"{"value":12,3,"tag":"T9"}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !malformed(T9)"),
        (r#"{"tag":"T9","value":1"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !malformed(T9)"),
        (r#"{"tag":"T9,"value":1}"#, "T1 1 good now; T2 2 good now; !malformed"),
        (r#"{"tag":"T9","value":"1}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !malformed(T9)"),
        (
            r#"{"tag":"T8","value":1,2},{"tag":"T9","value":1,2}"#,
            "T1 1 good now; T8 ? bad now; T9 ? bad now; T2 2 good now; !malformed(T8) !malformed(T9)",
        ),
        (
            r#"{"tag":"T8,"value":1},{"tag":"T3","value":3},{"tag":"T9,"value":1}"#,
            "T1 1 good now; T3 3 good now; T2 2 good now; !malformed !malformed",
        ),
        (r#"{"value":1}"#, "T1 1 good now; T2 2 good now; !missing-tag"),
        (r#"{"tag":7,"value":1}"#, "T1 1 good now; T2 2 good now; !missing-tag"),
        (r#"{"tag":"","value":1}"#, "T1 1 good now; T2 2 good now; !missing-tag"),
        (r#"{"tag":"\ud800","value":1}"#, "T1 1 good now; T2 2 good now; !missing-tag"),
        ("7", "T1 1 good now; T2 2 good now; !malformed"),
        ("", "T1 1 good now; T2 2 good now; !malformed"),
        ("]", "T1 1 good now; T2 2 good now; !malformed"),
        (r#""text \" {""#, "T1 1 good now; T2 2 good now; !malformed"),
        (r#"{"tag":"T9" "value":1,"x":{"tag":"T3","value":99}}"#, "T1 1 good now; T9 ? bad now; T2 2 good now; !malformed(T9)"),
    ] {
        check(ALL, around(bad), said);
    }
    // Missing commas, a missing end, too much at the end.
    check(ALL, r#"[{"tag":"T1","value":1}{"tag":"T2","value":2}]"#, "T1 1 good now; T2 2 good now");
    check(ALL, r#"[{"tag":"T1","value":1},{"tag":"T2","va"#, "T1 1 good now; T2 ? bad now; !malformed(T2)");
    check(ALL, r#"[{"tag":"T1","value":1}"#, "T1 1 good now; !malformed");
    check(ALL, r#"[{"tag":"T1","value":1}]]"#, "T1 1 good now; !malformed");
    check(ALL, r#"[{"tag":"T1","value":1}][{"tag":"T2","value":2}]"#, "T1 1 good now; T2 2 good now; !malformed");
}

#[test]
fn bounds_hold_and_say_so() {
    let plant = plant();
    let element = r#"{"tag":"T1","value":1}"#;
    let batch = format!("[{}]", vec![element; BATCH_READINGS_MAX + 5].join(","));
    let decoded = decode(&plant, ALL.as_bytes(), batch.as_bytes());
    assert_eq!(decoded.readings.len(), BATCH_READINGS_MAX);
    assert_eq!(told(&plant, &Decoded { readings: vec![], ..decoded.clone() }), "!too-many-readings");
    assert!(decoded.rejects[0].fragment.starts_with(element.as_bytes()));

    let batch = format!("[{}]", vec!["7"; 5_000].join(",{\"x\":1},"));
    let decoded = decode(&plant, ALL.as_bytes(), batch.as_bytes());
    assert_eq!(decoded.rejects.len(), 256);
    assert!(decoded.rejects_unlisted > 1_000);

    let large = format!(r#"{{"x":"{}"}}"#, "y".repeat(10_000));
    let decoded = decode(&plant, b"watchfire/v1/xinghua/TT-101", large.as_bytes());
    assert_eq!(decoded.rejects[0].fragment.len(), QUARANTINE_BYTES_MAX);
    let huge = vec![b' '; PAYLOAD_BYTES_MAX + 1];
    assert_eq!(told(&plant, &decode(&plant, ALL.as_bytes(), &huge)), "!oversize");
}

#[test]
fn payloads_made_to_be_slow_are_not() {
    let plant = plant();
    let length = PAYLOAD_BYTES_MAX - 1;
    for unit in ["{", "[", "\"", "{\"", "{\"a\":", "{\"tag\":\"T1\",", "{\"tag\":\"T1\" ", ",{\"tag\":\"", "\\", "[{", "]", ","] {
        let payload: String = std::iter::once("[").chain(std::iter::repeat(unit)).take(length / unit.len()).collect();
        let started = std::time::Instant::now();
        decode(&plant, ALL.as_bytes(), payload.as_bytes());
        // Quadratic work over a mebibyte takes minutes.
        assert!(started.elapsed().as_secs() < 10, "{unit}");
    }
}

#[test]
fn every_reason_has_its_own_code_and_both_texts() {
    let mut codes: Vec<_> = RejectReason::ALL.iter().map(|reason| reason.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), RejectReason::ALL.len());
    for reason in RejectReason::ALL {
        assert!(!reason.text_zh().is_ascii() && reason.text_en().is_ascii(), "{reason:?}");
    }
}

fn good_element() -> impl Strategy<Value = (usize, i32, String)> {
    (0_usize..50, any::<i32>(), 0_usize..3).prop_map(|(tag, value, form)| {
        let text = match form {
            0 => format!(r#"{{"tag":"T{tag}","value":{value}}}"#),
            1 => format!(r#"{{ "value" : {value}.0 , "note" : "a]}}\",{{" , "tag" : "T{tag}" }}"#),
            _ => format!(r#"{{"x":{{"y":[1,{{}}]}},"tag":"T{tag}","ts":5,"seq":1,"quality":"good","value":{value}}}"#),
        };
        (tag, value, text)
    })
}

/// Broken elements, none of which contains a sound one.
fn bad_element() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#"{"tag":"T1","value":NaN}"#.to_owned()),
        Just(r#"{"tag":"T1,"value":1}"#.to_owned()),
        Just(r#"{"tag":"T1","value":"1}"#.to_owned()),
        Just(r#"{"tag":"T1","value":1"#.to_owned()),
        Just(r#"{"tag":"T1","value":1,2}"#.to_owned()),
        Just(r#"{"tag":"T1" "value":1}"#.to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("\"".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("\\".to_owned()),
        "[a-z0-9:,\\[\\]{} \\\\]{0,12}",
        "[a-z0-9:,\\[\\]} \"\\\\]{0,12}",
    ]
}

proptest! {
    #[test]
    fn no_payload_panics(topic in prop_oneof![Just(TT.to_owned()), Just(ALL.to_owned()), ".{0,40}"], payload in prop::collection::vec(any::<u8>(), 0..400)) {
        decode(&plant(), topic.as_bytes(), &payload);
    }

    #[test]
    fn no_payload_that_looks_like_json_panics(payload in "[\\[\\]{}\":,\\\\ 0-9eE.+taglvu-]{0,200}") {
        decode(&plant(), TT.as_bytes(), payload.as_bytes());
        decode(&plant(), ALL.as_bytes(), format!("[{payload}").as_bytes());
    }

    #[test]
    fn a_batch_keeps_every_good_element(elements in prop::collection::vec(prop_oneof![
        3 => good_element().prop_map(Ok),
        1 => bad_element().prop_map(Err),
    ], 0..30)) {
        let plant = plant();
        let texts: Vec<&str> = elements.iter().map(|element| match element { Ok((_, _, text)) => text.as_str(), Err(text) => text }).collect();
        let payload = format!("[{}]", texts.join(","));
        let decoded = decode(&plant, ALL.as_bytes(), payload.as_bytes());
        let kept: Vec<(String, f64)> = decoded.readings.iter().filter(|reading| reading.quality == Quality::Good)
            .map(|reading| (plant.tag(reading.tag).id.tag.to_string(), reading.value)).collect();
        let wanted: Vec<(String, f64)> = elements.iter().flatten().map(|(tag, value, _)| (format!("T{tag}"), f64::from(*value))).collect();
        prop_assert_eq!(kept, wanted, "{}", payload);
    }

    #[test]
    fn sound_json_reads_as_serde_json_reads_it(value in any::<f64>().prop_filter("JSON has only these", |value| value.is_finite()), millis in -1_000_000_000_i64..4_000_000_000_000, sequence in any::<u64>()) {
        let plant = plant();
        let payload = serde_json::json!({ "ts": millis, "value": value, "seq": sequence, "quality": "good" }).to_string();
        let decoded = decode(&plant, TT.as_bytes(), payload.as_bytes());
        prop_assert!(decoded.rejects.is_empty());
        prop_assert_eq!(decoded.readings[0].value.to_bits(), value.to_bits());
        prop_assert_eq!(decoded.readings[0].source_time.as_millis(), millis);
        prop_assert_eq!(decoded.readings[0].sequence, Some(sequence));
    }

    #[test]
    fn any_text_can_be_a_topic_level(id in "\\PC{1,20}") {
        let topic = topic::of_tag(&model::TagId::new("e", &id));
        prop_assert_eq!(topic::parse(topic.as_bytes()), Some(topic::Place::Tag { enterprise: "e".into(), tag: id.into() }));
    }
}
