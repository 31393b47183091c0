//! `rules.toml` as written: what the setpoint lists cannot say. Conditions on movement, calculated tags with votes, deviations and
//! compounds, operating modes with their limits, suppression by design.
//!
//! A limit of a measured tag stands in its list and only there, and so does why it is there; this file gives it latching and re-alarm.
//! Everything stands under the
//! enterprise it belongs to, and no expression reads a tag of another one.

use crate::classes::read_rationale;
use crate::fault::{Sink, text};
use crate::setpoints::{DELAY_MAX, RawRationale};
use crate::source::{At, Place, Source};
use crate::table::{Table, named, with_document};
use crate::values::{MEASURED, choose, duration, level, parse_condition, parse_signal, signal_name};
use model::{Condition, Duration, Level, Signal};

/// The longest window of a rate.
const WINDOW_MAX: Duration = Duration::from_mins(24 * 60);
/// The longest flat line that is waited for.
const FLAT_MAX: Duration = Duration::from_mins(7 * 24 * 60);
/// How old the reading before may be for a step to be one, where nobody says.
const WITHIN_DEFAULT: Duration = Duration::from_mins(1);
/// How soon an acknowledged alarm may be told again, and how late.
const REALARM: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(7 * 24 * 60));
/// The longest warm-up of a detector.
const WARM_UP_MAX: Duration = Duration::from_mins(60);
/// Bounds of limits and deadbands.
const ANY: (f64, f64) = (-1e12, 1e12);

/// Keys of conditions, in the order of [`Condition::ALL`].
const CONDITIONS: [(&str, Condition); 12] = [
    ("low", Condition::Low),
    ("low_low", Condition::LowLow),
    ("high", Condition::High),
    ("high_high", Condition::HighHigh),
    ("deviation", Condition::Deviation),
    ("rate_up", Condition::RateUp),
    ("rate_down", Condition::RateDown),
    ("spike", Condition::Spike),
    ("discrete", Condition::Discrete),
    ("voted", Condition::Voted),
    ("compound", Condition::Compound),
    ("frozen", Condition::Frozen),
];

/// Everything in a `rules.toml`.
#[derive(Default)]
pub(crate) struct RawRules<'a> {
    /// What every tag of a signal gets.
    pub(crate) signals: Vec<(Signal, RawConditions<'a>)>,
    /// By enterprise and tag.
    pub(crate) conditions: Vec<(Named<'a>, RawConditions<'a>)>,
    pub(crate) calculated: Vec<RawCalculated<'a>>,
    pub(crate) suppressions: Vec<RawSuppression<'a>>,
    pub(crate) modes: Vec<RawModes<'a>>,
}

impl RawRules<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.signals.is_empty()
            && self.conditions.is_empty()
            && self.calculated.is_empty()
            && self.suppressions.is_empty()
            && self.modes.is_empty()
    }
}

/// Enterprise and name.
#[derive(Clone)]
pub(crate) struct Named<'a> {
    pub(crate) enterprise: At<'a, String>,
    pub(crate) name: At<'a, String>,
}

/// Conditions of one tag, or of all of a signal.
pub(crate) struct RawConditions<'a> {
    pub(crate) list: Vec<RawCondition<'a>>,
    pub(crate) warm_up: Option<Duration>,
}

/// One condition.
pub(crate) struct RawCondition<'a> {
    pub(crate) condition: Condition,
    pub(crate) limit: Option<At<'a, f64>>,
    pub(crate) deadband: Option<At<'a, f64>>,
    pub(crate) on_delay: Option<At<'a, Duration>>,
    pub(crate) off_delay: Option<At<'a, Duration>>,
    pub(crate) level: Option<Level>,
    pub(crate) latching: bool,
    pub(crate) realarm_after: Option<Duration>,
    pub(crate) method: model::plant::Method,
    pub(crate) rationale: RawRationale,
    pub(crate) place: Place<'a>,
}

