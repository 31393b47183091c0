//! Configuration files to a checked plant.
//!
//! An engineer keeps a folder in git: server, jurisdiction, people, policies, classes and gateways as TOML, and one setpoint
//! list per enterprise as CSV or .xlsx. This crate reads it, gathers every fault at once with file, line, column, the line itself, a mark
//! and what to write instead (中文 and English), and gives either a [`model::Plant`] that the core need not check again, or
//! the faults. Nothing is guessed: a unit, a pressure base or a level that is not written is a fault.
//!
//! The way is files → raw values that know their place → checks → plant. It reads no clock: today's date, for calibration
//! dates, comes from the caller. It reads no phone numbers: they live outside the folder, and the notifier reads them.
//! serde is not used for reading, because it stops at the first fault and loses the places.

mod alike;
mod at_start;
mod attach;
mod beside;
mod bodies;
mod build;
mod cell;
mod classes;
mod climb;
mod cores;
mod difference;
mod explain;
mod export;
mod fault;
mod field;
mod gas;
mod heads;
mod life;
mod limits;
mod org;
mod own_tags;
mod policies;
mod quotes;
mod replay;
mod rules;
pub mod scenario;
mod server;
mod setpoints;
mod shares;
mod sheet;
mod source;
mod suggest;
mod table;
mod thresholds;
mod units;
mod values;
mod version;
mod workbook;

pub use at_start::{place_of_id, waits_for_start};
pub use bodies::{missed, rings, to_be_told};
pub use classes::EXAMPLE_CLASSES;
pub use difference::{Difference, Direction, Item, Line, Value};
pub use explain::{Explanation, Fact};
pub use export::{ExportedList, ListFormat, export_list, listed_enterprises, set_cell, write_list};
pub use fault::{FAULTS_MAX, Fault, Faults, Lang, Severity, Text, render, to_json};
pub use own_tags::SYSTEM_EQUIPMENT;
pub use policies::EXAMPLE_POLICIES;
pub use replay::{ColumnRef, Format, Replay, ReplayColumn, load_replay, read_replay};
pub use server::{
    Budget, ChannelSetting, Driver, Embedded, History, Http, Mqtt, Protocol, SUBSCRIBE_DEFAULT, Secret, Server, Success, TemplateForm,
    Templates, Webhook, Window,
};
pub use setpoints::{DELAY_MAX, RESPOND_WITHIN_MAX, SAMPLE_MAX};
pub use shares::level_shares;
pub use source::{FILE_BYTES_MAX, Files};
pub use suggest::nearest_first;
pub use workbook::WORKBOOK_BYTES_MAX;

use fault::{Sink, text};
use model::{Plant, TagId};
use source::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the core runs on.
    pub plant: Plant,
    /// What the program around it needs.
    pub server: Server,
    /// What somebody should look at.
    pub warnings: Vec<Fault>,
    /// The files it was read from.
    pub files: Vec<PathBuf>,
}

/// What the caller knows and the files do not.
pub struct Options<'o> {
    /// Year, month, day in civil time; none leaves calibration dates unjudged.
    pub today: Option<(i16, i8, i8)>,
    /// The value of an environment variable, for `${NAME}` in a channel's URL and headers.
    pub environment: &'o dyn Fn(&str) -> Option<String>,
}

/// The process's own environment.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Loads a folder.
pub fn load(dir: &Path) -> Result<Loaded, Faults> {
    load_at(dir, None)
}

/// Loads a folder and judges calibration dates by `today` (year, month, day).
pub fn load_at(dir: &Path, today: Option<(i16, i8, i8)>) -> Result<Loaded, Faults> {
    load_files(&Files::read(dir), &Options { today, environment: &environment })
}

const SERVER: &str = "server.toml";
const JURISDICTION: &str = "jurisdiction.toml";
const PEOPLE: &str = "people.toml";
const POLICIES: &str = "policies.toml";
const GATEWAYS: &str = "gateways.toml";
const EQUIPMENT: &str = "equipment.toml";
const CLASSES: &str = "classes.toml";
const RULES: &str = "rules.toml";
const LIFE: &str = "life.toml";
/// Files that may lie in the folder and are read elsewhere.
const READ_ELSEWHERE: [&str; 2] = ["replay.toml", "contacts.example.toml"];

/// Loads files from wherever they came.
pub fn load_files(files: &Files, options: &Options<'_>) -> Result<Loaded, Faults> {
    load_asked(files, options, None).map(|(loaded, _)| loaded)
}

/// What a tag has and where each value was written; none where no list has the tag. A configuration with faults explains nothing.
pub fn explain(files: &Files, options: &Options<'_>, tag: &TagId) -> Result<Option<Explanation>, Faults> {
    load_asked(files, options, Some(tag)).map(|(_, explanation)| explanation)
}

