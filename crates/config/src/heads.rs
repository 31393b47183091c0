//! The columns of a setpoint list and what they are called in Chinese, English and the point tables of DCS vendors.

use crate::cell;
use crate::fault::{Fault, Sink, text};
use crate::sheet::{Cell, Kind};
use crate::source::Place;
use crate::suggest;

macro_rules! columns {
    ($($name:ident: $zh:literal $(, $other:literal)*;)*) => {
        /// A column of a setpoint list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Column { $($name),* }
        impl Column {
            /// Every column, in the order of the list.
            pub(crate) const ALL: [Self; [$($zh),*].len()] = [$(Self::$name),*];
        }
        /// Every column with its names, the usual one first.
        const COLUMNS: &[(Column, &[&str])] = &[$((Column::$name, &[$zh $(, $other)*])),*];
    };
}

columns! {
    Serial: "序号", "no", "row_no";
    Tag: "位号", "tag", "通道位号";
    Name: "名称", "name", "变量描述", "description";
    Area: "装置单元", "area", "plant_unit";
    Equipment: "设备位号", "equipment";
    EquipmentKind: "设备类型", "equipment_type";
    HazardCode: "重大危险源编码", "hazard_code";
    Hazard: "重大危险源等级", "hazard_level", "hazard";
    Medium: "介质", "medium";
    Cas: "CAS号", "cas", "cas_number";
    Signal: "信号类型", "signal";
    Unit: "单位", "unit";
    PressureBase: "压力基准", "pressure_reference";
    RangeLow: "量程低限", "range_low";
    RangeHigh: "量程高限", "range_high";
    LowLow: "低低报", "LL", "SLL", "SLL设定值", "low_low";
    Low: "低报", "L", "SL", "SL设定值", "low";
    High: "高报", "H", "SH", "SH设定值", "high";
    HighHigh: "高高报", "HH", "SHH", "SHH设定值", "high_high";
    Interlock: "联锁值", "interlock";
    Deadband: "回差", "deadband";
    OnDelay: "报警延时s", "on_delay_s";
    HighHighDelay: "高高延时s", "high_high_delay_s";
    LowLowDelay: "低低延时s", "low_low_delay_s";
    OffDelay: "恢复延时s", "off_delay_s";
    Sample: "采集周期s", "sample_s";
    Gateway: "网关", "gateway";
    IndexCode: "指标编码", "index_code";
    Zone: "声光区域", "siren_zone", "zone";
    Service: "投用状态", "service", "status";
    CalibrationDue: "校验有效期", "calibration_due";
    Basis: "设定依据", "basis";
    Remark: "备注", "remark";
    AlarmState: "报警状态", "alarm_state";
    StateLabels: "状态标签", "state_labels";
    Class: "类别", "class";
    Cause: "原因", "cause";
    Consequence: "后果", "consequence";
    Response: "处置措施", "response";
    RespondWithin: "允许响应时间min", "respond_within_min";
    LowLowCause: "低低报原因", "LL_cause";
    LowLowConsequence: "低低报后果", "LL_consequence";
    LowLowResponse: "低低报处置措施", "LL_response";
    LowLowRespondWithin: "低低报允许响应时间min", "LL_respond_within_min";
    LowCause: "低报原因", "L_cause";
    LowConsequence: "低报后果", "L_consequence";
    LowResponse: "低报处置措施", "L_response";
    LowRespondWithin: "低报允许响应时间min", "L_respond_within_min";
    HighCause: "高报原因", "H_cause";
    HighConsequence: "高报后果", "H_consequence";
    HighResponse: "高报处置措施", "H_response";
    HighRespondWithin: "高报允许响应时间min", "H_respond_within_min";
    HighHighCause: "高高报原因", "HH_cause";
    HighHighConsequence: "高高报后果", "HH_consequence";
    HighHighResponse: "高高报处置措施", "HH_response";
    HighHighRespondWithin: "高高报允许响应时间min", "HH_respond_within_min";
}