pub(crate) struct RawCalculated<'a> {
    pub(crate) id: Named<'a>,
    pub(crate) name: Option<String>,
    pub(crate) equipment: At<'a, String>,
    pub(crate) equals: At<'a, String>,
    /// None for a statement.
    pub(crate) unit: Option<At<'a, String>>,
    pub(crate) signal: Option<Signal>,
    /// Of a gas that no detector of the list measures.
    pub(crate) medium: String,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) decimals: u8,
    pub(crate) labels: Option<[String; 2]>,
    pub(crate) conditions: RawConditions<'a>,
}

pub(crate) struct RawSuppression<'a> {
    pub(crate) id: Named<'a>,
    pub(crate) when: At<'a, String>,
    /// The condition enables instead: what is suppressed is suppressed while it does not hold.
    pub(crate) enables: bool,
    pub(crate) alarms: Vec<At<'a, String>>,
    pub(crate) reason: String,
}

pub(crate) struct RawModes<'a> {
    /// The equipment or area.
    pub(crate) of: Named<'a>,
    pub(crate) tag: Option<At<'a, String>>,
    pub(crate) modes: Vec<(At<'a, String>, At<'a, String>)>,
    pub(crate) limits: Vec<RawModeLimit<'a>>,
    pub(crate) place: Place<'a>,
}

pub(crate) struct RawModeLimit<'a> {
    pub(crate) alarm: At<'a, String>,
    pub(crate) mode: At<'a, String>,
    /// None where the condition is off.
    pub(crate) limit: Option<At<'a, f64>>,
    pub(crate) deadband: Option<At<'a, f64>>,
    pub(crate) on_delay: Option<Duration>,
    pub(crate) off_delay: Option<Duration>,
    pub(crate) place: Place<'a>,
}

/// Reads the file.
pub(crate) fn read<'a>(source: &'a Source, sink: &mut Sink) -> RawRules<'a> {
    with_document(source, sink, |file, sink| {
        let signals = named(file, "signals", sink, |name, entry, sink| {
            let known = MEASURED.map(signal_name);
            let signal = choose(&name, |name| parse_signal(name).filter(|signal| MEASURED.contains(signal)), known, sink)?;
            Some((signal, entry.table(sink, read_conditions)?))
        });
        let conditions = by_enterprise(file, "conditions", sink, |id, table, sink| Some((id, read_conditions(table, sink))));
        let calculated = by_enterprise(file, "calculated", sink, read_calculated);
        let suppressions = by_enterprise(file, "suppressions", sink, read_suppression);
        let modes = by_enterprise(file, "modes", sink, read_modes);
        RawRules { signals, conditions, calculated, suppressions, modes }
    })
}

/// Every table `[key.enterprise.name]`.
fn by_enterprise<'t, 'a, T>(
    file: &mut Table<'t, 'a>,
    key: &'static str,
    sink: &mut Sink,
    mut read: impl FnMut(Named<'a>, &mut Table<'t, 'a>, &mut Sink) -> Option<T>,
) -> Vec<T> {
    let read = named(file, key, sink, |enterprise, entry, sink| {
        entry.table(sink, |table, sink| {
            table.each(sink, |name, entry, sink| {
                let id = Named { enterprise: enterprise.clone(), name };
                entry.table(sink, |table, sink| read(id, table, sink)).flatten()
            })
        })
    });
    read.into_iter().flatten().collect()
}

fn read_conditions<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> RawConditions<'a> {
    table.renamed(&[("rate", "rate_up"), ("flatline", "frozen"), ("stuck", "frozen"), ("roc", "rate_up"), ("warmup", "warm_up")]);
    let list = CONDITIONS
        .iter()
        .filter_map(|(key, condition)| table.table(key, sink, |table, sink| read_condition(*condition, table, sink)).flatten());
    let list = list.collect();
    let warm_up = duration(table, "warm_up", (Duration::ZERO, WARM_UP_MAX), sink).map(|length| length.value);
    RawConditions { list, warm_up }
}