fn load_asked(files: &Files, options: &Options<'_>, asked: Option<&TagId>) -> Result<(Loaded, Option<Explanation>), Faults> {
    let mut sink = Sink::default();
    let sources = files.decode(&mut sink);
    let source = |name: &str| sources.get(Path::new(name));
    let missing: Vec<Source> =
        [JURISDICTION, PEOPLE, GATEWAYS].into_iter().filter(|name| source(name).is_none()).map(|name| files.missing(name)).collect();
    for absent in &missing {
        sink.push(absent.top().error("missing-file", text("缺少这个文件", "this file is missing")));
    }
    check_file_names(&sources, &mut sink);
    files.check_strangers(&mut sink);

    let (server, channels) = server::read(source(SERVER), options.environment, &mut sink);
    let example = policies::example_source();
    let shipped = policies::read(&example, &mut sink);
    let (policies, policies_place) = match source(POLICIES) {
        Some(source) => (policies::read(source, &mut sink).or(shipped), source.top()),
        None => (shipped, example.top()),
    };
    let mut field = source(GATEWAYS).map(|source| field::read_gateways(source, &mut sink)).unwrap_or_default();
    if let Some(source) = source(EQUIPMENT) {
        field.equipment = field::read_equipment(source, &mut sink);
    }
    let today = options.today.and_then(|(year, month, day)| jiff::civil::Date::new(year, month, day).ok());
    let classes = source(CLASSES).map(|source| classes::read(source, &mut sink)).unwrap_or_default();
    let sheets = sheets(&sources, today, &mut sink);
    let rules = source(RULES).map(|source| rules::read(source, &mut sink)).unwrap_or_default();
    let lives = source(LIFE).map(|source| life::read(source, &mut sink)).unwrap_or_default();

    // Without the tree everything below it would be a fault of its own; the missing file is the one to tell.
    let built = source(JURISDICTION).map(|top| {
        let jurisdiction = org::read_jurisdiction(top, &mut sink);
        let staff = source(PEOPLE).map(|source| org::read_people(source, &mut sink)).unwrap_or_default();
        let bodies = bodies::build(&jurisdiction, staff, top, &channels, &mut sink);
        let raw = build::Raw { jurisdiction, bodies, policies, policies_place, field, classes, sheets, rules, lives, today };
        build::build(raw, &server, asked, &mut sink)
    });
    let (plant, explanation) = built.unwrap_or_default();
    if let Some(plant) = &plant {
        if sink.errors() == 0 {
            shares::check(plant, policies_place, &mut sink);
        }
    } else {
        // Whatever left no plant has said so already; this keeps an unforeseen way here from passing as fine.
        sink.push_if_clean(policies_place.error("no-plant", text("配置不完整", "the configuration is incomplete")));
    }
    let warnings = sink.finish()?;
    let plant = plant.expect("without a plant there is an error, and errors were returned above");
    Ok((Loaded { plant, server, warnings, files: files.paths().collect() }, explanation))
}

fn sheets<'a>(sources: &'a BTreeMap<PathBuf, Source>, today: Option<jiff::civil::Date>, sink: &mut Sink) -> Vec<build::Sheet<'a>> {
    let mut lists: Vec<(String, &Source)> = Vec::new();
    for (path, source) in sources.iter().filter(|(path, _)| path.parent() == Some(Path::new("enterprises"))) {
        let enterprise = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // A .csv and an .xlsx of one name: two lists, and no telling which of them is meant.
        if lists.last().is_some_and(|(last, _)| *last == enterprise) {
            let fault = text("这家企业有两份设定值表", "this enterprise has two setpoint lists");
            sink.push(source.top().error("two-lists", fault).suggest("留 .csv 或 .xlsx 中的一份", "keep the .csv or the .xlsx"));
            continue;
        }
        lists.push((enterprise, source));
    }
    let bytes = lists.iter().map(|(_, source)| source.text.len()).sum();
    let rows = cores::each(&lists, bytes, sink, |(_, source), sink| setpoints::read(source, today, sink));
    let sheet = |((enterprise, source), rows): ((String, &'a Source), _)| build::Sheet { enterprise, top: source.top(), rows };
    lists.into_iter().zip(rows).map(sheet).collect()
}

/// A file with a slip in its name would silently not be read.
fn check_file_names(sources: &BTreeMap<PathBuf, Source>, sink: &mut Sink) {
    let known = [SERVER, JURISDICTION, PEOPLE, POLICIES, GATEWAYS, EQUIPMENT, CLASSES, RULES, LIFE];
    for (path, source) in sources.iter().filter(|(path, _)| path.parent() == Some(Path::new(""))) {
        let name = path.to_string_lossy();
        if !known.contains(&&*name) && !READ_ELSEWHERE.contains(&&*name) {
            let fault = source.top().error("unknown-file", text("不认识的文件,没有读取", "unknown file; it was not read"));
            sink.push(fault.suggest_some(suggest::meant(&name, known)));
        }
    }
}
