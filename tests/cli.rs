//! The commands as an operator meets them: what they print, in which language, and how they end (0 fine, 1 faults found, 2
//! could not run).

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

mod support;

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Engine, Mosquitto, free_port, root};

/// What a command did.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }
    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "`{word}` is not in:\n{}{}", self.out, self.err);
        }
        self
    }
}

/// Runs a command in English, with the repository as its folder, 80 columns wide, and something on its standard input.
fn with_input(args: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchfire"))
        .args(args)
        .current_dir(root())
        .env_clear()
        .env("COLUMNS", "80")
        .env("LANG", "en_US.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(args: &[&str]) -> Ran {
    with_input(args, "")
}

fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A copy of `config/tep` with one file changed.
fn changed(name: &str, from: &str, to: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    copy(&root().join("config/tep"), dir.path());
    let path = dir.path().join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "`{from}` does not stand in {name}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    let shown = dir.path().display().to_string();
    (dir, shown)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
fn bad_options_and_missing_folders_end_with_2_and_say_what_helps() {
    for args in [
        &["chekc"][..],
        &["check", "--jason"],
        &["who"],
        &["publish", "a.csv"],
        &["user", "add", "x", "--role", "king"],
        &["publish", "a", "--map", "b", "--speed", "0"],
        &["publish", "a", "--map", "b", "--speed", "-1"],
        &["publish", "a", "--map", "b", "--speed", "fast"],
        &["publish", "a", "--map", "b", "--speed", "inf"],
        &["publish", "a", "--map", "b", "--times", "0"],
        &["publish", "a", "--map", "b", "--rows", "0"],
    ] {
        let ran = run(args).ends(2);
        assert!(ran.err.contains("--help") && ran.out.is_empty(), "{args:?}: {}", ran.err);
    }
    run(&["status", "--data", "no/such/folder"]).ends(2).says(&["no/such/folder holds no data", "--data"]);
    run(&["verify", "--data", "no/such/folder"]).ends(2).says(&["no/such/folder holds no data", "--data"]);
    run(&["user", "list", "--data", "no/such/folder"]).ends(2).says(&["there is no data folder", "--data"]);
    run(&["--lang", "zh", "status", "--data", "no/such/folder"]).ends(2).says(&["还没在这里运行过", "--data"]);
    run(&["check", "no/such/folder"]).ends(1).says(&["no/such/folder"]);
}

#[test]
fn every_command_explains_itself_with_examples_and_its_exit_status() {
    for command in ["check", "export", "who", "status", "verify", "user", "publish"] {
        run(&[command, "--help"]).ends(0).says(&["Examples:", &format!("watchfire {command}"), "Exit status:"]);
    }
}

#[test]
fn the_shipped_configurations_have_no_fault_and_say_what_is_in_them() {
    run(&["check", "config"]).ends(0).says(&[
        "no faults, 0 warnings",
        "30 enterprises",
        "671 tags",
        "limits by level: red",
        "rules version: ",
    ]);
    run(&["--lang", "zh", "check", "config/tep"]).ends(0).says(&["无错误,0 处警告", "1 家企业", "5 个位号", "红色 0 (0.0 %)"]);
    let report = run(&["check", "config/tep-damped", "--json"]).ends(0).json();
    assert_eq!((&report["ok"], &report["tags"], &report["limits"]), (&json!(true), &json!(5), &json!(16)));
    assert_eq!(report["levels"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 16);
    assert_eq!(report["warnings"], json!([]));
}

#[test]
fn a_tag_is_explained_value_by_value_with_the_place_of_each() {
    let report = run(&["check", "config", "--explain", "hongxin/GC-101", "--json"]).ends(0).json();
    let fact = |what: &str| {
        let facts = report["facts"].as_array().unwrap();
        let fact = facts.iter().find(|fact| fact["what"] == what).unwrap_or_else(|| panic!("{what} is not among {facts:?}"));
        format!("{} | {}", fact["value"].as_str().unwrap(), fact["from"].as_str().unwrap())
    };
    assert!(fact("high").starts_with("25 %LEL | config/enterprises/hongxin.csv:"), "{}", fact("high"));
    assert!(fact("high-high response").contains("启动应急预案 | class, config/classes.toml:"), "{}", fact("high-high response"));
    assert!(fact("high level").contains("[levels], config/policies.toml:"), "{}", fact("high level"));
    run(&["--lang", "zh", "check", "config", "--explain", "hongxin/GC-101"]).ends(0).says(&["高高报处置措施", "写在"]);
    run(&["check", "config", "--explain", "hongxin/NO-1"]).ends(2).says(&["no setpoint list has this tag"]);
}

#[test]
fn a_list_goes_out_as_a_workbook_and_comes_back_as_the_same_rules() {
    let version = |config: &str| run(&["check", config, "--json"]).ends(0).json()["version"].clone();
    let (dir, config) = changed("gateways.toml", "180s", "180s");
    let before = version(&config);
    let lists = dir.path().join("enterprises");
    let book = lists.join("tep.xlsx").display().to_string();
    run(&["export", "limits", "--config", &config, "--enterprise", "tep", "--format", "xlsx", "--out", &book]).ends(0).says(&["tep.xlsx"]);
    // Two lists of one enterprise are one too many.
    run(&["check", &config]).ends(1).says(&["this enterprise has two setpoint lists"]);
    let list = std::fs::read(lists.join("tep.csv")).unwrap();
    std::fs::remove_file(lists.join("tep.csv")).unwrap();
    assert_eq!(version(&config), before);
    let as_it_is = run(&["export", "limits", "--config", "config/tep"]).ends(0);
    assert_eq!(as_it_is.out.as_bytes(), list);
    let copies = dir.path().join("copies").display().to_string();
    run(&["export", "limits", "--out", &copies]).ends(0);
    assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 30);
    run(&["export", "limits"]).ends(2).says(&["--enterprise"]);
    run(&["export", "limits", "--enterprise", "hongxing"]).ends(1).says(&["did you mean `hongxin`?"]);
}

#[test]
fn every_command_that_reads_a_broken_configuration_ends_with_1_and_names_the_place() {
    let (_dir, broken) = changed("gateways.toml", "180s", "180");
    let place = "gateways.toml:4:39";
    let faults = run(&["check", &broken]).ends(1).says(&[place, "180", "faults: 1"]);
    assert!(!faults.err.contains('\u{1b}'), "no colour outside a terminal");
    run(&["--lang", "zh", "check", &broken]).ends(1).says(&[place, "这里要一段时间", "错误:1 处"]);
    let report = run(&["check", &broken, "--json"]).ends(1).json();
    assert_eq!((&report["ok"], &report["faults"][0]["line"], &report["faults"][0]["code"]), (&json!(false), &json!(4), &json!("duration")));
    run(&["who", "tep/XMEAS-7", "--config", &broken]).ends(1).says(&[place]);
    run(&["user", "add", "a", "--role", "admin", "--config", &broken, "--data", &broken]).ends(1).says(&[place]);
    run(&["run", "--config", &broken, "--data", &format!("{broken}/data")]).ends(1).says(&[place]);
}

#[test]
fn check_refuses_what_only_a_start_would_have_found() {
    let (_dir, config) = changed("server.toml", "url =", "body = '{\"to\": \"{{ phnoe }}\"}'\nurl =");
    run(&["check", &config]).ends(1).says(&["server.toml: template channel voice: line 1: undefined value"]);
    let report = run(&["check", &config, "--json"]).ends(1).json();
    assert_eq!(report["faults"][0]["code"], "would-not-start");
    let (_dir, config) = changed("server.toml", "url =", "headers = { Content-Type = \"image/png\" }\nurl =");
    run(&["check", &config]).ends(1).says(&["server.toml", "image/png"]);
}

#[test]
fn a_calibration_date_that_has_passed_is_warned_of_today() {
    let dir = tempfile::tempdir().unwrap();
    copy(&root().join("config/tep"), dir.path());
    let path = dir.path().join("enterprises/tep.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| {
            format!(
                "{line},{}",
                if at == 0 {
                    "calibration_due"
                } else if at == 1 {
                    "2020-01-31"
                } else {
                    ""
                }
            )
        })
        .collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let config = dir.path().display().to_string();
    run(&["check", &config]).ends(0).says(&["1 warning:", "2020-01-31"]);
    let report = run(&["check", &config, "--json"]).ends(0).json();
    assert_eq!(report["warnings"][0]["line"], json!(2));
}

fn told(args: &[&str]) -> Vec<(i64, Vec<String>)> {
    let report = run(&[&["who"], args, &["--json"]].concat()).ends(0).json();
    let tiers = report["conditions"][0]["told"].as_array().unwrap();
    tiers
        .iter()
        .map(|tier| {
            let people = tier["people"].as_array().unwrap().iter().map(|person| person["person"].as_str().unwrap().to_owned());
            (tier["after_s"].as_i64().unwrap(), people.collect())
        })
        .collect()
}

#[test]
fn who_is_called_at_night_and_by_day_follows_the_roster() {
    let ask = |at: &str| told(&["hongxin/LIA-101", "--condition", "high-high", "--at", at]);
    let (night, day) = (ask("2026-03-03T03:00:00+08:00"), ask("2026-03-03 12:00"));
    let bosses = ["hongxin-head", "hongxin-tech", "hongxin-oper"];
    for (told, second) in [(&night, true), (&day, false)] {
        assert_eq!(told.iter().map(|(after, _)| *after).collect::<Vec<_>>(), [0, 300, 900]);
        assert_eq!(told[0].1[0], "hongxin-op1");
        assert_eq!(told[0].1.contains(&"hongxin-op2".to_owned()), second, "{told:?}");
        assert!(bosses.iter().all(|boss| told[0].1.contains(&(*boss).to_owned())), "{told:?}");
        assert_eq!((told[1].1[0].as_str(), told[2].1[0].as_str()), ("linjiang-duty", "qingxi-duty"));
    }
    // A shift that begins before the second tier is told is the one that hears of it.
    let weekend = ask("2026-03-07 07:56");
    assert_eq!(weekend[1].1, ["linjiang-duty", "linjiang-duty2"]);
    assert_eq!(ask("2026-03-06 07:30")[1].1, ["linjiang-duty"]);

    let table = run(&["who", "hongxin/LIA-101", "--at", "2026-03-03 03:00"]).ends(0).says(&["quiet hours", "5 min", "15 min", "at once"]);
    let widest =
        table.out.lines().map(|line| line.chars().map(|c| if c.is_ascii() || "─│═╪┆╞╡┌┐└┘┬┴".contains(c) { 1 } else { 2 }).sum()).max();
    assert!(widest.is_some_and(|width: usize| width <= 80), "{}", table.out);
    run(&["--lang", "zh", "who", "hongxin/LIA-101", "--at", "2026-03-03 03:00"]).ends(0).says(&["夜间", "高高报", "立即", "渠道"]);
}

#[test]
fn the_engines_own_alarms_have_somebody_who_signs_them() {
    let told = told(&["_system/storage", "--at", "2026-03-03 12:00"]);
    assert_eq!(told[0], (0, vec!["keeper1".to_owned()]));
    assert_eq!(told[1].1[0], "qingxi-duty");
    let data = tempfile::tempdir().unwrap();
    let data = data.path().display().to_string();
    run(&["user", "add", "ops", "--role", "enterprise", "--person", "keeper1", "--generate", "--data", &data]).ends(0);
    run(&["user", "list", "--json", "--data", &data]).ends(0).says(&["_system"]);
}

#[test]
fn who_says_what_is_wrong_with_the_question() {
    run(&["who", "LIA-101"]).ends(2).says(&["write enterprise/tag"]);
    run(&["who", "hongxin/LIA-999"]).ends(2).says(&["no tag hongxin/LIA-999"]);
    run(&["who", "hongxin/LIA-101", "--at", "tonight"]).ends(2).says(&["tonight", "2026-03-01T03:00:00+08:00"]);
    run(&["who", "hongxin/LIA-101", "--condition", "hihi"]).ends(2).says(&["hihi", "high-high"]);
    run(&["who", "hongxin/LIA-101", "--condition", "discrete"]).ends(2).says(&["has no condition discrete"]);
}

#[test]
fn a_login_is_added_listed_locked_and_given_a_new_password_and_never_shows_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    let user = |args: &[&str], input: &str| with_input(&[&["user"], args, &["--data", &data]].concat(), input);
    let add = ["add", "Zhang", "--role", "enterprise", "--person", "hongxin-op1"];

    // Nothing is written unless it fits the configuration and has a password worth the name.
    user(&["add", "zhang", "--role", "township", "--person", "hongxin-op1"], "Summer-2026-wind\n").ends(2).says(&["not of tier township"]);
    user(&["add", "zhang", "--role", "enterprise", "--person", "nobody"], "Summer-2026-wind\n").ends(2).says(&["no person nobody"]);
    user(&["add", "zhang", "--role", "enterprise"], "Summer-2026-wind\n").ends(2).says(&["--person"]);
    user(&add, "").ends(2).says(&["--generate"]);
    user(&add, "12345678\n").ends(2).says(&["password"]);
    assert_eq!(user(&["list", "--json"], "").ends(0).json(), json!([]), "there is no default login");

    user(&add, "Summer-2026-wind\n").ends(0).says(&["added: zhang"]);
    user(&add, "Summer-2026-wind\n").ends(2).says(&["exists already"]);
    let listed = user(&["list"], "").ends(0).says(&["zhang", "enterprise", "hongxin-op1", "enabled"]);
    assert!(!listed.out.contains("Summer") && !listed.out.contains("argon2"), "{}", listed.out);
    let accounts = || std::fs::read_to_string(Path::new(&data).join("accounts.json")).unwrap();
    let first = accounts();
    assert!(first.contains("$argon2id$") && !first.contains("Summer-2026-wind"));

    user(&["disable", "zhang"], "").ends(0);
    user(&["list"], "").ends(0).says(&["disabled"]);
    user(&["enable", "zhang"], "").ends(0);
    let row = &user(&["list", "--json"], "").ends(0).json()[0];
    let expected = json!({ "username": "zhang", "role": "enterprise", "body": "hongxin", "person": "hongxin-op1", "enabled": true });
    assert_eq!(*row, expected, "and no password");

    let generated = user(&["password", "zhang", "--generate"], "").ends(0).says(&["shown once"]);
    let password = generated.out.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    assert!(password.len() >= 16 && !accounts().contains(&password) && accounts() != first, "{}", generated.out);
    user(&["password", "nobody", "--generate"], "").ends(2).says(&["no account named nobody"]);
    user(&["disable", "nobody"], "").ends(2);
    with_input(&["--lang", "zh", "user", "disable", "nobody", "--data", &data], "").ends(2).says(&["没有登录名 nobody"]);
}

