//! `classes.toml`: what the instruments of one kind have in common, so that a row of a list needs only what differs.
//!
//! A class is chosen by name in the column 类别, never guessed from a signal or a medium. It has one entry per signal, and
//! may have one per medium before it. A limit is a number in the class's unit, or a share of the row's own range (`"80 %"`).
//! What a row leaves empty comes from the class; what it says, be it "none", stands. An inherited value keeps the place of
//! the row's 类别 cell for faults, because that is where an engineer changes it; where it was written is told by `explain`.

use crate::fault::{Sink, text};
use crate::heads::Column;
use crate::limits;
use crate::setpoints::{DELAY_MAX, Deadband, LIMIT_COLUMNS, RESPOND_WITHIN_MAX, RawRationale, Row, tidy};
use crate::source::{At, Place, Source};
use crate::suggest;
use crate::table::{Table, with_document};
use crate::units;
use crate::values::{self, MEASURED, choose, duration, parse_signal, signal_name};
use model::{Condition, Duration, Level, Signal, bounds};

/// The classes shipped; `config/classes.toml` is the same file.
pub const EXAMPLE_CLASSES: &str = include_str!("../example/classes.toml");

/// Everything in a `classes.toml`.
#[derive(Default)]
pub(crate) struct Classes<'a>(Vec<Class<'a>>);

/// One entry: a class, for one signal and perhaps one medium.
pub(crate) struct Class<'a> {
    names: Vec<String>,
    signals: Vec<Signal>,
    /// Empty fits every medium.
    media: Vec<String>,
    unit: Option<String>,
    /// Low-low, low, high, high-high.
    limits: [Option<At<'a, Amount>>; 4],
    deadband: Option<At<'a, Share>>,
    on_delay: Option<At<'a, Duration>>,
    low_low_delay: Option<At<'a, Duration>>,
    high_high_delay: Option<At<'a, Duration>>,
    off_delay: Option<At<'a, Duration>>,
    levels: Vec<(Condition, At<'a, Level>)>,
    rationale: RawRationale,
    limit_rationale: [RawRationale; 4],
    pub(crate) place: Place<'a>,
}

/// A limit of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    Value(f64),
    /// In percent of the range, from its low end.
    OfRange(f64),
}

/// A deadband of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Share {
    Value(f64),
    OfRange(f64),
    OfLimit(f64),
}

/// The percent of `"80 %"`.
fn percent(written: &str) -> Option<f64> {
    let number = written.trim().strip_suffix('%')?.trim_end();
    number.parse().ok().filter(|percent: &f64| (0.0..=100.0).contains(percent))
}

/// Reads the file.
pub(crate) fn read<'a>(source: &'a Source, sink: &mut Sink) -> Classes<'a> {
    with_document(source, sink, |file, sink| {
        let classes = file.tables("class", sink, read_class).unwrap_or_default();
        for (at, class) in classes.iter().enumerate() {
            if let Some(name) = classes[..at].iter().find_map(|earlier| class.repeats(earlier)) {
                let fault = text(
                    format!("类别 `{name}` 的同一信号、同一介质写了两次"),
                    format!("class `{name}` has the same signal and medium twice"),
                );
                sink.push(class.place.error("duplicate-class", fault));
            }
        }
        Classes(classes)
    })
}

