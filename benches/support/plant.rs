//! A plant of any size, written as the files an engineer would write.
//!
//! Its first [`Plant::zones`] tags are gas detectors, each alone in its area with a siren of its own, so that one reading makes one
//! siren command; the rest are temperatures. Enterprises hold up to [`PER_ENTERPRISE`] tags, gateways up to [`PER_GATEWAY`], and every
//! tag is sampled once a second.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Tags of one enterprise.
const PER_ENTERPRISE: usize = 1_000;
/// Tags of one gateway.
const PER_GATEWAY: usize = 64;
/// A value at which nothing stands.
pub const NORMAL: f64 = 12.5;
/// A value above high-high of a detector (50 ppm).
pub const TOXIC: f64 = 62.5;
/// A value clear of high and its deadband (below 22.5 ppm).
pub const CLEAR: f64 = 13.5;

/// Sizes.
#[derive(Clone, Copy)]
pub struct Plant {
    /// All tags.
    pub tags: usize,
    /// Of which detectors with a siren, all in the first enterprise.
    pub zones: usize,
}

/// Where the limits of the temperatures come from. The detectors have theirs in the list.
#[derive(Clone, Copy, PartialEq)]
pub enum Limits {
    /// Low, high and high-high stand in the list, the same for all; each tag stands on an equipment of its own.
    Alike,
    /// All four come from a class, as shares of the range; four tags stand on one equipment, and each has a name.
    Classes,
    /// All four stand in the list, and no two tags have the same; else as from classes.
    Own,
}

impl Limits {
    /// Name, number of the equipment, limits, and class of one tag.
    fn cells(self, tag: usize) -> (String, usize, String, &'static str) {
        let name = || format!("E-{}换热器温度{tag}", tag / 4);
        match self {
            Self::Alike => ("温度".to_owned(), tag, "/,5,150,180".to_owned(), ""),
            Self::Classes => (name(), tag / 4, ",,,".to_owned(), "换热器"),
            Self::Own => {
                let [low_low, low, high, high_high] = [1.0, 2.0, 150.0, 180.0].map(|limit| limit + tag as f64 / 20_000.0);
                (name(), tag / 4, format!("{low_low},{low},{high},{high_high}"), "")
            }
        }
    }
}

/// Names the class of [`Limits::Classes`].
const CLASSES: &str =
    "[[class]]\nname = \"换热器\"\nsignal = \"temperature\"\nlow_low = \"1 %\"\nlow = \"2 %\"\nhigh = \"75 %\"\nhigh_high = \"90 %\"\n";

impl Plant {
    /// The enterprise of a tag.
    fn enterprise(tag: usize) -> String {
        format!("e{:03}", tag / PER_ENTERPRISE)
    }
    /// The name of a tag.
    fn name(self, tag: usize) -> String {
        if tag < self.zones { format!("GT-{tag:03}") } else { format!("TI-{tag:06}") }
    }
    /// The topic of a tag's readings.
    pub fn topic(self, tag: usize) -> String {
        format!("watchfire/v1/{}/{}", Self::enterprise(tag), self.name(tag))
    }
    /// Writes the configuration below `dir` and returns its folder.
    pub fn write(self, dir: &Path) -> PathBuf {
        self.write_with(dir, Limits::Alike)
    }
    /// The same with limits of another kind.
    pub fn write_with(self, dir: &Path, limits: Limits) -> PathBuf {
        let config = dir.join("config");
        std::fs::create_dir_all(config.join("enterprises")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(config.join(name), text).unwrap();
        let mut jurisdiction = String::from(
            "[[body]]\nid = \"county\"\nname = \"试验县\"\nshort_name = \"试验县\"\ntier = \"county\"\nduty_phone = \"county-phone\"\n\
             [[body]]\nid = \"park\"\nname = \"试验园区\"\nshort_name = \"试验园区\"\ntier = \"township\"\nparent = \"county\"\nduty_phone = \"park-phone\"\n",
        );
        let (mut people, mut gateways, mut sirens) = (String::new(), String::new(), String::from("[sirens.e000]\n"));
        body(&mut people, "county");
        body(&mut people, "park");
        for first in (0..self.tags).step_by(PER_ENTERPRISE) {
            let id = Self::enterprise(first);
            let _ = writeln!(
                jurisdiction,
                "[[enterprise]]\nid = \"{id}\"\nname = \"企业{id}\"\nshort_name = \"{id}\"\nresponsible_body = \"park\"\nduty_phone = \"{id}-phone\""
            );
            body(&mut people, &id);
            let tags = first..self.tags.min(first + PER_ENTERPRISE);
            let count = tags.len().div_ceil(PER_GATEWAY);
            let _ = writeln!(gateways, "[gateways.{id}]");
            for gateway in 0..count {
                let _ = writeln!(gateways, "GW{gateway:02} = {{ name = \"网关{gateway}\", interval = \"1s\" }}");
            }
            let mut csv = String::from(
                "位号,名称,设备位号,设备类型,重大危险源编码,重大危险源等级,介质,信号类型,单位,压力基准,量程低限,量程高限,低低报,低报,高报,高高报,联锁值,回差,报警延时s,恢复延时s,采集周期s,网关,声光区域,投用状态,类别\n",
            );
            for tag in tags {
                let (name, gateway) = (self.name(tag), (tag - first) % count);
                let _ = if tag < self.zones {
                    let _ = writeln!(sirens, "SL-{tag:03} = \"区域{tag}\"");
                    writeln!(
                        csv,
                        "{name},氨检测器,A-{tag:03},区域,339900000001,二级,氨,有毒气体,ppm,/,0,100,/,/,25,50,/,2.5,0,0,1,GW{gateway:02},SL-{tag:03},投用,"
                    )
                } else {
                    let (title, equipment, limits, class) = limits.cells(tag);
                    writeln!(
                        csv,
                        "{name},{title},E-{equipment:06},换热器,/,/,水,温度,℃,/,0,200,{limits},/,1,0,0,1,GW{gateway:02},/,投用,{class}"
                    )
                };
            }
            write(&format!("enterprises/{id}.csv"), &csv);
        }
        write("jurisdiction.toml", &jurisdiction);
        write("classes.toml", CLASSES);
        write("people.toml", &people);
        write("gateways.toml", &if self.zones > 0 { gateways + &sirens } else { gateways });
        write(
            "server.toml",
            "[channels.platform]\nkind = \"platform\"\n[channels.voice]\nkind = \"voice\"\nurl = \"http://127.0.0.1:9/voice\"\n",
        );
        config
    }
}

/// Somebody on the page; a duty phone that no reminder reaches within a run.
fn body(people: &mut String, id: &str) {
    let _ = writeln!(
        people,
        "[bodies.{id}]\npeople = [\n  {{ id = \"{id}-duty\", name = \"值班员\", channels = [\"platform\"] }},\n  \
         {{ id = \"{id}-phone\", name = \"值班电话\", channels = [\"voice\"] }},\n]\n\
         roster = [{{ days = \"每天\", from = \"00:00\", to = \"24:00\", people = [\"{id}-duty\"] }}]"
    );
}

/// The payload of one reading: 61 bytes, as measured everywhere else.
pub fn payload(out: &mut Vec<u8>, value: f64, sequence: u64) {
    use std::io::Write as _;
    out.clear();
    let millis = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    write!(out, "{{\"ts\":{millis},\"value\":{value},\"quality\":\"good\",\"seq\":{sequence}}}").unwrap();
}
