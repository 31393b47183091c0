//! How long a configuration of 100,000 tags takes to check: from bytes in memory to the plant and its version, faults included.
//!
//! Beside it, in the same run, the least that any checker must do: find every cell of the same bytes and parse the numbers
//! among them, on one core. The files are read from memory, because what a disk does is not ours. `WATCHFIRE_BENCH_QUICK=1` takes one round.

#![allow(missing_docs, clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "what takes time is measured")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use watchfire_config::{Faults, Files, ListFormat, Loaded, Options, export_list, load_files};

const TAGS: usize = 100_000;
const ENTERPRISES: usize = 100;
const GATEWAY_TAGS: usize = 100;

fn main() {
    // Cargo asks a bench that it lists or tests to do nothing.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    let rounds = if std::env::var_os("WATCHFIRE_BENCH_QUICK").is_some_and(|value| value != "0") { 1 } else { 5 };
    let full = county(&|enterprise, at| row(enterprise, at, false));
    let classed = county(&|enterprise, at| row(enterprise, at, true));
    let wrong = county(&|enterprise, at| row(enterprise, at, false).replace("80,90,95", "92,90,95"));
    println!("{TAGS} tags of {ENTERPRISES} enterprises, {:.1} MB of lists; best and worst of {rounds}", list_bytes(&full) as f64 / 1e6);
    println!("| what | best ms | worst ms | CPU ms | bare | ratio |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let bare = time(rounds, || cells(&full));
    for (what, files, right) in
        [("CSV, every cell filled in", &full, true), ("CSV, limits from classes", &classed, true), ("CSV, every row wrong", &wrong, false)]
    {
        let files = Files::from_memory(files.clone());
        line(what, time(rounds, || black_box(check(&files)).is_ok() == right || panic!("{what}")), Some(bare));
    }
    let books = books(&full);
    let files = Files::from_memory(books);
    line(".xlsx, every cell filled in", time(rounds, || black_box(check(&files)).is_ok() || panic!("a workbook")), Some(bare));
}

/// How long some rounds took.
#[derive(Clone, Copy)]
struct Times {
    best: Duration,
    worst: Duration,
    /// Of all threads, a round.
    spent: Duration,
}

fn line(what: &str, times: Times, bare: Option<Times>) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (bare_ms, ratio) = bare.map_or((f64::NAN, f64::NAN), |bare| (ms(bare.best), ms(times.spent) / ms(bare.spent)));
    let Times { best, worst, spent } = times;
    println!("| {what} | {:.0} | {:.0} | {:.0} | {bare_ms:.0} | {ratio:.1} |", ms(best), ms(worst), ms(spent));
}

/// This process's time on all processors, threads that have ended included: user and system, in hundredths of a second.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name in brackets may hold anything; the third field follows it.
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn time<T>(rounds: usize, mut run: impl FnMut() -> T) -> Times {
    let before = spent();
    let times = (0..rounds).map(|_| {
        let began = Instant::now();
        black_box(run());
        began.elapsed()
    });
    let times: Vec<_> = times.collect();
    let (best, worst) = (times.iter().min().copied().unwrap_or_default(), times.iter().max().copied().unwrap_or_default());
    Times { best, worst, spent: (spent() - before) / u32::try_from(rounds).unwrap() }
}

fn check(files: &Files) -> Result<Loaded, Faults> {
    let environment = |_: &str| None;
    load_files(files, &Options { today: Some((2026, 1, 1)), environment: &environment })
}

type Bytes = Vec<(PathBuf, Vec<u8>)>;

fn list_bytes(files: &Bytes) -> usize {
    files.iter().filter(|(path, _)| path.starts_with("enterprises")).map(|(_, bytes)| bytes.len()).sum()
}

/// The least: every cell found, and read as a number where it is one.
fn cells(files: &Bytes) -> f64 {
    let mut sum = 0.0;
    for (_, bytes) in files.iter().filter(|(path, _)| path.starts_with("enterprises")) {
        for cell in bytes.split(|byte| matches!(byte, b',' | b'\n')) {
            sum += std::str::from_utf8(cell).ok().and_then(|cell| cell.parse::<f64>().ok()).unwrap_or_default();
        }
    }
    sum
}

