//! The columns of a setpoint list and what they are called in Chinese, English and the point tables of DCS vendors.

use crate::fault::{Sink, text};
use crate::sheet::Cell;
use crate::suggest;

macro_rules! columns {
    ($($name:ident: $zh:literal $(, $other:literal)*;)*) => {
        /// A column of a setpoint list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Column { $($name),* }
        /// Every column with its names, the usual one first.
        const COLUMNS: &[(Column, &[&str])] = &[$((Column::$name, &[$zh $(, $other)*])),*];
    };
}

columns! {
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
}

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
    fn parse(head: &str) -> Option<Self> {
        let wanted = plain(head);
        COLUMNS.iter().find(|(_, names)| names.iter().any(|name| plain(name) == wanted)).map(|(column, _)| *column)
    }
}

/// Which cell of a row holds which column.
#[derive(Clone, Debug)]
pub(crate) struct Heads([Option<usize>; Column::COUNT]);

impl Heads {
    /// Reads the first record. `None` when rows cannot be read with it.
    pub(crate) fn read(cells: &[Cell<'_>], sink: &mut Sink) -> Option<Self> {
        let mut heads = [None; Column::COUNT];
        for (at, cell) in cells.iter().enumerate() {
            let head = cell.text.trim();
            if head.is_empty() {
                continue;
            }
            let Some(column) = Column::parse(head) else {
                let fault = cell.place.error("unknown-head", text(format!("不认识的列 `{head}`"), format!("unknown column `{head}`")));
                let renamed = RENAMED.iter().find(|(old, _)| plain(old) == plain(head));
                let renamed = renamed.map(|(_, new)| text(format!("这里叫 `{new}`"), format!("it is called `{new}` here")));
                let all = COLUMNS.iter().flat_map(|(_, names)| names.iter().copied());
                sink.push(fault.suggest_some(renamed.or_else(|| suggest::did_you_mean(head, all))));
                continue;
            };
            if heads[column as usize].replace(at).is_some() {
                let fault = text(format!("`{}` 列写了两次", column.name()), format!("column `{}` stands twice", column.name_en()));
                sink.push(cell.place.error("duplicate-head", fault));
            }
        }
        let mut complete = true;
        for column in REQUIRED.into_iter().filter(|column| heads[*column as usize].is_none()) {
            let fault = text(format!("缺少 `{}` 列", column.name()), format!("column `{}` is missing", column.name_en()));
            if let Some(first) = cells.first() {
                sink.push(first.place.error("missing-head", fault));
            }
            complete = false;
        }
        complete.then_some(Self(heads))
    }
    /// The cell of a column, where the list has it and the row is long enough.
    pub(crate) fn cell<'c, 'a>(&self, cells: &'c [Cell<'a>], column: Column) -> Option<&'c Cell<'a>> {
        cells.get(self.0[column as usize]?)
    }
}

/// A head without case, width, spaces and underscores.
fn plain(head: &str) -> String {
    crate::cell::half_width(head).to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '_').collect()
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
