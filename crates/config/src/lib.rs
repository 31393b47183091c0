//! Configuration files to a checked plant.
//!
//! An engineer keeps a folder in git: server, jurisdiction, people, policies and gateways as TOML, and one setpoint list
//! per enterprise as CSV. This crate reads it, gathers every fault at once with file, line, column, the line itself, a mark
//! and what to write instead (中文 and English), and gives either a [`model::Plant`] that the core need not check again, or
//! the faults. Nothing is guessed: a unit, a pressure base or a level that is not written is a fault.
//!
//! The way is files → raw values that know their place → checks → plant. It reads no clock: today's date, for calibration
//! dates, comes from the caller. It reads no phone numbers: they live outside the folder, and the notifier reads them.
//! serde is not used for reading, because it stops at the first fault and loses the places.

mod bodies;
mod build;
mod cell;
mod climb;
mod fault;
mod field;
mod heads;
mod limits;
mod org;
mod own_tags;
mod policies;
mod replay;
mod server;
mod setpoints;
mod shares;
mod sheet;
mod source;
mod suggest;
mod table;
mod units;
mod values;
mod version;

pub use fault::{FAULTS_MAX, Fault, Faults, Lang, Severity, Text, render, to_json};
pub use own_tags::SYSTEM_EQUIPMENT;
pub use policies::EXAMPLE_POLICIES;
pub use replay::{ColumnRef, Format, Replay, ReplayColumn, load_replay, read_replay};
pub use server::{
    Budget, ChannelSetting, Driver, Embedded, Http, Mqtt, Protocol, SUBSCRIBE_DEFAULT, Secret, Server, Success, TemplateForm, Templates,
    Webhook, Window,
};
pub use setpoints::{DELAY_MAX, SAMPLE_MAX};
pub use shares::level_shares;
pub use source::{FILE_BYTES_MAX, Files};

use fault::{Sink, text};
use model::Plant;
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
/// Files that may lie in the folder and are read elsewhere.
const READ_ELSEWHERE: [&str; 2] = ["replay.toml", "contacts.example.toml"];

/// Loads files from wherever they came.
pub fn load_files(files: &Files, options: &Options<'_>) -> Result<Loaded, Faults> {
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
    let sheets = sheets(&sources, today, &mut sink);

    // Without the tree everything below it would be a fault of its own; the missing file is the one to tell.
    let plant = source(JURISDICTION).and_then(|top| {
        let jurisdiction = org::read_jurisdiction(top, &mut sink);
        let staff = source(PEOPLE).map(|source| org::read_people(source, &mut sink)).unwrap_or_default();
        let bodies = bodies::build(&jurisdiction, staff, top, &channels, &mut sink);
        build::build(build::Raw { jurisdiction, bodies, policies, policies_place, field, sheets }, &server, &mut sink)
    });
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
    Ok(Loaded { plant, server, warnings, files: files.paths().collect() })
}

fn sheets<'a>(sources: &'a BTreeMap<PathBuf, Source>, today: Option<jiff::civil::Date>, sink: &mut Sink) -> Vec<build::Sheet<'a>> {
    let lists = sources.iter().filter(|(path, _)| path.parent() == Some(Path::new("enterprises")));
    lists
        .map(|(path, source)| build::Sheet {
            enterprise: path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
            top: source.top(),
            rows: setpoints::read(source, today, sink),
        })
        .collect()
}

/// A file with a slip in its name would silently not be read.
fn check_file_names(sources: &BTreeMap<PathBuf, Source>, sink: &mut Sink) {
    let known = [SERVER, JURISDICTION, PEOPLE, POLICIES, GATEWAYS, EQUIPMENT];
    for (path, source) in sources.iter().filter(|(path, _)| path.parent() == Some(Path::new(""))) {
        let name = path.to_string_lossy();
        if !known.contains(&&*name) && !READ_ELSEWHERE.contains(&&*name) {
            let fault = source.top().error("unknown-file", text("不认识的文件,没有读取", "unknown file; it was not read"));
            sink.push(fault.suggest_some(suggest::meant(&name, known)));
        }
    }
}
