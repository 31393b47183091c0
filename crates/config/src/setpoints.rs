//! `enterprises/<id>.csv` or `.xlsx`: one enterprise's setpoint list, row by row, into raw tags.
//!
//! What can be judged within a row is judged here and in [`crate::limits`]; whether classes, gateways, zones and equipment
//! exist is for `build`, which sees all files. An empty cell and one that says "none" are not the same: what is left empty
//! comes from the row's class, where it has one.

use crate::cell::{self, Number};
use crate::fault::{Sink, text};
use crate::heads::{Column, Heads, LIMIT_RATIONALE, RATIONALE};
use crate::quotes;
use crate::sheet::{Cell, Kind, Records};
use crate::source::{AS_CSV, At, Place, Source};
use crate::suggest;
use crate::units;
use crate::values::{MEASURED, parse_signal, signal_name};
use crate::workbook::HEAD_ROWS_MAX;
use model::{Duration, Hazard, Signal, bounds};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The longest on-delay or off-delay: a limit that may stand an hour before anybody hears of it is not an alarm.
pub const DELAY_MAX: Duration = Duration::from_mins(60);
/// The slowest sampling.
pub const SAMPLE_MAX: Duration = Duration::from_mins(24 * 60);

/// Which of the four limits, in the order of their values.
pub(crate) const LIMIT_COLUMNS: [Column; 4] = [Column::LowLow, Column::Low, Column::High, Column::HighHigh];

/// A deadband as written: in the tag's unit, or as a share of each limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Deadband {
    Value(f64),
    /// In percent.
    OfLimit(f64),
}

impl Deadband {
    /// The deadband of one limit, in the tag's unit.
    pub(crate) fn of(self, setpoint: f64) -> f64 {
        match self {
            Self::Value(value) => value,
            Self::OfLimit(percent) => tidy(setpoint.abs() * percent / 100.0),
        }
    }
}

/// The result of arithmetic on decimal numbers without the binary dust.
pub(crate) fn tidy(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
}

/// Which columns of a row were left empty: neither a value nor "none".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left(u128);

impl Left {
    pub(crate) fn has(self, column: Column) -> bool {
        self.0 >> (column as usize) & 1 == 1
    }
    fn add(&mut self, column: Column) {
        self.0 |= 1 << (column as usize);
    }
}

/// The longest time to respond: what may wait longer is no alarm.
pub const RESPOND_WITHIN_MAX: Duration = Duration::from_mins(24 * 60);

/// Parts of a rationalisation as written; what is none may come from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RawRationale {
    /// Cause, consequence, response; an empty one says that there is none.
    pub(crate) texts: [Option<String>; 3],
    pub(crate) respond_within: Option<Duration>,
}

impl RawRationale {
    /// Takes from `other` what is missing here.
    pub(crate) fn or(self, other: &Self) -> Self {
        let mut texts = self.texts;
        for (mine, theirs) in texts.iter_mut().zip(&other.texts) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        Self { texts, respond_within: self.respond_within.or(other.respond_within) }
    }
}

/// One row, read.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) tag: At<'a, String>,
    pub(crate) name: String,
    pub(crate) area: String,
    pub(crate) equipment: At<'a, String>,
    pub(crate) is_area: bool,
    pub(crate) hazard: At<'a, Hazard>,
    pub(crate) medium: String,
    pub(crate) cas: String,
    pub(crate) class: Option<At<'a, String>>,
    pub(crate) left: Left,
    pub(crate) signal: Signal,
    pub(crate) unit: String,
    pub(crate) decimals: u8,
    pub(crate) range: Option<(f64, f64)>,
    /// Low-low, low, high, high-high.
    pub(crate) limits: [Option<At<'a, f64>>; 4],
    pub(crate) interlock: Option<At<'a, f64>>,
    pub(crate) deadband: Option<At<'a, Deadband>>,
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
    /// Of the tag as a whole.
    pub(crate) rationale: RawRationale,
    /// Of each limit, in the order of [`LIMIT_COLUMNS`]; none where no column of the list is about one.
    pub(crate) limit_rationale: Option<Box<[RawRationale; 4]>>,
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
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut notes = Notes::default();
    let (heads, mut records) = heads(source, sink);
    // Without the heads no row can be understood; that fault is told once, at the head.
    let Some(heads) = heads else { return rows };
    while let Some(cells) = records.next() {
        if let Some(fault) = quotes::fault(cells, Some(&heads)) {
            sink.push(fault);
            continue;
        }
        let Some(row) = RowReader { heads: &heads, cells, sink, notes: &mut notes, left: Left::default(), today }.read() else { continue };
        let line = row.tag.place.line();
        if let Some(first) = seen.insert(row.tag.value.clone(), line) {
            let fault = text(
                format!("位号 `{}` 在第 {first} 行已经有了", row.tag.value),
                format!("tag `{}` already stands in line {first}", row.tag.value),
            );
            sink.push(row.tag.place.error("duplicate-tag", fault));
            continue;
        }
        rows.push(row);
    }
    notes.tell(sink);
    rows
}

