//! Every fault an engineer can make, one at a time, and the very text they are shown. The texts stand in `snapshots/zh.txt`
//! and `snapshots/en.txt`; `WATCHFIRE_SNAPSHOT=write` writes them again, for a person to read before committing.

use crate::acme::{changed, load};
use std::path::Path;
use watchfire_config::{Lang, Severity};

/// What is broken, in which file, from what, to what.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("an unknown key", "server.toml", "keep_alive = \"30s\"", "keep_aliv = \"30s\""),
    ("a renamed key", "server.toml", "url = \"mqtt://broker.plant:1883\"", "broker = \"mqtt://broker.plant:1883\""),
    ("a syntax fault", "server.toml", "keep_alive = \"30s\"", "keep_alive = \"30s"),
    ("a number where a text belongs", "server.toml", "keep_alive = \"30s\"", "keep_alive = 30"),
    ("a length of time without unit", "server.toml", "keep_alive = \"30s\"", "keep_alive = \"30\""),
    ("a length of time out of bounds", "server.toml", "keep_alive = \"30s\"", "keep_alive = \"3h\""),
    ("a broker that is a web page", "server.toml", "mqtt://broker.plant:1883", "http://broker.plant"),
    ("an address without port", "server.toml", "127.0.0.1:8080", "localhost"),
    ("a secret that is not set", "server.toml", "${SMS_KEY}", "${SMS_KYE}"),
    ("a subscription to the sirens", "server.toml", "keep_alive", "subscribe = [\"watchfire/v1/#\"]\nkeep_alive"),
    ("a kind of channel that does not exist", "server.toml", "kind = \"sms\"", "kind = \"pager\""),
    ("an enterprise without township", "jurisdiction.toml", "responsible_body = \"park\"\n", ""),
    ("an enterprise directly under the county", "jurisdiction.toml", "responsible_body = \"park\"", "responsible_body = \"county\""),
    ("a township that does not exist", "jurisdiction.toml", "responsible_body = \"park\"", "responsible_body = \"prak\""),
    ("a loop", "jurisdiction.toml", "parent = \"county\"", "parent = \"park\""),
    ("a body twice", "jurisdiction.toml", "id = \"park\"", "id = \"county\""),
    ("a body without duty phone", "jurisdiction.toml", "duty_phone = \"park-phone\"\n", ""),
    ("a duty phone of somebody else", "jurisdiction.toml", "\"park-phone\"", "\"acme-phone\""),
    ("a reserved id", "jurisdiction.toml", "id = \"park\"", "id = \"_park\""),
    ("a tier that does not exist", "jurisdiction.toml", "tier = \"township\"", "tier = \"town\""),
    ("a phone number in the folder", "people.toml", "name = \"操作员\"", "name = \"操作员\", phone = \"10000000001\""),
    ("a person without channels", "people.toml", "channels = [\"platform\", \"sms\", \"voice\"]", "channels = []"),
    ("a channel that is not configured", "people.toml", "[\"platform\", \"sms\", \"voice\"]", "[\"platform\", \"smss\"]"),
    ("a duty phone that cannot ring", "people.toml", "channels = [\"voice\"]", "channels = [\"platform\"]"),
    ("nobody on duty", "people.toml", "people = [\"park-duty\"]", "people = []"),
    (
        "a gap in the roster",
        "people.toml",
        "from = \"08:00\", to = \"08:00\", people = [\"park-duty\"]",
        "from = \"08:00\", to = \"20:00\", people = [\"park-duty\"]",
    ),
    ("a person on duty who is not listed", "people.toml", "people = [\"park-duty\"]", "people = [\"prak-duty\"]"),
    ("a time of day that is none", "people.toml", "to = \"08:00\", people = [\"park-duty\"]", "to = \"8点\", people = [\"park-duty\"]"),
    (
        "people whom the policy cannot tell",
        "policies.toml",
        "tier = \"county\", after = \"0s\", by = [\"platform\", \"sms\", \"voice\"]",
        "tier = \"county\", after = \"0s\", by = [\"app\"]",
    ),
    ("a tier skipped", "policies.toml", "  { tier = \"township\", after = \"0s\", by = [\"platform\", \"sms\", \"voice\"] },\n", ""),
    ("three hours to sign instead of three minutes", "policies.toml", "sign_within = \"3min\"", "sign_within = \"30h\""),
    ("an unknown level", "policies.toml", "[quiet]", "[level.purple]\n[quiet]"),
    ("a share that is no number", "policies.toml", "[quiet]", "[gateway_lost]\npercent = nan\nat_least = 3\n[quiet]"),
    (
        "a level table that forgets alarms",
        "policies.toml",
        "[quiet]",
        "[levels]\nrows = [{ condition = \"高报\", major = \"red\", minor = \"红\" }]\n[quiet]",
    ),
    ("half of a success rule", "server.toml", ", equals = \"OK\"", ""),
    ("a webhook that only asks", "server.toml", "success =", "method = \"GET\"\nsuccess ="),
    ("a call that may take a minute", "server.toml", "success =", "timeout = \"60s\"\nsuccess ="),
    ("receipts that nothing takes", "server.toml", "success =", "receipts = true\nsuccess ="),
    ("a budget per ten minutes", "server.toml", "success =", "budget = { count = 5, per = \"10min\" }\nsuccess ="),
    ("nobody who keeps the engine", "people.toml", "[bodies._system]", "[bodies._sistem]"),
    ("a gateway whose interval has no unit", "gateways.toml", "\"5s\"", "\"5\""),
    ("a gateway that nothing arrives through", "gateways.toml", "\n[sirens", "GW02 = { interval = \"5s\" }\n[sirens"),
    (
        "an enterprise without a list",
        "jurisdiction.toml",
        "[[enterprise]]",
        "[[enterprise]]\nid = \"bcme\"\nname = \"乙\"\nresponsible_body = \"park\"\nduty_phone = \"acme-phone\"\n[[enterprise]]",
    ),
    ("a combustible gas in percent by volume", "enterprises/acme.csv", "%LEL,/,0,100,/,/,25,50,/,2.5", "%VOL,/,0,100,/,/,2,3,/,0.2"),
    (
        "a combustible gas in percent by volume without its LEL",
        "enterprises/acme.csv",
        "甲醇,67-56-1,可燃气体,%LEL,/,0,100,/,/,25,50,/,2.5",
        "乙炔,74-86-2,可燃气体,%VOL,/,0,100,/,/,0.5,1,/,0.1",
    ),
    ("handling before signing", "policies.toml", "handle_within = \"30min\"", "handle_within = \"1min\""),
    ("a file with a slip in its name", "policy.toml", "", ""),
    ("an unknown column", "enterprises/acme.csv", "回差", "回叉"),
    ("a renamed column", "enterprises/acme.csv", "报警延时s", "报警延时"),
    ("a column twice", "enterprises/acme.csv", "恢复延时s", "报警延时s"),
    ("a missing column", "enterprises/acme.csv", "网关", ""),
    ("limits out of order", "enterprises/acme.csv", "80,90,95", "90,80,95"),
    ("a limit outside the range", "enterprises/acme.csv", "1.5,1.8,/", "1.5,18,/"),
    ("a limit that is not a number", "enterprises/acme.csv", "80,90,95", "NaN,90,95"),
    ("a limit with its unit", "enterprises/acme.csv", "25,50,/", "≤25%LEL,50,/"),
    ("a deadband wider than the gap", "enterprises/acme.csv", "80,90,95,2", "80,90,95,8"),
    ("a negative deadband", "enterprises/acme.csv", "80,90,95,2", "80,90,95,-2"),
    ("a limit above the interlock", "enterprises/acme.csv", "80,90,95,2", "80,90,85,2"),
    ("a gas limit above its upper bound", "enterprises/acme.csv", "25,50,/", "30,60,/"),
    ("a gas in parts per million", "enterprises/acme.csv", "%LEL", "ppm"),
    ("a pressure unit in capitals", "enterprises/acme.csv", "kPa", "KPA"),
    ("a pressure without its base", "enterprises/acme.csv", "表压", "/"),
    ("a signal that does not exist", "enterprises/acme.csv", "可燃气体,", "可然气体,"),
    ("a hazard level by number", "enterprises/acme.csv", "三级", "3"),
    (
        "two hazard levels of one equipment",
        "enterprises/acme.csv",
        "PIA-101,甲醇储罐压力,甲类罐区,V-101,常压储罐,339900101001,三级",
        "PIA-101,甲醇储罐压力,甲类罐区,V-101,常压储罐,339900101001,二级",
    ),
    ("a code made a number by a spreadsheet", "enterprises/acme.csv", "339900101001,三级", "3.399E+11,三级"),
    ("a code without its leading zero", "enterprises/acme.csv", "339900101001,三级", "39900101001,三级"),
    ("a CAS number made a date", "enterprises/acme.csv", "67-56-1", "1967-5-6"),
    ("a tag twice", "enterprises/acme.csv", "PIA-101,", "LIA-101,"),
    ("a tag of the name of its gateway", "enterprises/acme.csv", "PIA-101,", "GW01,"),
    ("a reserved tag", "enterprises/acme.csv", "PIA-101,", "_PIA-101,"),
    ("a tag with a line end", "enterprises/acme.csv", "PIA-101,", "\"PIA\n-101\","),
    ("a gateway that does not exist", "enterprises/acme.csv", "2,GW01", "2,GW02"),
    ("a siren zone that does not exist", "enterprises/acme.csv", "SL-01", "SL-09"),
    ("a delay of a day", "enterprises/acme.csv", "2,30,10,5", "2,86400,10,5"),
    ("a calibration date that has passed", "enterprises/acme.csv", "2027-03-31", "2025-03-31"),
    ("a calibration date that is none", "enterprises/acme.csv", "2027-03-31", "明年三月"),
    ("static earthing without its alarm state", "enterprises/acme.csv", "投用,,0,脱开|接好", "投用,,,脱开|接好"),
    ("a limit on a discrete signal", "enterprises/acme.csv", "静电接地,/,/,,,,", "静电接地,/,/,,,,5"),
    ("a gas detector without limits", "enterprises/acme.csv", "25,50,/", "/,/,/"),
    ("a deadband from which no return is possible", "enterprises/acme.csv", "1.5,1.8,/,0.1", "/,1.8,/,3"),
    ("a range upside down", "enterprises/acme.csv", "表压,-1,5,/", "表压,5,-1,/"),
    ("half a range", "enterprises/acme.csv", "%,/,0,100,10", "%,/,,100,10"),
    ("a number of a spreadsheet", "enterprises/acme.csv", "1.5,1.8,/", "1.5E+00,1.8,/"),
    ("a service state that does not exist", "enterprises/acme.csv", "投用,2027", "备用,2027"),
    ("state labels that are one", "enterprises/acme.csv", "脱开|接好", "脱开"),
    ("a toxic gas whose bound is not known", "enterprises/acme.csv", "可燃气体,%LEL", "有毒气体,ppm"),
    ("full-width digits", "enterprises/acme.csv", "80,90,95", "\u{ff18}\u{ff10},90,95"),
    ("a list of an enterprise that does not exist", "enterprises/acne.csv", "", "位号,设备位号,信号类型,网关\n"),
];

