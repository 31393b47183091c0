//! What pages may ask. Reads only.

use crate::Rules;
use crate::slot::Hold;
use model::{AlarmId, AlarmState, Episode, Level, ReadingRecord, TagIndex, Timestamp};

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
    /// 设计抑制: suppressed by design now.
    pub suppressed: bool,
    /// Raises told to nobody since the present or last suppression by design began.
    pub untold: u32,
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

    /// Every condition that is suppressed by design now, normal or not, in order of tag and condition.
    pub fn suppressed(&self) -> impl Iterator<Item = AlarmView> + '_ {
        (0..self.tags.len() as u32).map(TagIndex).flat_map(move |index| {
            let suppressed = self.tag(index).slots().filter(|(_, slot)| slot.suppressed);
            suppressed.map(move |(place, _)| self.alarm_at(index, place)).collect::<Vec<_>>()
        })
    }

    /// The present mode of a tag's equipment, by its place in [`model::plant::Modes::names`].
    pub fn mode(&self, tag: TagIndex) -> u8 {
        if tag.at() < self.tags.len() { self.tag(tag).rest.mode } else { 0 }
    }

    /// The limit by which a condition is judged now.
    fn limit_in_force(&self, index: TagIndex, place: usize) -> f64 {
        let rule = &self.plant.tag(index).conditions[place];
        let mode = self.tag(index).rest.mode;
        let other = rule.extra.as_ref().filter(|_| mode != 0);
        let other = other.and_then(|extra| extra.modes.iter().find(|limit| limit.mode == mode)?.limit);
        other.map_or(rule.setpoint, |limit| limit.setpoint)
    }

    /// Every on_delay that runs, in order of tag and condition: which alarm, since when on the tag's time, and when it ends on our clock.
    pub fn delays(&self) -> impl Iterator<Item = (AlarmId, Timestamp, Timestamp)> + '_ {
        (0..self.tags.len()).map(|at| TagIndex(at as u32)).flat_map(move |index| {
            self.tag(index).slots().filter_map(move |(place, slot)| {
                let (tag, pending) = (self.plant.tag(index), slot.pending.as_ref()?);
                let alarm = AlarmId { tag: tag.id.clone(), condition: tag.conditions[place].condition };
                Some((alarm, pending.since, pending.deadline))
            })
        })
    }

    /// Every off_delay that runs, in order of tag and condition: which alarm, and from when on the tag's time a clear reading ends it.
    pub fn return_delays(&self) -> impl Iterator<Item = (AlarmId, Timestamp)> + '_ {
        (0..self.tags.len()).map(|at| TagIndex(at as u32)).flat_map(move |index| {
            self.tag(index).slots().filter_map(move |(place, slot)| {
                let (tag, returning) = (self.plant.tag(index), slot.returning.as_ref()?);
                let rule = &tag.conditions[place];
                Some((AlarmId { tag: tag.id.clone(), condition: rule.condition }, returning.since + rule.off_delay))
            })
        })
    }

    /// The configuration in force.
    pub fn plant(&self) -> &std::sync::Arc<model::Plant> {
        &self.plant
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
            setpoint: (rule.condition.has_setpoint() || rule.condition.is_state()).then(|| self.limit_in_force(index, place)),
            episode: slot.episode,
            since: slot.raised_at,
            value: slot.value,
            late: slot.late,
            unannounced: slot.hold != Hold::None,
            input_bad: self.is_input_bad(index),
            suppressed: slot.suppressed,
            untold: slot.untold,
        }
    }
}