/// A CSV with quoted heads out of order, and the mapping that names two of its columns.
fn recording(dir: &Path, rows: &str) -> (String, String) {
    let table = format!("\"time, local\",\"TI-101 (degF)\",note,LI-101\n{rows}");
    let map = "enterprise = \"acme\"\nformat = \"csv\"\nheader = true\nstart = \"2025-01-06T08:00:00+08:00\"\ninterval = \"10s\"\nquality = \"uncertain\"\n\
               [[column]]\nhead = \"LI-101\"\ntag = \"LI-101/A\"\n[[column]]\nhead = \"TI-101 (degF)\"\ntag = \"TI-101\"\nscale = 0.5\noffset = -16.0\n";
    (file(dir, "day.csv", &table), file(dir, "day.toml", map))
}

#[test]
fn a_fault_in_a_recording_or_its_mapping_has_its_file_and_line_and_sends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // Whatever is wrong with the file is said before any broker is asked.
    let nobody = format!("mqtt://127.0.0.1:{}", free_port());
    let publish = |table: &str, map: &str| run(&["publish", table, "--map", map, "--mqtt", &nobody]).ends(2);
    let (table, map) = recording(dir.path(), "8:00,50,a,1\n8:10,5o,b,2\n");
    publish(&table, &map).says(&["day.csv:3: `5o` in column 2 is no number"]);
    for cell in ["", "NaN", "inf"] {
        let (table, map) = recording(dir.path(), &format!("8:00,50,a,1\n8:10,50,b,{cell}\n"));
        publish(&table, &map).says(&["day.csv:3: ", "in column 4 is no number"]);
    }
    let (table, map) = recording(dir.path(), "8:00,50\n");
    publish(&table, &map).says(&["day.csv:2: no column 4: this row has 2"]);
    let (table, map) = recording(dir.path(), "");
    publish(&table, &map).says(&["day.csv: no rows of data"]);
    let text = std::fs::read_to_string(&map).unwrap();
    let renamed = file(dir.path(), "renamed.toml", &text.replace("\"LI-101\"", "\"LI-102\""));
    publish(&table, &renamed).says(&["day.csv:1: no column `LI-102`; there are time, local, TI-101 (degF), note, LI-101"]);
    let faulty = file(dir.path(), "faulty.toml", &text.replace("10s", "10"));
    publish(&table, &faulty).says(&["faulty.toml:5:12"]);
    publish("no/such.csv", &map).says(&["no/such.csv: cannot be read"]);
}

