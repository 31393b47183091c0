//! Values that are written as text: lengths of time, times of day, weekdays, levels, kinds of channel.

use crate::fault::{Sink, Text, text};
use crate::source::At;
use crate::suggest;
use crate::table::Table;
use model::plant::ChannelKind;
use model::{Condition, Duration, Level, Signal};

/// Minutes of a day; also the time `24:00`.
pub(crate) const DAY_MINUTES: u16 = 1_440;

/// `30s`, `5min`, `2h`, `500ms`, `0s`, with 秒, 分钟 and 小时 understood as well.
pub(crate) fn parse_duration(written: &str) -> Option<Duration> {
    let written = written.trim();
    let split = written.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = written.split_at(split);
    let number: f64 = number.parse().ok()?;
    let micros = match unit.trim() {
        "ms" | "毫秒" => 1e3,
        "s" | "sec" | "秒" => 1e6,
        "min" | "m" | "分" | "分钟" => 60e6,
        "h" | "小时" | "时" => 3_600e6,
        "d" | "天" => 86_400e6,
        _ => return None,
    };
    let length = number * micros;
    (length.is_finite() && length < 1e15).then(|| Duration::from_micros(length.round() as i64))
}

/// A length as an engineer would write it.
pub(crate) fn show_duration(length: Duration) -> String {
    let micros = length.as_micros();
    match micros {
        0 => "0s".to_owned(),
        _ if micros >= 10 * 86_400_000_000 && micros % 86_400_000_000 == 0 => format!("{}d", micros / 86_400_000_000),
        _ if micros % 3_600_000_000 == 0 => format!("{}h", micros / 3_600_000_000),
        _ if micros % 60_000_000 == 0 => format!("{}min", micros / 60_000_000),
        _ if micros % 1_000_000 == 0 => format!("{}s", micros / 1_000_000),
        _ => format!("{}ms", micros / 1_000),
    }
}

/// `08:00`; `24:00` is the end of the day. Minutes after midnight.
pub(crate) fn parse_time_of_day(written: &str) -> Option<u16> {
    let (hours, minutes) = written.trim().split_once(':')?;
    let digits = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= DAY_MINUTES).then_some(total)
}

const WEEKDAYS: [[&str; 4]; 7] = [
    ["mon", "一", "周一", "1"],
    ["tue", "二", "周二", "2"],
    ["wed", "三", "周三", "3"],
    ["thu", "四", "周四", "4"],
    ["fri", "五", "周五", "5"],
    ["sat", "六", "周六", "6"],
    ["sun", "日", "周日", "7"],
];

/// `每天`, `daily`, `周一`, `mon`, or a stretch `周一-周五`, `mon-fri`.
pub(crate) fn parse_days(written: &str) -> Option<[bool; 7]> {
    let written = written.trim().to_lowercase();
    if matches!(written.as_str(), "每天" | "daily" | "all") {
        return Some([true; 7]);
    }
    let day = |name: &str| WEEKDAYS.iter().position(|names| names.contains(&name.trim()));
    let (from, to) = match written.split_once(['-', '至', '到']) {
        Some((from, to)) => (day(from)?, day(to)?),
        None => (day(&written)?, day(&written)?),
    };
    let mut days = [false; 7];
    let mut at = from;
    loop {
        days[at] = true;
        if at == to {
            return Some(days);
        }
        at = (at + 1) % 7;
    }
}

/// A weekday and minute for people.
pub(crate) fn show_minute_of_week(minute: usize) -> Text {
    let (day, minute) = (minute / usize::from(DAY_MINUTES) % 7, minute % usize::from(DAY_MINUTES));
    text(
        format!("{} {:02}:{:02}", WEEKDAYS[day][2], minute / 60, minute % 60),
        format!("{} {:02}:{:02}", WEEKDAYS[day][0], minute / 60, minute % 60),
    )
}

/// `red`, `红`, `红色`.
pub(crate) fn parse_level(written: &str) -> Option<Level> {
    Level::ALL.into_iter().find(|level| {
        let zh = level.name_zh();
        written == level.name() || written == zh || zh.strip_suffix('色') == Some(written)
    })
}

/// By the name in files or the name an operator reads.
pub(crate) fn parse_condition(written: &str) -> Option<Condition> {
    Condition::ALL.into_iter().find(|condition| written == condition.name() || written == condition.name_zh())
}

/// Signals a plant's list can hold.
pub(crate) const MEASURED: [Signal; 11] = [
    Signal::Temperature,
    Signal::Pressure,
    Signal::Level,
    Signal::Stock,
    Signal::Flow,
    Signal::Combustible,
    Signal::Toxic,
    Signal::Oxygen,
    Signal::StaticEarthing,
    Signal::Switch,
    Signal::Other,
];

