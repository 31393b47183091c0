//! `policies.toml`: which alarm has which level, who is told when, and every waiting time, as data.
//!
//! A section that is left out is taken from the example policy shipped with the program, so that a small site writes only
//! what differs. Nothing here is a standard, and no number of it stands in code.

use crate::beside::{self, RawBeside};
use crate::fault::{Sink, Text, text};
use crate::gas::{self, GasBounds};
use crate::source::{At, Place, Source};
use crate::table::{Table, with_document};
use crate::values::{self, choose, duration, kinds, level, time_of_day};
use model::plant::ChannelKind;
use model::{Condition, Duration, Hazard, Level, Signal};
use std::path::PathBuf;

/// The policy shipped; `config/policies.toml` is the same file.
pub const EXAMPLE_POLICIES: &str = include_str!("../example/policies.toml");

/// The longest time that any waiting time may have.
const WAIT_MAX: Duration = Duration::from_mins(7 * 24 * 60);
/// A red alarm that may wait an hour for a signature is not red; the bound catches `3h` for `3min`.
const SIGN_MAX: Duration = Duration::from_mins(24 * 60);

/// The policies as written, complete after [`RawPolicies::or`].
#[derive(Default)]
pub(crate) struct RawPolicies<'a> {
    pub(crate) rows: Option<Vec<LevelRow>>,
    pub(crate) levels: [Option<RawLevel<'a>>; 4],
    pub(crate) quiet: Option<(u16, u16)>,
    pub(crate) data_faults: Option<DataFaults>,
    pub(crate) gateway_lost: Option<(u8, u32)>,
    pub(crate) timing: Option<Timing>,
    pub(crate) siren: Option<SirenRule>,
    pub(crate) gas: Option<GasBounds>,
    /// Levels whose limits need cause, consequence, response and time to respond.
    pub(crate) rationalisation: Option<Vec<Level>>,
    pub(crate) beside: RawBeside,
}

/// One row of the level table; the first that fits decides.
#[derive(Clone, Debug)]
pub(crate) struct LevelRow {
    conditions: Vec<Condition>,
    /// Empty fits every signal.
    signals: Vec<Signal>,
    major: Level,
    minor: Level,
    two: Option<Level>,
    /// Where it was written, for people who ask.
    from: String,
}

pub(crate) struct RawLevel<'a> {
    pub(crate) sign_within: Duration,
    pub(crate) remind_every: Option<Duration>,
    pub(crate) handle_within: Duration,
    pub(crate) closed_by: At<'a, String>,
    pub(crate) tell: Vec<RawTell<'a>>,
    pub(crate) place: Place<'a>,
}

pub(crate) struct RawTell<'a> {
    pub(crate) tier: At<'a, String>,
    pub(crate) after: Duration,
    pub(crate) by: Vec<ChannelKind>,
    pub(crate) by_quiet: Vec<ChannelKind>,
}

#[derive(Clone, Copy)]
pub(crate) struct DataFaults {
    pub(crate) wait: Duration,
    pub(crate) stale_samples: i64,
    pub(crate) stale_at_least: Duration,
}

#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) fold_within: Duration,
    pub(crate) late_after: Duration,
    pub(crate) late_hold: Duration,
    pub(crate) clock_skew_max: Duration,
}

#[derive(Clone)]
pub(crate) struct SirenRule {
    pub(crate) levels: Vec<Level>,
    pub(crate) gas_upper_limits: bool,
    pub(crate) expiry: Duration,
}

impl<'a> RawPolicies<'a> {
    /// Takes from `other` what is missing here.
    pub(crate) fn or(self, other: Self) -> Self {
        let mut theirs = other.levels.into_iter();
        Self {
            rows: self.rows.or(other.rows),
            levels: self.levels.map(|mine| mine.or(theirs.next().flatten())),
            quiet: self.quiet.or(other.quiet),
            data_faults: self.data_faults.or(other.data_faults),
            gateway_lost: self.gateway_lost.or(other.gateway_lost),
            timing: self.timing.or(other.timing),
            siren: self.siren.or(other.siren),
            gas: self.gas.or(other.gas),
            rationalisation: self.rationalisation.or(other.rationalisation),
            beside: self.beside.or(other.beside),
        }
    }

