//! `enterprises/<id>.csv`: one enterprise's setpoint list, row by row, into raw tags.
//!
//! What can be judged within a row is judged here and in [`crate::limits`]; whether gateways, zones and equipment exist is
//! for `build`, which sees all files.

use crate::cell::{self, Number};
use crate::fault::{Sink, text};
use crate::heads::{Column, Heads};
use crate::sheet::{Cell, records};
use crate::source::{At, Place, Source};
use crate::suggest;
use crate::units;
use crate::values::{MEASURED, parse_signal, signal_name};
use model::{Duration, Hazard, Signal, bounds};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The longest on-delay or off-delay: a limit that may stand an hour before anybody hears of it is not an alarm.
pub const DELAY_MAX: Duration = Duration::from_mins(60);
/// The slowest sampling.
pub const SAMPLE_MAX: Duration = Duration::from_mins(24 * 60);

/// Which of the four limits, in the order of their values.
pub(crate) const LIMIT_COLUMNS: [Column; 4] = [Column::LowLow, Column::Low, Column::High, Column::HighHigh];

/// One row, read.
pub(crate) struct Row<'a> {
    pub(crate) tag: At<'a, String>,
    pub(crate) name: String,
    pub(crate) area: String,
    pub(crate) equipment: At<'a, String>,
    pub(crate) is_area: bool,
    pub(crate) hazard: At<'a, Hazard>,
    pub(crate) medium: String,
    pub(crate) signal: Signal,
    pub(crate) unit: String,
    pub(crate) decimals: u8,
    pub(crate) range: Option<(f64, f64)>,
    /// Low-low, low, high, high-high.
    pub(crate) limits: [Option<At<'a, f64>>; 4],
    pub(crate) interlock: Option<At<'a, f64>>,
    pub(crate) deadband: Option<At<'a, f64>>,
    pub(crate) on_delay: Duration,
    pub(crate) low_low_delay: Duration,
    pub(crate) high_high_delay: Duration,
    pub(crate) off_delay: Duration,
    pub(crate) sample: Option<Duration>,
    pub(crate) gateway: At<'a, String>,
    pub(crate) zone: Option<At<'a, String>>,
    pub(crate) in_service: bool,
    pub(crate) basis: String,
    pub(crate) alarm_state: Option<u8>,
    pub(crate) labels: Option<[String; 2]>,
}

/// Levels of major hazards as lists write them.
pub(crate) fn parse_hazard(written: &str) -> Option<Hazard> {
    match written.trim() {
        "一级" | "first" => Some(Hazard::First),
        "二级" | "second" => Some(Hazard::Second),
        "三级" | "third" => Some(Hazard::Third),
        "四级" | "fourth" => Some(Hazard::Fourth),
        "none" | "非重大危险源" => Some(Hazard::None),
        none if cell::is_none(none) => Some(Hazard::None),
        _ => None,
    }
}

/// Reads a list; `today` is year, month, day.
pub(crate) fn read<'a>(source: &'a Source, today: Option<jiff::civil::Date>, sink: &mut Sink) -> Vec<Row<'a>> {
    let mut heads: Option<Option<Heads>> = None;
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut widths = FullWidth::default();
    records(source, |cells| {
        let heads = match &heads {
            Some(heads) => heads,
            None => {
                heads = Some(Heads::read(cells, sink));
                return;
            }
        };
        // Without the heads no row can be understood; that fault is told once, at the head.
        let Some(heads) = heads else { return };
        let Some(row) = RowReader { heads, cells, sink, widths: &mut widths, today }.read() else { return };
        let line = row.tag.place.line();
        if let Some(first) = seen.insert(row.tag.value.clone(), line) {
            let fault = text(
                format!("位号 `{}` 在第 {first} 行已经有了", row.tag.value),
                format!("tag `{}` already stands in line {first}", row.tag.value),
            );
            sink.push(row.tag.place.error("duplicate-tag", fault));
            return;
        }
        rows.push(row);
    });
    if heads.is_none() {
        sink.push(source.top().error("empty-list", text("设定值表是空的", "the setpoint list is empty")));
    }
    if let Some((first, count)) = widths.first {
        let fault = text(
            format!("从这里起有全角字符,已按半角读取(共 {count} 个单元格)"),
            format!("full-width characters from here on, read as plain ones (cells: {count})"),
        );
        sink.push(first.note("full-width", fault));
    }
    rows
}