/// The name in files.
pub(crate) const fn signal_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Combustible => "combustible",
        Signal::Toxic => "toxic",
        Signal::StaticEarthing => "static-earthing",
        other => other.name_en(),
    }
}

/// By the name in files, in English or in Chinese.
pub(crate) fn parse_signal(written: &str) -> Option<Signal> {
    let all = MEASURED.into_iter().chain([Signal::Gateway, Signal::System]);
    all.into_iter().find(|signal| written == signal_name(*signal) || written == signal.name_en() || written == signal.name_zh())
}

/// The names of channel kinds.
pub(crate) const KINDS: [(ChannelKind, &str); 5] = [
    (ChannelKind::Platform, "platform"),
    (ChannelKind::App, "app"),
    (ChannelKind::Sms, "sms"),
    (ChannelKind::Voice, "voice"),
    (ChannelKind::Webhook, "webhook"),
];

/// A text that must be one of some names; the fault lists them.
pub(crate) fn choose<T>(
    written: &At<'_, String>,
    parse: impl Fn(&str) -> Option<T>,
    names: impl IntoIterator<Item = &'static str> + Clone,
    sink: &mut Sink,
) -> Option<T> {
    let parsed = parse(written.value.trim());
    if parsed.is_none() {
        let value = &written.value;
        let fault = written.place.error("unknown-name", text(format!("不认识 `{value}`"), format!("`{value}` is not known here")));
        sink.push(fault.suggest_some(suggest::meant(value, names)));
    }
    parsed
}

/// Kinds of channel in an array.
pub(crate) fn kinds(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink) -> Option<Vec<ChannelKind>> {
    let written = table.strings(key, sink)?;
    Some(written.iter().filter_map(|name| kind(name, sink)).collect())
}

/// One kind of channel.
pub(crate) fn kind(written: &At<'_, String>, sink: &mut Sink) -> Option<ChannelKind> {
    let parse = |name: &str| KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
    choose(written, parse, KINDS.iter().map(|(_, name)| *name), sink)
}

/// A level under a key.
pub(crate) fn level(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink) -> Option<Level> {
    let written = table.string(key, sink)?;
    choose(&written, parse_level, Level::ALL.map(Level::name), sink)
}

/// A length of time within bounds.
pub(crate) fn duration<'a>(
    table: &mut Table<'_, 'a>,
    key: &'static str,
    bounds: (Duration, Duration),
    sink: &mut Sink,
) -> Option<At<'a, Duration>> {
    let written = table.string(key, sink)?;
    let Some(length) = parse_duration(&written.value) else {
        let fault = written.place.error("duration", text("这里要一段时间", "expected a length of time"));
        sink.push(fault.suggest("例如 \"30s\"、\"5min\"、\"2h\"", "such as \"30s\", \"5min\", \"2h\""));
        return None;
    };
    let (low, high) = bounds;
    if length < low || length > high {
        let (low, high) = (show_duration(low), show_duration(high));
        let fault = text(format!("`{key}` 必须在 {low} 到 {high} 之间"), format!("`{key}` must be between {low} and {high}"));
        sink.push(written.place.error("out-of-bounds", fault));
        return None;
    }
    Some(At { value: length, place: written.place })
}

/// A time of day.
pub(crate) fn time_of_day(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink) -> Option<u16> {
    let written = table.required_string(key, sink)?;
    let time = parse_time_of_day(&written.value);
    if time.is_none() {
        let fault = written.place.error("time-of-day", text("这里要一个钟点", "expected a time of day"));
        sink.push(fault.suggest("写成两位小时和两位分钟,例如 \"07:00\"", "two digits each, such as \"07:00\""));
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_written() {
        for (written, want) in [("30s", 30_000_000), ("1.5min", 90_000_000), ("250ms", 250_000), ("2 小时", 7_200_000_000), ("0s", 0)] {
            assert_eq!(parse_duration(written), Some(Duration::from_micros(want)), "{written}");
        }
        for written in ["", "30", "s", "-5s", "1e9s", "NaNs", "5 parsecs", "99999999999999h"] {
            assert_eq!(parse_duration(written), None, "{written}");
        }
    }

    #[test]
    fn weekdays_run_over_the_week_end() {
        assert_eq!(parse_days("fri-mon"), Some([true, false, false, false, true, true, true]));
        assert_eq!(parse_days("周一-周五"), Some([true, true, true, true, true, false, false]));
        assert_eq!(parse_days("someday"), None);
    }

    #[test]
    fn midnight_at_the_end_of_the_day_is_a_time() {
        assert_eq!(parse_time_of_day("24:00"), Some(1_440));
        for written in ["24:01", "7:00", "07:60", "0700", "aa:bb", "07:00:00"] {
            assert_eq!(parse_time_of_day(written), None, "{written}");
        }
    }
}