    fn row(&self, condition: Condition, signal: Signal) -> Option<&LevelRow> {
        let fits = |row: &&LevelRow| row.conditions.contains(&condition) && (row.signals.is_empty() || row.signals.contains(&signal));
        self.rows.as_deref().unwrap_or_default().iter().find(fits)
    }

    /// Where the level of a condition was written.
    pub(crate) fn row_of(&self, condition: Condition, signal: Signal) -> Option<Text> {
        self.row(condition, signal).map(|row| text(format!("[levels],{}", row.from), format!("[levels], {}", row.from)))
    }

    /// Level of a condition, and the one it rises to with two detectors; none where no row fits.
    pub(crate) fn level_of(&self, condition: Condition, signal: Signal, hazard: Hazard, is_area: bool) -> Option<(Level, Option<Level>)> {
        let row = self.row(condition, signal)?;
        let level = if hazard >= Hazard::Second { row.major } else { row.minor };
        Some((level, row.two.filter(|two| is_area && *two > level)))
    }
}

/// The example policy as a source of its own, so that a fault in it would name it.
pub(crate) fn example_source() -> Source {
    Source::new(PathBuf::from("<example policy>"), EXAMPLE_POLICIES.to_owned())
}

pub(crate) fn read<'a>(source: &'a Source, sink: &mut Sink) -> RawPolicies<'a> {
    with_document(source, sink, |file, sink| {
        let rows = file.table("levels", sink, |table, sink| {
            let rows = table.tables("rows", sink, read_row);
            table.required("rows", rows, sink)
        });
        let mut levels: [Option<RawLevel<'a>>; 4] = Default::default();
        file.table("level", sink, |table, sink| {
            for level in Level::ALL {
                levels[level.at()] = table.table(level.name(), sink, read_level).flatten();
            }
        });
        let quiet = file.table("quiet", sink, |table, sink| {
            let from = time_of_day(table, "from", sink);
            let to = time_of_day(table, "to", sink);
            Some((from?, to?))
        });
        let data_faults = file.table("data_faults", sink, |table, sink| {
            let wait = wait_for(table, "wait", (Duration::ZERO, WAIT_MAX), sink);
            let samples = table.integer("stale_samples", (1, 1_000), sink);
            let samples = table.required("stale_samples", samples, sink);
            let least = wait_for(table, "stale_at_least", (Duration::from_secs(1), WAIT_MAX), sink);
            Some(DataFaults { wait: wait?, stale_samples: samples?.value, stale_at_least: least? })
        });
        let gateway_lost = file.table("gateway_lost", sink, |table, sink| {
            let percent = table.integer("percent", (1, 100), sink);
            let percent = table.required("percent", percent, sink);
            let least = table.integer("at_least", (1, 100_000), sink);
            let least = table.required("at_least", least, sink);
            Some((percent?.value as u8, least?.value as u32))
        });
        let timing = file.table("timing", sink, |table, sink| {
            let fold = wait_for(table, "fold_within", (Duration::ZERO, WAIT_MAX), sink);
            let late = wait_for(table, "late_after", (Duration::from_secs(1), WAIT_MAX), sink);
            let hold = wait_for(table, "late_hold", (Duration::ZERO, Duration::from_mins(60)), sink);
            let skew = wait_for(table, "clock_skew_max", (Duration::from_secs(1), WAIT_MAX), sink);
            Some(Timing { fold_within: fold?, late_after: late?, late_hold: hold?, clock_skew_max: skew? })
        });
        let siren = file.table("siren", sink, |table, sink| {
            let levels = table.strings("levels", sink);
            let levels = table.required("levels", levels, sink);
            let gas = table.bool("gas_upper_limits", sink).is_none_or(|gas| gas.value);
            // Shorter than three sendings, and one lost message would look like a broken link at the device.
            let expiry = wait_for(table, "expiry", (Duration::from_secs(30), Duration::from_mins(60)), sink);
            let names = Level::ALL.map(Level::name);
            let levels = levels?.iter().filter_map(|name| choose(name, values::parse_level, names, sink)).collect();
            Some(SirenRule { levels, gas_upper_limits: gas, expiry: expiry? })
        });
        let gas = file.table("gas_bounds", sink, gas::read);
        let rationalisation = file.table("rationalisation", sink, |table, sink| {
            let levels = table.strings("required", sink);
            let levels = table.required("required", levels, sink).unwrap_or_default();
            let names = Level::ALL.map(Level::name);
            levels.iter().filter_map(|name| choose(name, values::parse_level, names, sink)).collect()
        });
        let beside = beside::read(file, sink);
        RawPolicies {
            rows: rows.flatten(),
            levels,
            quiet: quiet.flatten(),
            data_faults: data_faults.flatten(),
            gateway_lost: gateway_lost.flatten(),
            timing: timing.flatten(),
            siren: siren.flatten(),
            gas,
            rationalisation,
            beside,
        }
    })
}