/// Cause, consequence, response and time to respond of the tag as a whole.
pub(crate) const RATIONALE: [Column; 4] = [Column::Cause, Column::Consequence, Column::Response, Column::RespondWithin];
/// The same of each limit, in the order of [`crate::setpoints::LIMIT_COLUMNS`].
pub(crate) const LIMIT_RATIONALE: [[Column; 4]; 4] = [
    [Column::LowLowCause, Column::LowLowConsequence, Column::LowLowResponse, Column::LowLowRespondWithin],
    [Column::LowCause, Column::LowConsequence, Column::LowResponse, Column::LowRespondWithin],
    [Column::HighCause, Column::HighConsequence, Column::HighResponse, Column::HighRespondWithin],
    [Column::HighHighCause, Column::HighHighConsequence, Column::HighHighResponse, Column::HighHighRespondWithin],
];

/// A head that begins so is a column of the enterprise's own: kept, and not read.
const OWN: char = '#';

/// Columns without which a row says nothing.
const REQUIRED: [Column; 4] = [Column::Tag, Column::Equipment, Column::Signal, Column::Gateway];

/// Heads that others use, and what they are called here.
const RENAMED: &[(&str, &str)] = &[
    ("死区", "回差"),
    ("滞后", "回差"),
    ("hysteresis", "deadband"),
    ("报警延时", "报警延时s"),
    ("恢复延时", "恢复延时s"),
    ("采集周期", "采集周期s"),
    ("量程下限", "量程低限"),
    ("量程上限", "量程高限"),
    ("低限", "低报"),
    ("高限", "高报"),
    ("on_delay", "on_delay_s"),
    ("off_delay", "off_delay_s"),
    ("允许响应时间", "允许响应时间min"),
    ("time_to_respond", "respond_within_min"),
    ("措施", "处置措施"),
    ("模板", "类别"),
    ("template", "class"),
];

impl Column {
    /// How many there are.
    pub(crate) const COUNT: usize = COLUMNS.len();
    /// The usual name.
    pub(crate) fn name(self) -> &'static str {
        COLUMNS[self as usize].1[0]
    }
    /// The first English name.
    pub(crate) fn name_en(self) -> &'static str {
        COLUMNS[self as usize].1.iter().find(|name| name.is_ascii()).copied().unwrap_or(COLUMNS[self as usize].1[0])
    }
    /// The column that a head names.
    pub(crate) fn parse(head: &str) -> Option<Self> {
        let wanted = plain(head);
        COLUMNS.iter().find(|(_, names)| names.iter().any(|name| plain(name) == wanted)).map(|(column, _)| *column)
    }
}

/// Which cell of a row holds which column.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    columns: [Option<usize>; Column::COUNT],
    /// Whether each cell of the row has a head at all.
    named: Vec<bool>,
    /// What stands above the tags in this list.
    tag_head: String,
}