#[test]
fn a_broker_that_is_not_there_is_named_without_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let (table, map) = recording(dir.path(), "8:00,50,a,1\n");
    let port = free_port();
    let url = format!("mqtt://me:hunter2@127.0.0.1:{port}");
    let ran = run(&["publish", &table, "--map", &map, "--mqtt", &url]).ends(2);
    let ran = ran.says(&[&format!("connection to mqtt://me@127.0.0.1:{port}"), "0 of 2 messages", "Is the broker running?"]);
    assert!(!ran.err.contains("hunter2") && ran.out.is_empty(), "{}", ran.err);
    run(&["publish", &table, "--map", &map, "--mqtt", "127.0.0.1:1883"]).ends(2).says(&["--mqtt", "mqtt://"]);
}

/// Listens on every topic of `acme`.
struct Ear(rumqttc::Connection, #[expect(dead_code, reason = "the connection ends with it")] Client);

impl Ear {
    fn at(broker: &Mosquitto) -> Self {
        let mut options = MqttOptions::new("ear", "127.0.0.1", broker.port);
        options.set_keep_alive(Duration::from_secs(30));
        let (client, mut connection) = Client::new(options, 10);
        client.subscribe("watchfire/v1/#", QoS::AtLeastOnce).unwrap();
        while !matches!(connection.recv_timeout(support::PATIENCE).unwrap().unwrap(), Event::Incoming(Packet::SubAck(_))) {}
        Self(connection, client)
    }
    fn hear(&mut self, count: usize) -> Vec<(String, Value)> {
        let mut heard = Vec::new();
        while heard.len() < count {
            if let Event::Incoming(Packet::Publish(publish)) = self.0.recv_timeout(support::PATIENCE).unwrap().unwrap() {
                heard.push((publish.topic.clone(), serde_json::from_slice(&publish.payload).unwrap()));
            }
        }
        heard
    }
}

#[test]
fn a_csv_is_replayed_by_the_names_of_its_columns_and_every_message_acknowledged() {
    let broker = Mosquitto::start();
    let mut ear = Ear::at(&broker);
    let dir = tempfile::tempdir().unwrap();
    let (table, map) = recording(dir.path(), "8:00,50,\"a, with\",1\n\n8:10,51,b,2.25\n8:20,52,c,3\n");
    let publish =
        |more: &[&str]| run(&[&["publish", &table, "--map", &map, "--mqtt", &broker.url(), "--json"], more].concat()).ends(0).json();

    let sent = publish(&["--rows", "2", "--times", "2"]);
    assert_eq!((&sent["messages"], &sent["rows"], &sent["broker"]), (&json!(8), &json!(4), &json!(broker.url())));
    let start = 1_736_121_600_000_i64;
    let reading = |tag: &str, at: i64, value: f64| {
        (format!("watchfire/v1/acme/{tag}"), json!({ "ts": start + at, "value": value, "quality": "uncertain" }))
    };
    // The second run follows the first in time: two rows of 10 s.
    let expected: Vec<_> = [(0, 1.0, 9.0), (10_000, 2.25, 9.5), (20_000, 1.0, 9.0), (30_000, 2.25, 9.5)]
        .into_iter()
        .flat_map(|(at, level, temperature)| [reading("LI-101%2FA", at, level), reading("TI-101", at, temperature)])
        .collect();
    assert_eq!(ear.hear(8), expected);

    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let before = now();
    // 10 s of recording in a tenth of a second.
    let sent = publish(&["--now", "--speed", "100"]);
    let after = now();
    assert!(sent["seconds"].as_f64().unwrap() >= 0.2, "two intervals lie between three rows: {sent}");
    let times: Vec<i64> = ear.hear(6).iter().map(|(_, payload)| payload["ts"].as_i64().unwrap()).collect();
    assert!(times.is_sorted() && before <= times[0] && before + 200 <= times[4] && times[5] <= after, "{before} {times:?} {after}");

    for speed in ["max", "1000000"] {
        assert_eq!(publish(&["--speed", speed])["messages"], 6);
    }
    let words = run(&["publish", &table, "--map", &map, "--mqtt", &broker.url()]).ends(0);
    words.says(&["6 messages", "every one acknowledged by the broker"]);
}

#[test]
fn a_fresh_folder_is_whole_and_shows_that_nothing_stands() {
    let empty = tempfile::tempdir().unwrap();
    let shown = empty.path().display().to_string();
    for command in ["status", "verify"] {
        run(&[command, "--data", &shown, "--json"]).ends(2).says(&["holds no data"]);
        assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "{command} writes nothing");
    }
    let data: PathBuf = empty.path().join("data");
    let shown = data.display().to_string();
    let mut engine = Engine::start(&root().join("config/tep"), &data, None, &[]);
    let status = run(&["status", "--data", &shown, "--json"]).ends(0).json();
    assert_eq!((&status["cases"], &status["alarms"], &status["messages_waiting"]), (&json!([]), &json!([]), &json!(0)));
    engine.stop();
    run(&["status", "--data", &shown]).ends(0).says(&["0 open cases", "0 alarms", "0 messages waiting"]);
    run(&["--lang", "zh", "status", "--data", &shown]).ends(0).says(&["0 件未办结"]);
    // On a narrow terminal what matters, a line for each tag; all of it where it is asked for.
    let points = ["status", "--points", "--data", &shown, "--config", "config/tep"];
    let narrow = run(&points).ends(0).says(&["state", "in-service", "proven", "0/", "never seen", "5 tags, never seen 5", "--wide"]);
    assert!(!narrow.out.contains("first seen ") && narrow.out.lines().all(|line| line.chars().count() <= 80), "{}", narrow.out);
    assert_eq!(narrow.out.lines().filter(|line| line.contains("in-service")).count(), 5, "{}", narrow.out);
    let wide = run(&[&points[..], &["--wide"]].concat()).ends(0).says(&["first seen", "range", "limits seen to work", "not yet seen"]);
    assert_eq!(wide.out.lines().filter(|line| line.contains("tep/") && line.contains("in-service")).count(), 5, "{}", wide.out);
    run(&["status", "--data", &shown, "--wide"]).ends(2).says(&["--points"]);
    let verified = run(&["verify", "--data", &shown, "--json"]).ends(0).json();
    assert_eq!((&verified["ok"], &verified["first_bad"]), (&json!(true), &Value::Null));
    run(&["verify", "--data", &shown]).ends(0).says(&["the chain is unbroken", "head"]);
    run(&["--lang", "zh", "verify", "--data", &shown]).ends(0).says(&["链条完好"]);
}

