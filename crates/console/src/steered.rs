//! What is judged or told otherwise for now, because the plant is configured so: operating modes 工况 and suppression by design 设计抑制.

use model::{AlarmId, AlarmState, BodyId, EquipmentId, Level, TagId, Timestamp};

/// The operating mode of an equipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveMode {
    /// Whose.
    pub enterprise: BodyId,
    /// Of which equipment.
    pub equipment: EquipmentId,
    /// Place in [`model::plant::Modes::names`].
    pub mode: u8,
}

/// What suppresses a condition by design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuppressedBy {
    /// A calculated tag that is 1 now.
    Tag(TagId),
    /// The operating mode of this name, in which the condition means nothing.
    Mode(String),
}

/// A condition that is suppressed by design now, whether or not it is raised.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSuppressed {
    /// Which.
    pub alarm: AlarmId,
    /// Its level.
    pub level: Level,
    /// Its state.
    pub state: AlarmState,
    /// None where it began before this start of the engine.
    pub since: Option<Timestamp>,
    /// Raises told to nobody since.
    pub untold: u32,
    /// What suppresses it.
    pub by: Vec<SuppressedBy>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steered {
    /// Modes of the equipment that has more than one.
    pub modes: Vec<LiveMode>,
    /// Conditions suppressed by design now, in order of their tags.
    pub suppressed: Vec<LiveSuppressed>,
}

impl Steered {
    /// The mode of an equipment; none where it has only one.
    pub(crate) fn mode(&self, enterprise: &BodyId, equipment: &EquipmentId) -> Option<u8> {
        self.modes.iter().find(|one| one.equipment == *equipment && one.enterprise == *enterprise).map(|one| one.mode)
    }

    /// What of a tag is suppressed.
    pub(crate) fn suppressed_of<'a>(&'a self, tag: &'a TagId) -> impl Iterator<Item = &'a LiveSuppressed> {
        let from = self.suppressed.partition_point(|one| one.alarm.tag < *tag);
        self.suppressed[from..].iter().take_while(move |one| one.alarm.tag == *tag)
    }
}