fn read_class<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<Class<'a>> {
    table.renamed(&[("hysteresis", "deadband"), ("delay", "on_delay"), ("levels", "level"), ("time_to_respond", "respond_within")]);
    let names = table.strings("name", sink);
    let names = table.required("name", names, sink);
    let signals = table.strings("signal", sink);
    let signals = table.required("signal", signals, sink);
    let known = MEASURED.map(signal_name);
    let parse = |name: &str| parse_signal(name).filter(|signal| MEASURED.contains(signal));
    let signals: Option<Vec<_>> = signals.map(|list| list.iter().filter_map(|name| choose(name, parse, known, sink)).collect());
    let media = table.strings("medium", sink).unwrap_or_default();
    let unit = table.string("unit", sink);
    let first = signals.as_ref().and_then(|signals| signals.first().copied());
    let unit = unit.and_then(|unit| match units::parse(first?, &unit.value) {
        Ok(known) => Some(known),
        Err(suggestion) => {
            let fault = text(format!("这个信号不能用单位 `{}`", unit.value), format!("this signal cannot have the unit `{}`", unit.value));
            sink.push(unit.place.error("unit", fault).suggest_some(suggestion));
            None
        }
    });
    let limits = ["low_low", "low", "high", "high_high"].map(|key| amount(table, key, sink));
    let deadband = deadband(table, sink);
    let absolute = limits.iter().flatten().find(|limit| matches!(limit.value, Amount::Value(_))).map(|limit| limit.place);
    let absolute =
        absolute.or(deadband.as_ref().filter(|deadband| matches!(deadband.value, Share::Value(_))).map(|deadband| deadband.place));
    if let Some(place) = absolute.filter(|_| unit.is_none() && !table.has("unit")) {
        let fault = text("这个数没有单位", "this number has no unit");
        sink.push(place.error("class-without-unit", fault).suggest(
            "在这一类里写 unit,或写成量程的百分比,如 \"80 %\"",
            "write `unit` in this class, or a share of the range such as \"80 %\"",
        ));
    }
    let delay = |table: &mut Table<'_, 'a>, key, sink: &mut Sink| duration(table, key, (Duration::ZERO, DELAY_MAX), sink);
    let on_delay = delay(table, "on_delay", sink);
    let low_low_delay = delay(table, "low_low_delay", sink);
    let high_high_delay = delay(table, "high_high_delay", sink);
    let off_delay = delay(table, "off_delay", sink);
    let levels = table.table("level", sink, read_levels).unwrap_or_default();
    let rationale = read_rationale(table, sink);
    let limit_rationale =
        ["for_low_low", "for_low", "for_high", "for_high_high"].map(|key| table.table(key, sink, read_rationale).unwrap_or_default());
    Some(Class {
        names: names?.into_iter().map(|name| name.value).collect(),
        signals: signals?,
        media: media.into_iter().map(|medium| medium.value).collect(),
        unit,
        limits,
        deadband,
        on_delay,
        low_low_delay,
        high_high_delay,
        off_delay,
        levels,
        rationale,
        limit_rationale,
        place: table.place(),
    })
}

/// A number, or a share of the range as text.
fn amount<'a>(table: &mut Table<'_, 'a>, key: &'static str, sink: &mut Sink) -> Option<At<'a, Amount>> {
    if !table.is_text(key) {
        let number = table.number(key, (-1e9, 1e9), sink)?;
        return Some(At { value: Amount::Value(number.value), place: number.place });
    }
    let written = table.string(key, sink)?;
    let value = percent(&written.value).map(Amount::OfRange);
    if value.is_none() {
        let fault = text("这里要一个数,或量程的百分比", "expected a number, or a share of the range");
        sink.push(written.place.error("class-amount", fault).suggest("例如 90 或 \"80 %\"", "such as 90 or \"80 %\""));
    }
    Some(At { value: value?, place: written.place })
}

fn deadband<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<At<'a, Share>> {
    let of_limit = table.string("deadband_of_limit", sink).and_then(|written| {
        let value = percent(&written.value).map(Share::OfLimit);
        if value.is_none() {
            let fault = text("这里要限值的百分比", "expected a share of the limit");
            sink.push(written.place.error("class-amount", fault).suggest("例如 \"10 %\"", "such as \"10 %\""));
        }
        Some(At { value: value?, place: written.place })
    });
    let of_range = amount(table, "deadband", sink).map(|amount| {
        let value = match amount.value {
            Amount::Value(value) => Share::Value(value),
            Amount::OfRange(percent) => Share::OfRange(percent),
        };
        At { value, place: amount.place }
    });
    if let (Some(_), Some(second)) = (&of_range, &of_limit) {
        let fault = text("回差只写一个", "one deadband, not two");
        sink.push(second.place.error("class-amount", fault).suggest("deadband 或 deadband_of_limit", "deadband or deadband_of_limit"));
    }
    of_range.or(of_limit)
}