fn texts(lang: Lang) -> String {
    let mut out = String::new();
    for (name, file, from, to) in CASES {
        let rendered = match load(changed(file, from, to)) {
            Ok(loaded) => watchfire_config::render(&loaded.warnings, lang, false),
            Err(faults) => faults.render(lang, false),
        };
        out.push_str(&format!("## {name}\n{rendered}\n"));
    }
    out
}

fn is_as_read_before(lang: Lang, name: &str, committed: &str) {
    let seen = texts(lang);
    if std::env::var_os("WATCHFIRE_SNAPSHOT").is_some_and(|value| value == "write") {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots").join(name), &seen).expect("the tree is writable");
        return;
    }
    for (seen, committed) in seen.split("## ").zip(committed.split("## ")) {
        assert_eq!(seen, committed);
    }
    assert_eq!(seen.len(), committed.len());
}

#[test]
fn an_engineer_reads_these_texts_in_chinese() {
    is_as_read_before(Lang::Zh, "zh.txt", include_str!("snapshots/zh.txt"));
}

#[test]
fn an_engineer_reads_these_texts_in_english() {
    is_as_read_before(Lang::En, "en.txt", include_str!("snapshots/en.txt"));
}

#[test]
fn the_unbroken_plant_has_no_fault_and_no_warning() {
    let loaded = load(changed("server.toml", "", "")).expect("it is unbroken");
    assert_eq!(watchfire_config::render(&loaded.warnings, Lang::En, false), "");
}