/// The cells of one row once more, for whoever asks where each of its values stands.
pub(crate) struct RowCells<'a> {
    heads: Option<Heads>,
    cells: Vec<Cell<'a>>,
    tag: Place<'a>,
}

impl<'a> RowCells<'a> {
    pub(crate) fn of(row: &Row<'a>) -> Self {
        let tag = row.tag.place;
        let (heads, mut records) = heads(tag.source(), &mut Sink::default());
        let mut cells = Vec::new();
        while let (Some(heads), Some(record)) = (&heads, records.next()) {
            if heads.cell(record, Column::Tag).is_some_and(|cell| cell.place.begins_with(tag)) {
                cells = record.to_vec();
                break;
            }
        }
        Self { heads, cells, tag }
    }

    /// The cell of a column; the row's tag where the list has no such column.
    pub(crate) fn place(&self, column: Column) -> Place<'a> {
        let cell = self.heads.as_ref().and_then(|heads| heads.cell(&self.cells, column));
        cell.map_or(self.tag, |cell| cell.place)
    }
}

/// The heads, and the records after them. A title and remarks above the heads are skipped, and noted.
fn heads<'a>(source: &'a Source, sink: &mut Sink) -> (Option<Heads>, Records<'a>) {
    let mut records = Records::new(source);
    let mut title = None;
    for _ in 0..HEAD_ROWS_MAX {
        let Some(cells) = records.next() else { break };
        if let Some(fault) = quotes::fault(cells, None) {
            sink.push(fault);
            return (None, records);
        }
        if Heads::are_in(cells.iter().map(|cell| cell.text.trim())) {
            if let Some(place) = title {
                sink.push(Place::note(place, "title", text("表头之前的行没有读取", "what stands above the heads was not read")));
            }
            return (Heads::read(cells, sink), records);
        }
        title.get_or_insert(cells[0].place);
    }
    if source.is_refused {
        return (None, records);
    }
    if let Some((place, [zh, en])) = other_separator(source) {
        let fault = text(format!("这份表用{zh}分隔,不是逗号"), format!("the cells of this list are separated by {en}, not by commas"));
        sink.push(place.error("separator", fault).suggest(AS_CSV.0, AS_CSV.1));
        return (None, records);
    }
    // No row looks like heads: the first one is told what is missing in it.
    let mut records = Records::new(source);
    let Some(cells) = records.next() else {
        sink.push(source.top().error("empty-list", text("设定值表是空的", "the setpoint list is empty")));
        return (None, records);
    };
    (Heads::read(cells, sink), records)
}

/// What spreadsheets put between cells instead of a comma, by name.
const SEPARATORS: [(char, [&str; 2]); 4] =
    [('\t', ["制表符", "tabs"]), (';', ["分号", "semicolons"]), ('|', ["竖线", "bars"]), ('\u{ff0c}', ["全角逗号", "full-width commas"])];

/// The heads of a list that is separated by something else.
fn other_separator(source: &Source) -> Option<(Place<'_>, [&'static str; 2])> {
    let mut begin = 0;
    source.text.split_inclusive('\n').take(HEAD_ROWS_MAX).find_map(|line| {
        let place = source.place(begin..begin + line.trim_end().len());
        begin += line.len();
        let are_heads = |separator| Heads::are_in(line.split(separator).map(|cell| cell.trim().trim_matches('"')));
        SEPARATORS.into_iter().find(|(separator, _)| are_heads(*separator)).map(|(_, name)| (place, name))
    })
}