/// A length of time that must be there.
fn wait_for(table: &mut Table<'_, '_>, key: &'static str, bounds: (Duration, Duration), sink: &mut Sink) -> Option<Duration> {
    let value = duration(table, key, bounds, sink);
    table.required(key, value, sink).map(|length| length.value)
}

fn read_row(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<LevelRow> {
    let conditions = table.strings("condition", sink);
    let conditions = table.required("condition", conditions, sink);
    let names = Condition::ALL.map(Condition::name);
    let conditions: Option<Vec<_>> =
        conditions.map(|list| list.iter().filter_map(|name| choose(name, values::parse_condition, names, sink)).collect());
    let signals = table.strings("signal", sink).unwrap_or_default();
    let names = values::MEASURED.map(values::signal_name);
    let signals: Vec<_> = signals.iter().map(|name| choose(name, values::parse_signal, names, sink)).collect();
    let major = level(table, "major", sink);
    let major = table.required("major", major, sink);
    let minor = level(table, "minor", sink);
    let minor = table.required("minor", minor, sink);
    let two = level(table, "two", sink);
    // A name that was not understood must not make the row fit every signal.
    let signals = signals.into_iter().collect::<Option<Vec<_>>>()?;
    Some(LevelRow { conditions: conditions?, signals, major: major?, minor: minor?, two, from: table.place().show() })
}

fn read_level<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawLevel<'a>> {
    table.renamed(&[("ack_within", "sign_within"), ("reminder", "remind_every"), ("remind", "remind_every")]);
    let sign = wait_for(table, "sign_within", (Duration::from_secs(10), SIGN_MAX), sink);
    let remind = duration(table, "remind_every", (Duration::from_secs(10), WAIT_MAX), sink);
    let handle = wait_for(table, "handle_within", (Duration::from_mins(1), WAIT_MAX), sink);
    let closed_by = table.required_string("closed_by", sink);
    let tell = table.tables("tell", sink, |table, sink| {
        let tier = table.required_string("tier", sink);
        let after = wait_for(table, "after", (Duration::ZERO, WAIT_MAX), sink);
        let by = kinds(table, "by", sink);
        let by = table.required("by", by, sink);
        let by_quiet = kinds(table, "by_quiet", sink);
        let by = by?;
        Some(RawTell { tier: tier?, after: after?, by_quiet: by_quiet.unwrap_or_else(|| by.clone()), by })
    });
    let tell = table.required("tell", tell, sink);
    Some(RawLevel {
        sign_within: sign?,
        remind_every: remind.map(|remind| remind.value),
        handle_within: handle?,
        closed_by: closed_by?,
        tell: tell?,
        place: table.place(),
    })
}