fn read_condition<'a>(condition: Condition, table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawCondition<'a>> {
    table.renamed(&[
        ("latch", "latching"),
        ("hysteresis", "deadband"),
        ("delay", "on_delay"),
        ("setpoint", "limit"),
        ("time_to_respond", "respond_within"),
    ]);
    use model::plant::Method;
    let positive = (f64::MIN_POSITIVE, ANY.1);
    let mut raw = RawCondition {
        condition,
        limit: None,
        deadband: None,
        on_delay: None,
        off_delay: None,
        level: level(table, "level", sink),
        latching: table.bool("latching", sink).is_some_and(|latching| latching.value),
        realarm_after: duration(table, "realarm_after", REALARM, sink).map(|length| length.value),
        method: Method::Value,
        rationale: read_rationale(table, sink),
        place: table.place(),
    };
    let delay = (Duration::ZERO, DELAY_MAX);
    if condition != Condition::Frozen {
        raw.on_delay = duration(table, "on_delay", delay, sink);
        raw.off_delay = duration(table, "off_delay", delay, sink);
    }
    if condition.has_setpoint() {
        raw.limit = table.number("limit", if condition.is_limit() { ANY } else { positive }, sink);
        raw.deadband = table.number("deadband", (0.0, ANY.1), sink);
    }
    match condition {
        Condition::RateUp | Condition::RateDown => {
            let window = duration(table, "window", (Duration::from_secs(10), WINDOW_MAX), sink);
            let window = table.required("window", window, sink);
            table.required("limit", raw.limit.as_ref(), sink);
            raw.method = Method::Rate { window: window?.value };
        }
        Condition::Spike => {
            let within = duration(table, "within", (Duration::from_millis(100), WINDOW_MAX), sink);
            table.required("limit", raw.limit.as_ref(), sink);
            raw.method = Method::Step { within: within.map_or(WITHIN_DEFAULT, |within| within.value) };
        }
        Condition::Frozen => raw.method = read_frozen(table, sink)?,
        _ => {}
    }
    (raw.limit.is_some() || !matches!(condition, Condition::RateUp | Condition::RateDown | Condition::Spike)).then_some(raw)
}

fn read_frozen(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<model::plant::Method> {
    let tolerance = table.number("tolerance", (0.0, ANY.1), sink).map_or(0.0, |tolerance| tolerance.value);
    let flat_for = duration(table, "flat_for", (Duration::from_secs(10), FLAT_MAX), sink).map(|length| length.value);
    let zero_for = duration(table, "zero_for", (Duration::from_secs(10), FLAT_MAX), sink).map(|length| length.value);
    let resent = table.integer("resent", (2, 10_000), sink).map(|count| count.value as u32);
    if flat_for.is_none() && zero_for.is_none() && resent.is_none() {
        let fault = table.place().error("frozen", text("没有写怎样算冻结", "it does not say what counts as frozen"));
        sink.push(fault.suggest(
            "写 flat_for(平线多久)、zero_for(恰为零多久)或 resent(同一序号重发几次)",
            "write flat_for (flat for how long), zero_for (exactly zero for how long) or resent (the same sequence how often)",
        ));
        return None;
    }
    Some(model::plant::Method::Frozen { tolerance, flat_for, zero_for, resent })
}

fn read_calculated<'a>(id: Named<'a>, table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawCalculated<'a>> {
    let name = table.string("name", sink).map(|name| name.value);
    let equipment = table.required_string("equipment", sink);
    let equals = table.required_string("equals", sink);
    let unit = table.string("unit", sink);
    let signal = table.string("signal", sink).and_then(|written| {
        choose(&written, |name| parse_signal(name).filter(|signal| MEASURED.contains(signal)), MEASURED.map(signal_name), sink)
    });
    let medium = table.string("medium", sink).map_or_else(String::new, |medium| medium.value);
    let low = table.number("range_low", ANY, sink);
    let high = table.number("range_high", ANY, sink);
    let decimals = table.integer("decimals", (0, 6), sink).map_or(1, |decimals| decimals.value as u8);
    let labels = table.strings("labels", sink).and_then(|labels| {
        let place = labels.first().map_or(table.place(), |label| label.place);
        let pair: Result<[String; 2], _> = labels.into_iter().map(|label| label.value).collect::<Vec<_>>().try_into();
        if pair.is_err() {
            let fault = place.error("labels", text("标签是 0 和 1 的两个叫法", "labels are the names of 0 and of 1"));
            sink.push(fault.suggest("例如 [\"未满足\", \"满足\"]", "such as [\"no\", \"yes\"]"));
        }
        pair.ok()
    });
    let range = match (&low, &high) {
        (Some(low), Some(high)) if low.value < high.value => Some((low.value, high.value)),
        (None, None) => None,
        _ => {
            let fault = text("量程要有低限和高限,低限在下", "a range has a low end and a high end above it");
            sink.push(low.or(high).map_or(table.place(), |end| end.place).error("range", fault));
            None
        }
    };
    let conditions = read_conditions(table, sink);
    Some(RawCalculated { id, name, equipment: equipment?, equals: equals?, unit, signal, medium, range, decimals, labels, conditions })
}