#[test]
fn every_case_is_found_and_only_what_runs_is_a_warning() {
    for (name, file, from, to) in CASES {
        match load(changed(file, from, to)) {
            Ok(loaded) => assert!(!loaded.warnings.is_empty(), "{name}: nothing was said"),
            Err(faults) => assert!(faults.faults().iter().any(|fault| fault.severity == Severity::Error), "{name}"),
        }
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let mut files = changed("server.toml", "keep_alive = \"30s\"", "keep_aliv = \"30s\"");
    for (file, bytes) in &mut files {
        let text = String::from_utf8(bytes.clone()).expect("the plant is UTF-8");
        let broken = match file.as_str() {
            "people.toml" => text.replace("\"park-duty\"]", "\"nobody\"]"),
            "enterprises/acme.csv" => text.replace("80,90,95", "90,80,95").replace("kPa", "℃"),
            _ => text,
        };
        *bytes = broken.into_bytes();
    }
    let faults = load(files).expect_err("four files are wrong");
    let places: Vec<_> =
        faults.faults().iter().map(|fault| format!("{}:{}:{} {}", fault.file.display(), fault.line, fault.column, fault.code)).collect();
    assert_eq!(
        places,
        [
            "enterprises/acme.csv:2:81 limits-out-of-order",
            "enterprises/acme.csv:3:62 unit",
            "people.toml:14:66 unknown-person",
            "server.toml:3:1 unknown-key",
        ]
    );
}

#[test]
fn secrets_do_not_print() {
    let loaded = load(changed("server.toml", "", "")).expect("it is unbroken");
    assert!(!format!("{:?}", loaded.server).contains("s3cret"));
    let wrong = load(changed("server.toml", "https://sms.example/send", "ftp://${SMS_KEY}@sms.example/send")).expect_err("ftp is refused");
    assert!(!wrong.render(Lang::En, false).contains("s3cret"));
}

#[test]
fn a_program_reads_the_same_faults_as_json() {
    let faults = load(changed("enterprises/acme.csv", "80,90,95,2", "80,90,85,2")).expect_err("the trip comes first");
    let json = faults.to_json(Lang::En);
    assert_eq!(json[0]["code"], "above-interlock");
    assert_eq!(json[0]["line"], 2);
    assert_eq!(json[0]["severity"], "error");
}