/// Full-width cells that were read as plain ones: the first, and how many.
#[derive(Default)]
struct FullWidth<'a> {
    first: Option<(Place<'a>, usize)>,
}

impl<'a> FullWidth<'a> {
    fn note(&mut self, place: Place<'a>) {
        self.first.get_or_insert((place, 0)).1 += 1;
    }
}

struct RowReader<'r, 'a> {
    heads: &'r Heads,
    cells: &'r [Cell<'a>],
    sink: &'r mut Sink,
    widths: &'r mut FullWidth<'a>,
    today: Option<jiff::civil::Date>,
}

impl<'a> RowReader<'_, 'a> {
    fn read(&mut self) -> Option<Row<'a>> {
        let tag = self.tag();
        let equipment = self.required(Column::Equipment);
        let gateway = self.required(Column::Gateway);
        let signal = self.signal();
        let hazard = self.hazard();
        self.codes();
        self.calibration();
        let signal = signal?;
        let unit = self.unit(signal);
        if signal == Signal::Pressure {
            self.pressure_base();
        }
        let (low, high) = (self.number(Column::RangeLow), self.number(Column::RangeHigh));
        let limits = LIMIT_COLUMNS.map(|column| self.number(column));
        let interlock = self.number(Column::Interlock);
        let deadband = self.number(Column::Deadband);
        let decimals = limits.iter().chain([&interlock, &low]).flatten().map(|limit| limit.value.decimals).max().unwrap_or(0);
        let range = self.range(low, high);
        let plain = |limit: Option<At<'a, Number>>| limit.map(|at| At { value: at.value.value, place: at.place });
        let on_delay = self.seconds(Column::OnDelay, DELAY_MAX);
        let low_low_delay = self.seconds(Column::LowLowDelay, DELAY_MAX);
        let high_high_delay = self.seconds(Column::HighHighDelay, DELAY_MAX);
        let off_delay = self.seconds(Column::OffDelay, DELAY_MAX);
        let sample = self.seconds(Column::Sample, SAMPLE_MAX).filter(|sample| *sample > Duration::ZERO);
        let in_service = self.in_service();
        let alarm_state = self.alarm_state(signal);
        let labels = self.labels(signal);
        let zone = self.text(Column::Zone).filter(|zone| !cell::is_none(&zone.value));
        let is_area = matches!(self.plain(Column::EquipmentKind).as_ref(), "区域" | "area");
        Some(Row {
            tag: tag?,
            name: self.plain(Column::Name).into_owned(),
            area: self.plain(Column::Area).into_owned(),
            equipment: equipment?,
            is_area,
            hazard: hazard?,
            medium: self.plain(Column::Medium).into_owned(),
            signal,
            unit: unit?,
            // One digit more than the limits have: an operator sees the value approach.
            decimals: (decimals + 1).min(3),
            range: range?,
            limits: limits.map(plain),
            interlock: plain(interlock),
            deadband: plain(deadband),
            on_delay: on_delay.unwrap_or_default(),
            low_low_delay: low_low_delay.unwrap_or_default(),
            high_high_delay: high_high_delay.unwrap_or_default(),
            off_delay: off_delay.unwrap_or_default(),
            sample,
            gateway: gateway?,
            zone,
            in_service: in_service?,
            basis: self.plain(Column::Basis).into_owned(),
            alarm_state: alarm_state?,
            labels: labels?,
        })
    }

    fn cell(&self, column: Column) -> Option<&Cell<'a>> {
        self.heads.cell(self.cells, column)
    }
    /// The text of a cell that is for people; none is empty.
    fn plain(&self, column: Column) -> Cow<'_, str> {
        let written = self.cell(column).map_or("", |cell| cell.text.trim());
        if cell::is_none(written) { Cow::Borrowed("") } else { Cow::Borrowed(written) }
    }
    /// The text of a cell that is a name or a word, in plain width; none where it is empty.
    fn text(&mut self, column: Column) -> Option<At<'a, String>> {
        let cell = self.cell(column)?;
        let (written, place) = (cell.text.trim(), cell.place);
        let plain = match column {
            Column::Tag | Column::Equipment => cell::half_width_tag(written),
            _ => cell::half_width(written),
        };
        let value = plain.to_string();
        if value != written {
            self.widths.note(place);
        }
        (!value.is_empty()).then_some(At { value, place })
    }
    fn required(&mut self, column: Column) -> Option<At<'a, String>> {
        let found = self.text(column).filter(|found| !cell::is_none(&found.value));
        if found.is_none() {
            let place = self.place(column);
            let fault = text(format!("`{}` 不能为空", column.name()), format!("`{}` must not be empty", column.name_en()));
            self.sink.push(place.error("empty", fault));
        }
        found
    }
    /// Where a column's cell is, or where the row begins.
    fn place(&self, column: Column) -> Place<'a> {
        self.cell(column).map_or(self.cells[0].place, |cell| cell.place)
    }

    fn tag(&mut self) -> Option<At<'a, String>> {
        let tag = self.required(Column::Tag)?;
        check_name(&tag, self.sink).then_some(tag)
    }

    fn signal(&mut self) -> Option<Signal> {
        let written = self.required(Column::Signal)?;
        let parsed = parse_signal(&written.value).filter(|signal| MEASURED.contains(signal));
        if parsed.is_none() {
            let fault = text(format!("不认识的信号类型 `{}`", written.value), format!("unknown signal `{}`", written.value));
            let fault = written.place.error("signal", fault);
            let zh = MEASURED.map(Signal::name_zh);
            let en = MEASURED.map(signal_name);
            let near = suggest::did_you_mean(&written.value, zh.into_iter().chain(en));
            self.sink
                .push(fault.suggest_some(near.or(Some(text(format!("可以写:{}", zh.join("、")), format!("one of: {}", en.join(", ")))))));
        }
        parsed
    }

    fn hazard(&mut self) -> Option<At<'a, Hazard>> {
        let place = self.place(Column::Hazard);
        let Some(written) = self.text(Column::Hazard) else { return Some(At { value: Hazard::None, place }) };
        if let Some(value) = parse_hazard(&written.value) {
            return Some(At { value, place });
        }
        let fault = text(format!("不认识的重大危险源等级 `{}`", written.value), format!("`{}` is no level of major hazard", written.value));
        // A bare number is not read: hazards count 一级 as the highest, gas alarms count 二级 as the higher.
        self.sink
            .push(place.error("hazard", fault).suggest("写 一级、二级、三级、四级 或 无", "write 一级, 二级, 三级, 四级 or 无 (none)"));
        None
    }

    fn codes(&mut self) {
        for (column, fixed) in [(Column::HazardCode, true), (Column::IndexCode, false)] {
            if let Some(fault) = self.cell(column).and_then(|cell| cell::code_fault(cell, fixed)) {
                self.sink.push(fault);
            }
        }
        if let Some(cas) = self.text(Column::Cas).filter(|cas| !cell::is_none(&cas.value))
            && !cell::cas_is_right(&cas.value)
        {
            let fault = text(
                "CAS 号的校验位不对,可能被表格软件改成了日期",
                "the CAS number's check digit is wrong; a spreadsheet may have made a date of it",
            );
            self.sink.push(cas.place.warning("cas", fault));
        }
    }

    fn calibration(&mut self) {
        let Some(written) = self.text(Column::CalibrationDue).filter(|due| !cell::is_none(&due.value)) else { return };
        match (cell::date(&written.value), self.today) {
            (None, _) => {
                let fault = written.place.error("date", text("不是日期", "not a date"));
                self.sink.push(fault.suggest_some(Some(cell::date_suggestion())));
            }
            (Some(due), Some(today)) if due < today => {
                let fault = text(format!("校验有效期 {due} 已过"), format!("calibration was due on {due}"));
                self.sink.push(written.place.warning("calibration-passed", fault));
            }
            _ => {}
        }
    }

    fn unit(&mut self, signal: Signal) -> Option<String> {
        let place = self.place(Column::Unit);
        let written = self.text(Column::Unit).filter(|unit| !cell::is_none(&unit.value)).map_or_else(String::new, |unit| unit.value);
        match units::parse(signal, &written) {
            Ok(unit) => Some(unit),
            Err(suggestion) => {
                let (zh, en) = (signal.name_zh(), signal.name_en());
                let fault = if written.is_empty() {
                    text(format!("{zh}要写单位"), format!("{en} needs a unit"))
                } else {
                    text(format!("{zh}不能用单位 `{written}`"), format!("{en} cannot have the unit `{written}`"))
                };
                self.sink.push(place.error("unit", fault).suggest_some(suggestion));
                None
            }
        }
    }

    fn pressure_base(&mut self) {
        let place = self.place(Column::PressureBase);
        let written = self.text(Column::PressureBase).map(|base| base.value).unwrap_or_default();
        if !matches!(written.as_str(), "表压" | "绝压" | "差压" | "gauge" | "absolute" | "differential") {
            let fault = text("压力要写明是表压、绝压还是差压", "a pressure needs to say gauge, absolute or differential");
            let fault = place.error("pressure-base", fault);
            self.sink.push(
                fault.suggest(
                    "在“压力基准”列写 表压、绝压 或 差压",
                    "write 表压 (gauge), 绝压 (absolute) or 差压 (differential) in 压力基准",
                ),
            );
        }
    }

    fn number(&mut self, column: Column) -> Option<At<'a, Number>> {
        let cell = self.cell(column)?;
        let place = cell.place;
        if matches!(cell::half_width(&cell.text), Cow::Owned(_)) && !cell::is_none(cell.text.trim()) {
            self.widths.note(place);
        }
        match self.cell(column).map(cell::number)? {
            Ok(number) => number.map(|value| At { value, place }),
            Err(fault) => {
                self.sink.push(*fault);
                None
            }
        }
    }

    fn seconds(&mut self, column: Column, max: Duration) -> Option<Duration> {
        let number = self.number(column)?;
        let seconds = number.value.value;
        if seconds < 0.0 || seconds > max.as_secs_f64() {
            let fault = text(
                format!("`{}` 必须在 0 到 {} 秒之间", column.name(), max.as_secs()),
                format!("`{}` must be between 0 and {} seconds", column.name_en(), max.as_secs()),
            );
            self.sink.push(number.place.error("out-of-bounds", fault));
            return None;
        }
        Some(Duration::from_micros((seconds * 1e6).round() as i64))
    }

    /// The outer option is none where there is a fault.
    fn range(&mut self, low: Option<At<'a, Number>>, high: Option<At<'a, Number>>) -> Option<Option<(f64, f64)>> {
        match (low, high) {
            (None, None) => Some(None),
            (Some(low), Some(high)) if low.value.value < high.value.value => Some(Some((low.value.value, high.value.value))),
            (Some(_), Some(high)) => {
                let fault = text("量程高限不大于量程低限", "the upper end of the range is not above the lower end");
                self.sink.push(high.place.error("range", fault));
                None
            }
            (one, other) => {
                let fault = text("量程低限和量程高限要一起写", "the two ends of the range go together");
                let place = one.or(other).map_or(self.cells[0].place, |end| end.place);
                self.sink.push(place.error("range", fault));
                None
            }
        }
    }

    fn in_service(&mut self) -> Option<bool> {
        let Some(written) = self.text(Column::Service).filter(|state| !cell::is_none(&state.value)) else { return Some(true) };
        match written.value.as_str() {
            "投用" | "in-service" => Some(true),
            "停用" | "out-of-service" => Some(false),
            _ => {
                let fault = text(format!("不认识的投用状态 `{}`", written.value), format!("unknown service state `{}`", written.value));
                let fault = written.place.error("service", fault);
                self.sink.push(fault.suggest("写 投用 或 停用", "write 投用 (in service) or 停用 (out of service)"));
                None
            }
        }
    }

    fn alarm_state(&mut self, signal: Signal) -> Option<Option<u8>> {
        let discrete = matches!(signal, Signal::StaticEarthing | Signal::Switch);
        let written = self.text(Column::AlarmState).filter(|state| !cell::is_none(&state.value));
        let place = self.place(Column::AlarmState);
        match written.as_ref().map(|state| state.value.as_str()) {
            None if signal == Signal::StaticEarthing => {
                let fault = text("静电接地要写报警状态", "static earthing needs its alarm state");
                self.sink.push(
                    place
                        .error("alarm-state", fault)
                        .suggest("在“报警状态”列写 0 或 1(哪个值表示脱开)", "write 0 or 1 in 报警状态: the value that means disconnected"),
                );
                None
            }
            None => Some(None),
            Some(_) if !discrete => {
                let fault = text("报警状态只用于静电接地和开关量", "an alarm state is for discrete signals only");
                self.sink.push(place.error("alarm-state", fault));
                None
            }
            Some("0") => Some(Some(0)),
            Some("1") => Some(Some(1)),
            Some(_) => {
                let fault = text("报警状态只能是 0 或 1", "an alarm state is 0 or 1");
                self.sink.push(place.error("alarm-state", fault));
                None
            }
        }
    }

    fn labels(&mut self, signal: Signal) -> Option<Option<[String; 2]>> {
        let Some(written) = self.text(Column::StateLabels).filter(|labels| !cell::is_none(&labels.value)) else { return Some(None) };
        let parts: Vec<_> = written.value.split('|').map(str::trim).collect();
        let discrete = matches!(signal, Signal::StaticEarthing | Signal::Switch);
        match parts[..] {
            [zero, one] if discrete && !zero.is_empty() && !one.is_empty() => Some(Some([zero.to_owned(), one.to_owned()])),
            _ => {
                let fault = text("状态标签是 0 和 1 的叫法,只用于开关量", "state labels name 0 and 1 of a discrete signal");
                self.sink.push(written.place.error("state-labels", fault).suggest("例如 脱开|接好", "such as off|on"));
                None
            }
        }
    }
}

/// Names that stand in topics and keys: bounded, no controls, not one of ours.
pub(crate) fn check_name(name: &At<'_, String>, sink: &mut Sink) -> bool {
    let value = &name.value;
    if value.len() > bounds::TAG_BYTES_MAX {
        let max = bounds::TAG_BYTES_MAX;
        sink.push(name.place.error("name-too-long", text(format!("名字超过 {max} 个字节"), format!("the name has more than {max} bytes"))));
        return false;
    }
    if value.contains(char::is_control) {
        sink.push(
            name.place.error("control-character", text("名字里有控制字符或换行", "the name holds a control character or a line end")),
        );
        return false;
    }
    if value.starts_with('_') {
        let fault = name.place.error("reserved", text("以 _ 开头的名字留给程序自己", "names that begin with _ are reserved"));
        sink.push(fault.suggest_some(Some(text("换一个名字", "choose another name"))));
        return false;
    }
    true
}