fn read_levels<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Vec<(Condition, At<'a, Level>)> {
    let kinds = [
        ("low_low", Condition::LowLow),
        ("low", Condition::Low),
        ("high", Condition::High),
        ("high_high", Condition::HighHigh),
        ("discrete", Condition::Discrete),
    ];
    let mut levels = Vec::new();
    for (key, condition) in kinds {
        let Some(written) = table.string(key, sink) else { continue };
        let place = written.place;
        levels
            .extend(choose(&written, values::parse_level, Level::ALL.map(Level::name), sink).map(|value| (condition, At { value, place })));
    }
    levels
}

/// What a table says of why a limit is there and what to do.
pub(crate) fn read_rationale(table: &mut Table<'_, '_>, sink: &mut Sink) -> RawRationale {
    let texts = ["cause", "consequence", "response"].map(|key| {
        let written = table.string(key, sink)?;
        if written.value.chars().count() > bounds::RATIONALE_CHARS_MAX {
            let max = bounds::RATIONALE_CHARS_MAX;
            sink.push(written.place.error("text-too-long", text(format!("超过 {max} 个字"), format!("more than {max} characters"))));
        }
        Some(written.value)
    });
    let within = duration(table, "respond_within", (Duration::from_secs(1), RESPOND_WITHIN_MAX), sink);
    RawRationale { texts, respond_within: within.map(|within| within.value) }
}

impl<'a> Classes<'a> {
    /// The entry for a row, whose fault is told where there is none.
    pub(crate) fn of(&self, row: &Row<'_>, sink: &mut Sink) -> Option<&Class<'a>> {
        let wanted = row.class.as_ref()?;
        let named: Vec<_> = self.0.iter().filter(|class| class.names.contains(&wanted.value)).collect();
        if named.is_empty() {
            let fault =
                text(format!("classes.toml 里没有类别 `{}`", wanted.value), format!("classes.toml has no class `{}`", wanted.value));
            let known = self.0.iter().flat_map(|class| class.names.iter().map(String::as_str));
            let none = self
                .0
                .is_empty()
                .then(|| text("配置目录里没有 classes.toml,可从示例拷一份", "the folder has no classes.toml; the example can be copied"));
            sink.push(wanted.place.error("unknown-class", fault).suggest_some(none.or_else(|| suggest::meant(&wanted.value, known))));
            return None;
        }
        let fits: Vec<_> = named.iter().filter(|class| class.signals.contains(&row.signal)).collect();
        let special = fits.iter().find(|class| class.media.contains(&row.medium));
        let found = special.or_else(|| fits.iter().find(|class| class.media.is_empty()));
        if found.is_none() {
            let signals: Vec<_> = named.iter().flat_map(|class| class.signals.iter()).collect();
            let zh: Vec<_> = signals.iter().map(|signal| signal.name_zh()).collect();
            let en: Vec<_> = signals.iter().map(|signal| signal_name(**signal)).collect();
            let fault = text(
                format!("类别 `{}` 没有写{}(介质 `{}`)", wanted.value, row.signal.name_zh(), row.medium),
                format!("class `{}` has no entry for {} of `{}`", wanted.value, signal_name(row.signal), row.medium),
            );
            sink.push(wanted.place.error("class-signal", fault).suggest(
                format!("它有:{};在 classes.toml 里补一条,或换一个类别", zh.join("、")),
                format!("it has: {}; add an entry to classes.toml or choose another class", en.join(", ")),
            ));
        }
        found.map(|class| **class)
    }
}

impl<'a> Class<'a> {
    /// The name that two entries share, if they are for the same thing.
    fn repeats(&self, other: &Self) -> Option<&str> {
        let signal = self.signals.iter().any(|signal| other.signals.contains(signal));
        let medium = self.media.iter().any(|medium| other.media.contains(medium)) || (self.media.is_empty() && other.media.is_empty());
        self.names.iter().find(|name| signal && medium && other.names.contains(name)).map(String::as_str)
    }

    /// The level it gives a condition, where it does.
    pub(crate) fn level(&self, condition: Condition) -> Option<&At<'a, Level>> {
        self.levels.iter().find(|(other, _)| *other == condition).map(|(_, level)| level)
    }

