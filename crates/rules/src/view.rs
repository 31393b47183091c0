//! What pages may ask. Reads only.

use crate::Rules;
use crate::slot::Hold;
use model::{AlarmId, AlarmState, Condition, Episode, Level, ReadingRecord, TagIndex, Timestamp};

/// One alarm as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmView {
    /// Which alarm.
    pub alarm: AlarmId,
    /// Its tag's place in the plant.
    pub tag: TagIndex,
    /// Its state.
    pub state: AlarmState,
    /// Its level.
    pub level: Level,
    /// The limit, for conditions that have one.
    pub setpoint: Option<f64>,
    /// The present episode, or the last one.
    pub episode: Option<Episode>,
    /// The tag's time of the raise.
    pub since: Timestamp,
    /// The value when raised.
    pub value: Option<f64>,
    /// Raised late 补传.
    pub late: bool,
    /// Recorded, but nobody has been told (yet).
    pub unannounced: bool,
    /// Its input is bad or silent, so nobody knows whether it is gone.
    pub input_bad: bool,
}

impl Rules {
    /// Every alarm that is not plainly normal, in order of tag and condition.
    pub fn alarms(&self) -> impl Iterator<Item = AlarmView> + '_ {
        (0..self.tags.len()).flat_map(move |at| {
            let index = TagIndex(at as u32);
            let standing = self.tag(index).slots().filter(|(_, slot)| slot.state != AlarmState::Normal);
            standing.map(move |(place, _)| self.alarm_at(index, place))
        })
    }

    /// One alarm, normal or not; none when the plant has no such condition.
    pub fn alarm(&self, id: &AlarmId) -> Option<AlarmView> {
        self.find(id).map(|(index, place)| self.alarm_at(index, place))
    }

    /// A tag's newest reading, if it ever had one.
    pub fn newest(&self, tag: TagIndex) -> Option<ReadingRecord> {
        (tag.at() < self.tags.len()).then(|| self.tag(tag).newest())?.map(|newest| newest.record)
    }

    /// Whether a tag's input is bad, silent, or behind a lost gateway.
    pub fn is_input_bad(&self, tag: TagIndex) -> bool {
        if tag.at() >= self.tags.len() {
            return false;
        }
        let state = self.tag(tag);
        let lost = self.tags.gateway(tag).is_some_and(|gateway| self.gateways[gateway].lost);
        state.rest.silent || state.is_bad() || lost && state.rest.fall.is_some()
    }

    pub(crate) fn find(&self, id: &AlarmId) -> Option<(TagIndex, usize)> {
        let index = self.plant.tag_index(&id.tag)?;
        let place = self.plant.tag(index).conditions.iter().position(|rule| rule.condition == id.condition)?;
        Some((index, place))
    }

    fn alarm_at(&self, index: TagIndex, place: usize) -> AlarmView {
        let tag = self.plant.tag(index);
        let (rule, slot) = (&tag.conditions[place], self.tag(index).slot(place));
        AlarmView {
            alarm: AlarmId { tag: tag.id.clone(), condition: rule.condition },
            tag: index,
            state: slot.state,
            level: rule.level,
            setpoint: (rule.condition.is_limit() || rule.condition == Condition::Discrete).then_some(rule.setpoint),
            episode: slot.episode,
            since: slot.raised_at,
            value: slot.value,
            late: slot.late,
            unannounced: slot.hold != Hold::None,
            input_bad: self.is_input_bad(index),
        }
    }
}
