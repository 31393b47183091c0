//! `server.toml`: what it says, what it need not say, and what never prints.

use crate::acme::{changed, load};
use model::Duration;
use model::plant::ChannelKind;
use watchfire_config::{Budget, Driver, Files, Lang, Options, Protocol, SUBSCRIBE_DEFAULT, Server, TemplateForm, Window, load_files};

fn server(from: &str, to: &str) -> Server {
    match load(changed("server.toml", from, to)) {
        Ok(loaded) => loaded.server,
        Err(faults) => panic!("{faults}"),
    }
}

#[test]
fn what_is_not_written_has_a_default_that_stays_on_this_machine() {
    let server = Server::default();
    assert_eq!(server.mqtt.url, None);
    assert!(server.embedded.listen.ip().is_loopback() && server.http.listen.ip().is_loopback());
    assert_eq!(server.mqtt.subscribe, SUBSCRIBE_DEFAULT);
    assert_eq!(server.mqtt.protocol, Protocol::V311);
    assert_eq!(server.http.public_url, "http://127.0.0.1:8080");
    assert_eq!(server.channels[0].kind, ChannelKind::Platform);
    assert_eq!(server.history.readings, Duration::from_mins(90 * 24 * 60));
    assert_eq!(server.history.alarms, Duration::from_mins(365 * 24 * 60));
}

#[test]
fn readings_are_kept_as_long_as_is_written_and_never_less_than_thirty_days() {
    let kept = |written: &str| load(changed("server.toml", "[http]", &format!("[history]\nreadings = \"{written}\"\n\n[http]")));
    assert_eq!(kept("400d").map(|loaded| loaded.server.history.readings).ok(), Some(Duration::from_mins(400 * 24 * 60)));
    assert_eq!(kept("30d").map(|loaded| loaded.server.history.readings).ok(), Some(Duration::from_mins(30 * 24 * 60)));
    for written in ["29d", "0s", "5000d"] {
        let faults = kept(written).map(drop).expect_err("out of bounds").to_string();
        assert!(faults.contains("30d") && faults.contains("3660d"), "{written}: {faults}");
    }
}

#[test]
fn alarms_are_kept_as_long_as_is_written_and_never_shorter_than_readings() {
    let kept = |written: &str| load(changed("server.toml", "[http]", &format!("[history]\n{written}\n\n[http]")));
    let days =
        |written: &str| kept(written).map(|loaded| loaded.server.history.alarms.as_micros() / Duration::from_mins(24 * 60).as_micros());
    assert_eq!(days("alarms = \"800d\"").ok(), Some(800));
    assert_eq!(days("alarms = \"30d\"\nreadings = \"30d\"").ok(), Some(30));
    assert_eq!(days("readings = \"700d\"").ok(), Some(700), "not written, they stay as long as the readings");
    let short = kept("readings = \"200d\"\nalarms = \"100d\"").map(drop).expect_err("shorter than the readings").to_string();
    assert!(short.contains("alarms-before-readings") && short.contains("200d"), "{short}");
    let floor = kept("alarms = \"29d\"").map(drop).expect_err("out of bounds").to_string();
    assert!(floor.contains("30d") && floor.contains("alarms"), "{floor}");
}

#[test]
fn a_channel_is_read_with_its_secret_and_its_rule_of_success() {
    let server = server("", "");
    let sms = server.channels.iter().find(|channel| channel.id.as_str() == "sms").expect("it is written");
    let Driver::Webhook(webhook) = &sms.driver else { panic!("sms is an HTTP call") };
    assert_eq!(sms.template, TemplateForm::Short);
    assert_eq!((webhook.method.as_str(), webhook.timeout), ("POST", Duration::from_secs(5)));
    assert_eq!(webhook.headers[0].1.reveal(), "Bearer s3cret");
    let success = webhook.success.as_ref().expect("it is written");
    assert_eq!((success.json.as_str(), success.equals.as_str(), sms.lang), ("/code", "OK", Lang::Zh));
    assert!(server.channels.is_sorted_by(|a, b| a.id < b.id));
}

#[test]
fn a_variable_may_have_a_default_and_the_environment_goes_before_it() {
    let url = |server: &Server| {
        let voice = server.channels.iter().find(|channel| channel.id.as_str() == "voice").expect("it is written");
        match &voice.driver {
            Driver::Webhook(webhook) => webhook.url.reveal().to_owned(),
            Driver::Platform => panic!("voice is an HTTP call"),
        }
    };
    assert_eq!(url(&server("https://voice.example/call", "${NOBODY:-http://127.0.0.1:8090}/voice")), "http://127.0.0.1:8090/voice");
    assert_eq!(url(&server("https://voice.example/call", "https://x.example/${SMS_KEY:-none}")), "https://x.example/s3cret");
}