/// What was read differently from how it is written, each kind told once: the first cell, and how many.
#[derive(Default)]
struct Notes<'a> {
    full_width: Option<(Place<'a>, usize)>,
    merged: Option<(Place<'a>, usize)>,
    number_codes: Option<(Place<'a>, usize)>,
}

impl Notes<'_> {
    fn tell(self, sink: &mut Sink) {
        if let Some((first, count)) = self.full_width {
            let fault = text(
                format!("从这里起有全角字符,已按半角读取(共 {count} 个单元格)"),
                format!("full-width characters from here on, read as plain ones (cells: {count})"),
            );
            sink.push(first.note("full-width", fault));
        }
        if let Some((first, count)) = self.merged {
            let fault = text(
                format!("从这里起有合并单元格,按每一行都写了同样的内容读取(共 {count} 个单元格)"),
                format!("merged cells from here on, read as if every row had their text (cells: {count})"),
            );
            sink.push(first.note("merged-cells", fault));
        }
        if let Some((first, count)) = self.number_codes {
            let fault = text(
                format!("从这里起编码或名字是数字格式,前导 0 可能已经丢失(共 {count} 个单元格)"),
                format!("codes or names from here on are number cells: zeros before them may be lost (cells: {count})"),
            );
            let fault = first.warning("number-cell", fault);
            sink.push(
                fault.suggest("把这些列设为“文本”格式,再核对一遍", "format these columns as text and compare them with their source"),
            );
        }
    }
}

fn count<'a>(note: &mut Option<(Place<'a>, usize)>, place: Place<'a>) {
    note.get_or_insert((place, 0)).1 += 1;
}

/// Columns whose text names something: a spreadsheet must not have made a number of it.
const NAMES: [Column; 7] =
    [Column::Tag, Column::Equipment, Column::Gateway, Column::Zone, Column::HazardCode, Column::IndexCode, Column::Cas];
/// Columns in which a merged cell says the same of every row that it covers.
const SHARED: [Column; 15] = [
    Column::Area,
    Column::Equipment,
    Column::EquipmentKind,
    Column::HazardCode,
    Column::Hazard,
    Column::Medium,
    Column::Cas,
    Column::Gateway,
    Column::Zone,
    Column::Service,
    Column::CalibrationDue,
    Column::Class,
    Column::Basis,
    Column::Remark,
    Column::Serial,
];
/// What spreadsheets write where a formula went wrong.
const CELL_ERRORS: [&str; 8] = ["#N/A", "#REF!", "#NAME?", "#DIV/0!", "#VALUE!", "#NUM!", "#NULL!", "#SPILL!"];

struct RowReader<'r, 'a> {
    heads: &'r Heads,
    cells: &'r [Cell<'a>],
    sink: &'r mut Sink,
    notes: &'r mut Notes<'a>,
    left: Left,
    today: Option<jiff::civil::Date>,
}