fn read_suppression<'a>(id: Named<'a>, table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawSuppression<'a>> {
    let when = table.string("when", sink);
    let enabled = table.string("enabled_when", sink);
    let alarms = table.strings("alarms", sink);
    let alarms = table.required("alarms", alarms, sink);
    let reason = table.required_string("reason", sink);
    let (when, enables) = match (when, enabled) {
        (Some(when), None) => (when, false),
        (None, Some(enabled)) => (enabled, true),
        _ => {
            let fault = text("写 when(成立时抑制)或 enabled_when(不成立时抑制)之一", "write either `when` or `enabled_when`");
            sink.push(table.place().error("suppression", fault));
            return None;
        }
    };
    Some(RawSuppression { id, when, enables, alarms: alarms?, reason: reason?.value })
}

fn read_modes<'a>(of: Named<'a>, table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawModes<'a>> {
    let tag = table.string("tag", sink);
    let modes = table.tables("modes", sink, |table, sink| {
        let name = table.required_string("name", sink);
        let when = table.required_string("when", sink);
        Some((name?, when?))
    });
    let modes = table.required("modes", modes, sink);
    let limits = table.tables("limits", sink, |table, sink| {
        let alarm = table.required_string("alarm", sink);
        let mode = table.required_string("mode", sink);
        let limit = table.number("limit", ANY, sink);
        let off = table.bool("off", sink).is_some_and(|off| off.value);
        let deadband = table.number("deadband", (0.0, ANY.1), sink);
        let on_delay = duration(table, "on_delay", (Duration::ZERO, DELAY_MAX), sink).map(|length| length.value);
        let off_delay = duration(table, "off_delay", (Duration::ZERO, DELAY_MAX), sink).map(|length| length.value);
        if off == limit.is_some() {
            let fault = table.place().error("mode-limit", text("写 limit 或 off = true 之一", "write either `limit` or `off = true`"));
            sink.push(fault);
            return None;
        }
        Some(RawModeLimit { alarm: alarm?, mode: mode?, limit, deadband, on_delay, off_delay, place: table.place() })
    });
    Some(RawModes { of, tag, modes: modes?, limits: limits.unwrap_or_default(), place: table.place() })
}

/// `位号 条件`: a tag and, after the last space, one of its conditions.
pub(crate) fn split_alarm(written: &str) -> Option<(&str, Condition)> {
    let (tag, condition) = written.trim().rsplit_once(char::is_whitespace)?;
    let condition = condition.trim();
    let by_key = CONDITIONS.iter().find(|(key, _)| *key == condition).map(|(_, condition)| *condition);
    Some((tag.trim(), by_key.or_else(|| parse_condition(condition))?))
}