fn books(files: &Bytes) -> Bytes {
    let all = Files::from_memory(files.clone());
    let convert = |(path, bytes): &(PathBuf, Vec<u8>)| {
        if !path.starts_with("enterprises") {
            return (path.clone(), bytes.clone());
        }
        let enterprise = path.file_stem().unwrap().to_string_lossy();
        let list = export_list(&all, &enterprise, Some(ListFormat::Xlsx)).unwrap();
        (path.with_extension("xlsx"), list.bytes)
    };
    files.iter().map(convert).collect()
}

const HEADS: &str = "位号,名称,装置单元,设备位号,设备类型,重大危险源编码,重大危险源等级,介质,CAS号,信号类型,单位,压力基准,量程低限,量程高限,低低报,低报,高报,高高报,联锁值,回差,报警延时s,恢复延时s,采集周期s,网关,指标编码,声光区域,投用状态,校验有效期,报警状态,状态标签,设定依据,备注,类别\n";

fn row(_: usize, at: usize, classed: bool) -> String {
    let (tank, gateway) = (at / 4, at / GATEWAY_TAGS);
    let limits = if classed { ",,,,95,,,,5" } else { "10,15,80,90,95,2,30,10,5" };
    let class = if classed { "常压储罐" } else { "" };
    format!(
        "LIA-{at},V-{tank}甲醇储罐液位{at},甲类罐区,V-{tank},常压储罐,339900102001,三级,甲醇,67-56-1,液位,%,/,0,100,{limits},GW{gateway},339900102001G0001YW001,SL-01,投用,2027-10-20,,,操作规程OP-0201,,{class}\n"
    )
}

fn county(row: &dyn Fn(usize, usize) -> String) -> Bytes {
    let mut jurisdiction = String::from(
        "[[body]]\nid = \"county\"\nname = \"县\"\ntier = \"county\"\nduty_phone = \"county-phone\"\n\
         [[body]]\nid = \"park\"\nname = \"园区\"\ntier = \"township\"\nparent = \"county\"\nduty_phone = \"park-phone\"\n",
    );
    let (mut people, mut gateways) = (String::new(), String::new());
    for body in ["county", "park"] {
        members(&mut people, body);
    }
    let mut files = Bytes::new();
    for enterprise in 0..ENTERPRISES {
        let id = format!("e{enterprise:03}");
        write!(
            jurisdiction,
            "[[enterprise]]\nid = \"{id}\"\nname = \"企业{id}\"\nresponsible_body = \"park\"\nduty_phone = \"{id}-phone\"\n"
        )
        .unwrap();
        members(&mut people, &id);
        writeln!(gateways, "[gateways.{id}]").unwrap();
        for gateway in 0..TAGS / ENTERPRISES / GATEWAY_TAGS {
            writeln!(gateways, "GW{gateway} = {{ interval = \"5s\" }}").unwrap();
        }
        writeln!(gateways, "[sirens.{id}]\nSL-01 = \"罐区\"").unwrap();
        let list: String = (0..TAGS / ENTERPRISES).map(|at| row(enterprise, at)).collect();
        files.push((format!("enterprises/{id}.csv").into(), (HEADS.to_owned() + &list).into_bytes()));
    }
    write!(people, "[bodies._system]\npeople = [{{ id = \"keeper\", name = \"运维\", channels = [\"platform\"] }}]\nroster = [{{ days = \"每天\", from = \"00:00\", to = \"24:00\", people = [\"keeper\"] }}]\n").unwrap();
    let server = "[channels.voice]\nkind = \"voice\"\nurl = \"http://127.0.0.1:9/voice\"\n";
    for (name, text) in [
        ("jurisdiction.toml", jurisdiction),
        ("people.toml", people),
        ("gateways.toml", gateways),
        ("server.toml", server.to_owned()),
        ("classes.toml", watchfire_config::EXAMPLE_CLASSES.to_owned()),
    ] {
        files.push((name.into(), text.into_bytes()));
    }
    files
}

fn members(people: &mut String, body: &str) {
    write!(
        people,
        "[bodies.{body}]\npeople = [{{ id = \"{body}-duty\", name = \"值班\", channels = [\"platform\", \"voice\"] }}, {{ id = \"{body}-phone\", name = \"电话\", channels = [\"voice\"] }}]\nroster = [{{ days = \"每天\", from = \"00:00\", to = \"24:00\", people = [\"{body}-duty\"] }}]\n"
    )
    .unwrap();
}