#[test]
fn an_edited_journal_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let shown = dir.path().display().to_string();
    let mut engine = Engine::start(&root().join("config/tep"), dir.path(), None, &[]);
    let target = format!("mqtt://127.0.0.1:{}", engine.mqtt);
    let table = file(dir.path(), "row.txt", "3100\n");
    let map = "enterprise = \"tep\"\nformat = \"whitespace\"\nstart = \"2025-01-06T08:00:00+08:00\"\ninterval = \"180s\"\n\
               [[column]]\ncolumn = 1\ntag = \"XMEAS-7\"\n";
    let map = file(dir.path(), "row.toml", map);
    run(&["publish", &table, "--map", &map, "--mqtt", &target, "--now"]).ends(0);
    support::until("the alarm to be in the journal", || (engine.transitions().len() >= 2).then_some(()));
    let status = run(&["status", "--data", &shown, "--json"]).ends(0).json();
    assert_eq!((status["cases"].as_array().unwrap().len(), &status["cases"][0]["level"]), (1, &json!("orange")));
    let alarm = &status["alarms"][0];
    assert_eq!(
        (&alarm["tag"], &alarm["condition"], &alarm["state"]),
        (&json!("tep/XMEAS-7"), &json!("high-high"), &json!("unacknowledged"))
    );
    engine.stop();
    run(&["status", "--data", &shown]).ends(0).says(&["1 open cases", "2 alarms", "orange"]);
    run(&["verify", "--data", &shown]).ends(0);

    let database = rusqlite::Connection::open(dir.path().join("watchfire.db")).unwrap();
    let triggers: Vec<String> = {
        let mut names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for trigger in triggers {
        database.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    assert_eq!(database.execute("UPDATE journal SET bytes = CAST('{}' AS BLOB) WHERE seq = 2", []).unwrap(), 1);
    drop(database);
    run(&["verify", "--data", &shown]).ends(1).says(&["the chain breaks at row 2", "triggers"]);
    let report = run(&["verify", "--data", &shown, "--json"]).ends(1).json();
    assert_eq!((&report["ok"], &report["first_bad"]["seq"], &report["guards_intact"]), (&json!(false), &json!(2), &json!(false)));
}

#[test]
fn a_plan_that_wants_a_ticket_ends_with_1_and_one_that_does_not_with_0() {
    let (_dir, looser) = changed("enterprises/tep.csv", "114.4", "115.4");
    run(&["plan", &looser, "--against", "config/tep"]).ends(1).says(&["looser", "wants a change ticket"]);
    run(&["plan", &looser, "--against", "config/tep", "--json"]).ends(1);
    run(&["plan", "config/tep", "--against", &looser]).ends(0).says(&["tighter: 1"]);
    let (_dir, faulty) = changed("enterprises/tep.csv", "114.4", "11S.4");
    run(&["plan", &faulty, "--against", "config/tep"]).ends(1).says(&["enterprises/tep.csv:3:"]);
    // What only a start opens is told with its place, and loosens nothing.
    let (dir, later) = changed("gateways.toml", "180s", "180s");
    let server = dir.path().join("server.toml");
    let text = std::fs::read_to_string(&server).unwrap_or_default();
    std::fs::write(&server, format!("{text}\n[channels.spare]\nkind = \"app\"\nurl = \"http://127.0.0.1:9/\"\n")).unwrap();
    run(&["plan", &later, "--against", "config/tep"]).ends(0).says(&["server.toml:", "`spare` is new; it is opened at the next start"]);
    run(&["plan", "--help"]).ends(0).says(&["Exit status: 0 nothing stands against it"]);
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_command_without_a_word() {
    let who = ["who", "hongxin/LIA-101", "--condition", "high-high", "--at", "2026-03-01 03:00"];
    let commands: [&[&str]; 4] =
        [&["check", "config"], &["check", "config", "--explain", "hongxin/GC-101"], &["plan", "config", "--against", "config"], &who];
    for args in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let command = Command::new(env!("CARGO_BIN_EXE_watchfire")).args(args).current_dir(root()).stdout(writer).output();
        let output = command.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.as_str()), (Some(141), ""), "{args:?}");
    }
}