impl<'r, 'a> RowReader<'r, 'a> {
    fn read(mut self) -> Option<Row<'a>> {
        if !self.is_row() || !self.cells_are_sound() {
            return None;
        }
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
        let deadband = deadband.map(|at| At { value: Deadband::Value(at.value.value), place: at.place });
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
        let cas = self.text(Column::Cas).filter(|cas| !cell::is_none(&cas.value)).map_or_else(String::new, |cas| cas.value);
        let class = self.text(Column::Class).filter(|class| !cell::is_none(&class.value));
        let rationale = self.rationale(RATIONALE);
        let about_limits = LIMIT_RATIONALE.iter().flatten().any(|column| self.cell(*column).is_some());
        let limit_rationale = about_limits.then(|| Box::new(LIMIT_RATIONALE.map(|columns| self.rationale(columns))));
        Some(Row {
            tag: tag?,
            name: self.plain(Column::Name).into_owned(),
            area: self.plain(Column::Area).into_owned(),
            equipment: equipment?,
            is_area,
            hazard: hazard?,
            medium: cell::half_width(&self.plain(Column::Medium)).into_owned(),
            cas,
            class,
            left: self.left,
            signal,
            unit: unit?,
            // One digit more than the limits have: an operator sees the value approach.
            decimals: (decimals + 1).min(3),
            range: range?,
            limits: limits.map(plain),
            interlock: plain(interlock),
            deadband,
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
            rationale,
            limit_rationale,
        })
    }

    /// Whether this is a row of a tag at all, rather than a heading, a total or the heads once more.
    fn is_row(&mut self) -> bool {
        let required = [Column::Tag, Column::Equipment, Column::Signal, Column::Gateway];
        let written = |column: Column| self.cell(column).filter(|cell| !cell::is_none(cell.text.trim()));
        let mut filled = self.cells.iter().filter(|cell| !cell.text.trim().is_empty());
        let first = filled.next().unwrap_or(&self.cells[0]);
        if filled.all(|cell| cell.text == first.text) || required[1..].iter().all(|column| written(*column).is_none()) {
            let fault =
                text("这一行不是位号:没有设备位号、信号类型和网关", "this row is not a tag: it has no equipment, signal and gateway");
            let fault = first.place.error("not-a-row", fault);
            self.sink.push(fault.suggest(
                "删去小标题、合计和签名行;装置单元写在自己的列里",
                "remove headings, totals and signatures; the plant unit has its own column",
            ));
            return false;
        }
        let repeated = self.heads.are_repeated(self.cells);
        if repeated {
            let fault = self.cells[0].place.error("repeated-head", text("表头在中间又写了一遍", "the heads stand here once more"));
            self.sink.push(fault.suggest("删去这一行", "remove this row"));
        }
        !repeated
    }

    /// Cells below no head, error values, and merged cells where every row needs its own.
    fn cells_are_sound(&mut self) -> bool {
        let mut sound = true;
        if let Some(stray) = self.heads.stray(self.cells) {
            let fault = stray.place.error("cell-without-head", text("这个单元格上面没有表头", "there is no head above this cell"));
            self.sink.push(fault.suggest(
                "文字里有逗号时整个单元格要加双引号;否则后面的列都错位了",
                "a text with a comma needs double quotes around it, or every column after it is moved",
            ));
            sound = false;
        }
        for column in Column::ALL {
            let Some(cell) = self.heads.cell(self.cells, column) else { continue };
            let written = cell.text.trim();
            if cell.kind == Kind::Failed || (written.starts_with('#') && CELL_ERRORS.contains(&written)) {
                let fault = text(format!("这个单元格没有值:`{written}`"), format!("this cell has no value: `{written}`"));
                let fault = cell.place.error("cell-error", fault);
                self.sink.push(fault.suggest("改正公式并保存,或直接写值", "mend the formula and save, or write the value"));
                sound = false;
            } else if cell.kind == Kind::Merged {
                if SHARED.contains(&column) {
                    count(&mut self.notes.merged, cell.place);
                    continue;
                }
                let fault = text(
                    format!("`{}` 是合并单元格,每个位号要有自己的", column.name()),
                    format!("`{}` is a merged cell; every tag needs its own", column.name_en()),
                );
                self.sink.push(cell.place.error("merged-cell", fault).suggest("取消合并,逐行填写", "unmerge it and fill in every row"));
                sound = false;
            } else if cell.kind == Kind::Number && NAMES.contains(&column) {
                count(&mut self.notes.number_codes, cell.place);
            }
        }
        sound
    }

    fn rationale(&mut self, columns: [Column; 4]) -> RawRationale {
        let [cause, consequence, response, within] = columns;
        let texts = [cause, consequence, response].map(|column| {
            let cell = self.cell(column)?;
            let (written, place) = (cell.text.trim(), cell.place);
            if written.chars().count() > bounds::RATIONALE_CHARS_MAX {
                let max = bounds::RATIONALE_CHARS_MAX;
                let fault = text(format!("超过 {max} 个字"), format!("more than {max} characters"));
                self.sink.push(place.error("text-too-long", fault));
            }
            (!written.is_empty()).then(|| if cell::is_none(written) { String::new() } else { written.to_owned() })
        });
        let minutes = self.number(within);
        let respond_within = minutes.and_then(|minutes| {
            let written = minutes.value.value;
            let length = Duration::from_micros((written * 60e6).round() as i64);
            if length > Duration::ZERO && length <= RESPOND_WITHIN_MAX {
                return Some(length);
            }
            let max = RESPOND_WITHIN_MAX.as_secs() / 60;
            let fault = text(
                format!("`{}` 必须大于 0,最多 {max} 分钟", within.name()),
                format!("`{}` must be above 0 and at most {max} minutes", within.name_en()),
            );
            self.sink.push(minutes.place.error("out-of-bounds", fault));
            None
        });
        RawRationale { texts, respond_within }
    }

    fn cell(&self, column: Column) -> Option<&'r Cell<'a>> {
        self.heads.cell(self.cells, column)
    }
    /// The text of a cell that is for people; none is empty.
    fn plain(&self, column: Column) -> Cow<'r, str> {
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
            count(&mut self.notes.full_width, place);
        }
        if NAMES[..4].contains(&column) && cell::is_exponent(&value) {
            self.sink.push(cell::exponent_fault(place));
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
    /// Where a column's cell is or would be; where the row begins if the list has no such column.
    fn place(&self, column: Column) -> Place<'a> {
        self.heads.place(self.cells, column).unwrap_or(self.cells[0].place)
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
                self.sink.push(fault.suggest_some(Some(cell::date_suggestion(&written.value))));
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
        let Some(cell) = self.cell(column).filter(|cell| !cell.text.trim().is_empty()) else {
            self.left.add(column);
            return None;
        };
        let place = cell.place;
        if matches!(cell::half_width(&cell.text), Cow::Owned(_)) && !cell::is_none(cell.text.trim()) {
            count(&mut self.notes.full_width, place);
        }
        match cell::number(cell) {
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