#[test]
fn numbers_are_read_in_every_form_that_toml_has() {
    let count = |written: &str| {
        let files = changed("server.toml", "success =", &format!("budget = {{ count = {written}, per = \"24h\" }}\nsuccess ="));
        let server = load(files).ok()?.server;
        server.channels.iter().find_map(|channel| channel.budget)
    };
    for (written, want) in [("1_000", 1_000), ("0x40", 64), ("64", 64), ("64.0", 64)] {
        assert_eq!(count(written), Some(Budget { count: want, per: Window::Day }), "{written}");
    }
    for written in ["0", "1000001", "1.5", "\"64\"", "inf", "99999999999999999999"] {
        assert_eq!(count(written), None, "{written}");
    }
}

#[test]
fn what_the_notifier_would_refuse_is_refused_here() {
    let codes = |more: &str| match load(changed("server.toml", "success =", &format!("{more}\nsuccess ="))) {
        Ok(loaded) => panic!("`{more}` is taken, with {} warnings", loaded.warnings.len()),
        Err(faults) => faults.faults().iter().map(|fault| fault.code).collect::<Vec<_>>(),
    };
    assert_eq!(codes("method = \"GET\""), ["unknown-name"]);
    assert_eq!(codes("timeout = \"16s\""), ["out-of-bounds"]);
    assert_eq!(codes("lang = \"fr\""), ["unknown-name"]);
    assert_eq!(codes("budget = { count = 5, per = \"10s\" }"), ["budget-window"]);
    for fine in ["method = \"PATCH\"", "timeout = \"15s\"", "lang = \"en\"", "budget = { count = 5, per = \"60min\" }"] {
        assert!(load(changed("server.toml", "success =", &format!("{fine}\nsuccess ="))).is_ok(), "{fine}");
    }
}

#[test]
fn a_broken_connection_is_noticed_within_seconds() {
    assert_eq!(Server::default().mqtt.keep_alive, Duration::from_secs(5));
    assert_eq!(server("\"30s\"", "\"60s\"").mqtt.keep_alive, Duration::from_secs(60));
    for outside in ["\"4s\"", "\"61s\""] {
        assert!(load(changed("server.toml", "\"30s\"", outside)).is_err(), "{outside}");
    }
}

#[test]
fn the_password_of_the_broker_comes_from_the_environment_and_does_not_print() {
    let server = server("mqtt://broker.plant:1883", "mqtts://engine:${SMS_KEY}@broker.plant:8883");
    assert_eq!(server.mqtt.url.as_deref(), Some("mqtts://engine:s3cret@broker.plant:8883"));
    let shown = format!("{server:?}");
    assert!(shown.contains("mqtts://***@broker.plant:8883") && !shown.contains("s3cret"), "{shown}");
    let loaded = load(changed("server.toml", "mqtt://broker.plant:1883", "mqtt://engine:hunter2@broker.plant")).expect("it only warns");
    assert_eq!(loaded.warnings.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["secret-in-file"]);
    assert!(!watchfire_config::render(&loaded.warnings, watchfire_config::Lang::En, false).contains("hunter2"));
}

#[test]
fn the_public_address_follows_the_port_unless_it_is_written() {
    assert_eq!(server("127.0.0.1:8080", "127.0.0.1:9090").http.public_url, "http://127.0.0.1:9090");
    let written = server("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:80\"\npublic_url = \"https://park.example/\"");
    assert_eq!(written.http.public_url, "https://park.example");
}

#[test]
fn a_list_in_another_format_is_told_and_leftovers_of_editors_are_not() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in changed("server.toml", "", "") {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the folder can be made");
        std::fs::write(path, bytes).expect("the folder is writable");
    }
    for name in ["~$acme.xlsx", ".acme.csv.swp", "bcme.xls"] {
        std::fs::write(dir.path().join("enterprises").join(name), b"PK").expect("the folder is writable");
    }
    let environment = |_: &str| Some("s3cret".to_owned());
    let faults = load_files(&Files::read(dir.path()), &Options { today: None, environment: &environment }).expect_err("one is no list");
    let told: Vec<_> = faults.faults().iter().map(|fault| (fault.code, fault.file.file_name())).collect();
    assert_eq!(told, [("not-a-list", Some("bcme.xls".as_ref()))]);
}