impl Heads {
    /// Whether these cells are heads of a list, rather than its title or a remark above it.
    pub(crate) fn are_in<'t>(cells: impl Iterator<Item = &'t str>) -> bool {
        let mut known = cells.filter_map(Column::parse);
        let first = known.next();
        known.any(|column| Some(column) != first)
    }

    /// Reads the heads. `None` when rows cannot be read with it.
    pub(crate) fn read(cells: &[Cell<'_>], sink: &mut Sink) -> Option<Self> {
        let mut heads = [None; Column::COUNT];
        let mut complete = true;
        for (at, cell) in cells.iter().enumerate() {
            let head = cell.text.trim();
            if head.is_empty() || cell::half_width(head).starts_with(OWN) {
                continue;
            }
            if cell.kind == Kind::Merged {
                sink.push(merged_head(cell));
                complete = false;
                continue;
            }
            let Some(column) = Column::parse(head) else {
                let fault = cell.place.error("unknown-head", text(format!("不认识的列 `{head}`"), format!("unknown column `{head}`")));
                let renamed = RENAMED.iter().find(|(old, _)| plain(old) == plain(head));
                let renamed = renamed.map(|(_, new)| text(format!("这里叫 `{new}`"), format!("it is called `{new}` here")));
                let all = COLUMNS.iter().flat_map(|(_, names)| names.iter().copied());
                let own = text(
                    format!("自用的列,表头前加 `{OWN}`:`{OWN}{head}`,保留但不读取"),
                    format!("begin the head of a column of your own with `{OWN}`: `{OWN}{head}` is kept and not read"),
                );
                sink.push(fault.suggest_some(renamed.or_else(|| suggest::did_you_mean(head, all)).or(Some(own))));
                continue;
            };
            if heads[column as usize].replace(at).is_some() {
                let fault = text(format!("`{}` 列写了两次", column.name()), format!("column `{}` stands twice", column.name_en()));
                sink.push(cell.place.error("duplicate-head", fault));
            }
        }
        for column in REQUIRED.into_iter().filter(|column| heads[*column as usize].is_none()) {
            let fault = text(format!("缺少 `{}` 列", column.name()), format!("column `{}` is missing", column.name_en()));
            if let Some(first) = cells.first() {
                sink.push(first.place.error("missing-head", fault));
            }
            complete = false;
        }
        let named = cells.iter().map(|cell| !cell.text.trim().is_empty()).collect();
        let tag_head = heads[Column::Tag as usize].map(|at| cells[at].text.trim().to_owned()).unwrap_or_default();
        complete.then_some(Self { columns: heads, named, tag_head })
    }
    /// The cell of a column, where the list has it and the row is long enough.
    pub(crate) fn cell<'c, 'a>(&self, cells: &'c [Cell<'a>], column: Column) -> Option<&'c Cell<'a>> {
        cells.get(self.columns[column as usize]?)
    }
    /// Which column the cell at a place of its row is of.
    /// How many cells a row has.
    pub(crate) fn width(&self) -> usize {
        self.named.len()
    }
    pub(crate) fn column(&self, at: usize) -> Option<Column> {
        Column::ALL.into_iter().find(|column| self.columns[*column as usize] == Some(at))
    }
    /// Where a column's cell is, or would be if the row were long enough.
    pub(crate) fn place<'a>(&self, cells: &[Cell<'a>], column: Column) -> Option<Place<'a>> {
        let at = self.columns[column as usize]?;
        let last = cells.len().checked_sub(1)?;
        Some(if at <= last { cells[at].place } else { cells[last].place.beyond(at - last) })
    }
    /// Whether a row is the heads once more.
    pub(crate) fn are_repeated(&self, cells: &[Cell<'_>]) -> bool {
        self.cell(cells, Column::Tag).is_some_and(|cell| cell.text.trim() == self.tag_head)
    }
    /// The first cell that holds something below no head: most often a comma in a text has moved the rest of its row.
    pub(crate) fn stray<'c, 'a>(&self, cells: &'c [Cell<'a>]) -> Option<&'c Cell<'a>> {
        let named = self.named.iter().chain(std::iter::repeat(&false));
        cells.iter().zip(named).find(|(cell, named)| !**named && !cell.text.trim().is_empty()).map(|(cell, _)| cell)
    }
}

/// Heads on two rows cannot be told from a title and a first row.
fn merged_head(cell: &Cell<'_>) -> Fault {
    let fault = cell.place.error("merged-head", text("表头是合并单元格", "the head is a merged cell"));
    fault.suggest("表头只用一行,取消合并,每列一个名字", "heads stand in one row: unmerge them and name every column")
}

/// A head without case, width, spaces and underscores.
fn plain(head: &str) -> String {
    cell::half_width(head).to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_is_the_name_of_one_column() {
        for (at, (column, names)) in COLUMNS.iter().enumerate() {
            assert_eq!(*column as usize, at);
            for name in *names {
                assert_eq!(Column::parse(name), Some(*column), "{name}");
            }
        }
    }

    #[test]
    fn full_width_and_spaced_heads_are_the_same_heads() {
        assert_eq!(Column::parse("报警延时 S"), Some(Column::OnDelay));
        assert_eq!(Column::parse("\u{ff28}\u{ff28}"), Some(Column::HighHigh));
        assert_eq!(Column::parse("High High"), Some(Column::HighHigh));
    }
}