#[test]
fn a_tag_is_explained_with_what_only_rules_toml_says_of_it() {
    let (dir, config) = changed("gateways.toml", "180s", "180s");
    let rules = "[conditions.tep.\"XMEAS-9\"]\nrate_up = { limit = 5, window = \"5min\", on_delay = \"10s\" }\n\
                 [calculated.tep.\"DIFF\"]\nequipment = \"R-101\"\nequals = \"[XMEAS-9] - [XMEAS-9]\"\nunit = \"℃\"\nsignal = \"temperature\"\n\
                 high = { limit = 7 }\n";
    std::fs::write(dir.path().join("rules.toml"), rules).unwrap();
    let facts = |tag: &str| {
        let report = run(&["check", &config, "--explain", tag, "--json"]).ends(0).json();
        let fact = |fact: &Value| {
            let from = fact["from"].as_str().unwrap().replace(&format!("{config}/"), "");
            format!("{} = {} @ {from}", fact["what"].as_str().unwrap(), fact["value"].as_str().unwrap())
        };
        report["facts"].as_array().unwrap().iter().map(fact).collect::<Vec<_>>().join("\n")
    };
    let measured = facts("tep/XMEAS-9");
    for wanted in [
        "signal = 温度 / temperature @ enterprises/tep.csv:4:29",
        "range = 0 … 300 ℃ @ enterprises/tep.csv:4:36",
        "interlock = 175 ℃ @ enterprises/tep.csv:4:54",
        "high = 150 ℃ @ enterprises/tep.csv:4:46",
        "high deadband = 0 ℃ @ enterprises/tep.csv:4:58",
        "high on-delay = 0s @ enterprises/tep.csv:4:60",
        "rate-up = 5 ℃/min @ rules.toml:2:",
        "rate-up window = 5min @ rules.toml:2:",
        "rate-up on-delay = 10s @ rules.toml:2:",
    ] {
        assert!(measured.contains(wanted), "{wanted}\n---\n{measured}");
    }
    let calculated = facts("tep/DIFF");
    for wanted in ["formula = [XMEAS-9] - [XMEAS-9] @ rules.toml:5:", "high = 7 ℃ @ rules.toml:8:"] {
        assert!(calculated.contains(wanted), "{wanted}\n---\n{calculated}");
    }
}