    /// The rationalisation of the limits as a whole and of one of them.
    pub(crate) fn rationale(&self, limit: Option<usize>) -> (&RawRationale, Option<&RawRationale>) {
        (&self.rationale, limit.map(|at| &self.limit_rationale[at]))
    }

    /// Where what a row left empty was written.
    pub(crate) fn origin(&self, column: Column) -> Option<Place<'a>> {
        let limit = LIMIT_COLUMNS.iter().position(|limit| *limit == column);
        match column {
            _ if limit.is_some() => limit.and_then(|at| self.limits[at].as_ref()).map(|limit| limit.place),
            Column::Deadband => self.deadband.as_ref().map(|deadband| deadband.place),
            Column::OnDelay => self.on_delay.as_ref().map(|delay| delay.place),
            Column::LowLowDelay => self.low_low_delay.as_ref().map(|delay| delay.place),
            Column::HighHighDelay => self.high_high_delay.as_ref().map(|delay| delay.place),
            Column::OffDelay => self.off_delay.as_ref().map(|delay| delay.place),
            _ => None,
        }
    }

    /// Gives a row what it left empty.
    pub(crate) fn fill<'r>(&self, row: &mut Row<'r>, sink: &mut Sink) {
        let Some(place) = row.class.as_ref().map(|class| class.place) else { return };
        if let Some(unit) = self.unit.as_ref().filter(|unit| **unit != row.unit) {
            let fault = text(
                format!("类别的限值单位是 {unit},这一行是 {}", row.unit),
                format!("the limits of the class are in {unit}, this row is in {}", row.unit),
            );
            sink.push(
                place
                    .error("class-unit", fault)
                    .suggest("换算单位,或在 classes.toml 里另写一类", "convert the list, or write a class of its own in classes.toml"),
            );
            return;
        }
        let left = row.left;
        for (at, _) in LIMIT_COLUMNS.into_iter().enumerate().filter(|(_, column)| left.has(*column)) {
            let Some(amount) = &self.limits[at] else { continue };
            let value = match amount.value {
                Amount::Value(value) => Some(value),
                Amount::OfRange(percent) => row.range.map(|(low, high)| tidy(low + (high - low) * percent / 100.0)),
            };
            if value.is_none() {
                no_range(place, limits::name(at), sink);
            }
            row.limits[at] = value.map(|value| At { value, place });
        }
        if let Some(deadband) = self.deadband.as_ref().filter(|_| row.left.has(Column::Deadband)) {
            let value = match deadband.value {
                Share::Value(value) => Some(Deadband::Value(value)),
                Share::OfLimit(percent) => Some(Deadband::OfLimit(percent)),
                Share::OfRange(percent) => row.range.map(|(low, high)| Deadband::Value(tidy((high - low) * percent / 100.0))),
            };
            if value.is_none() {
                no_range(place, (Column::Deadband.name(), Column::Deadband.name_en()), sink);
            }
            row.deadband = value.map(|value| At { value, place });
        }
        let give = |column: Column, mine: &mut Duration, given: &Option<At<'a, Duration>>| {
            if let Some(given) = given.as_ref().filter(|_| left.has(column)) {
                *mine = given.value;
            }
        };
        give(Column::OnDelay, &mut row.on_delay, &self.on_delay);
        give(Column::LowLowDelay, &mut row.low_low_delay, &self.low_low_delay);
        give(Column::HighHighDelay, &mut row.high_high_delay, &self.high_high_delay);
        give(Column::OffDelay, &mut row.off_delay, &self.off_delay);
    }
}

fn no_range(place: Place<'_>, (zh, en): (&str, &str), sink: &mut Sink) {
    let fault = text(
        format!("类别的{zh}是量程的百分比,这一行没有量程"),
        format!("{en} of the class is a share of the range, and this row has no range"),
    );
    sink.push(place.error("class-without-range", fault).suggest("写上量程低限和量程高限", "write the ends of the range"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_with_its_sign() {
        for (written, want) in
            [("80 %", Some(80.0)), ("2.5%", Some(2.5)), ("0 %", Some(0.0)), ("80", None), ("120 %", None), ("NaN %", None)]
        {
            assert_eq!(percent(written), want, "{written}");
        }
    }
}
