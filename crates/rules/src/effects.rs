//! Where the effects of one step are gathered, so that they leave in one order: time, tag, condition.
//!
//! Deadlines of many tags fire in one step, and a raise may be decided after a later one. Sorting once at the end keeps the order
//! independent of how the work was done, so a backtest may run tag by tag and merge.

use crate::bygone::Bygone;
use crate::former::{self, Former, Then};
use model::plant::{ConditionRule, Tag};
use model::{AlarmEffect, AlarmId, Condition, Plant, RuleVersion, TagIndex, Timestamp};

/// One effect with its place in the order.
#[derive(Debug)]
pub(crate) struct Said {
    time: Timestamp,
    tag: TagIndex,
    condition: u8,
    effect: AlarmEffect,
}

/// What a tag's state machines see of the step they run in.
pub(crate) struct Scene<'a> {
    pub now: Timestamp,
    pub plant: &'a Plant,
    pub index: TagIndex,
    /// What was in force for this tag before.
    pub former: Former<'a>,
    /// What the reading in hand is judged by, where that is no longer in force.
    pub judged_by: Option<Then<'a>>,
    /// Episodes of conditions that have left the configuration and may be back.
    pub bygone: &'a Bygone,
    pub said: &'a mut Vec<Said>,
}

impl<'a> Scene<'a> {
    pub fn tag(&self) -> &'a Tag {
        self.plant.tag(self.index)
    }
    /// A condition of the tag as the reading in hand is judged by; none where there was none then.
    pub fn rule(&self, place: usize) -> Option<&'a ConditionRule> {
        former::rule(self.tag(), self.judged_by, place)
    }
    /// Judges by what was in force at `time`, from here on.
    pub fn judge_as_of(&mut self, time: Timestamp) {
        self.judged_by = self.former.at(time);
    }
    /// The version that judges.
    pub fn version(&self) -> &'a RuleVersion {
        self.judged_by.map_or(&self.plant.version, Then::rules)
    }
    pub fn alarm(&self, condition: Condition) -> AlarmId {
        AlarmId { tag: self.tag().id.clone(), condition }
    }
    pub fn say(&mut self, time: Timestamp, condition: Condition, effect: AlarmEffect) {
        self.said.push(Said { time, tag: self.index, condition: order(condition), effect });
    }
}

/// A condition's place among simultaneous ones.
fn order(condition: Condition) -> u8 {
    Condition::ALL.iter().position(|other| *other == condition).unwrap_or(Condition::ALL.len()) as u8
}

/// Moves the effects of one step out, in order. The sort is stable: an announcement stays right behind its transition.
pub(crate) fn release(said: &mut Vec<Said>, out: &mut Vec<AlarmEffect>) {
    said.sort_by_key(|said| (said.time, said.tag, said.condition));
    out.extend(said.drain(..).map(|said| said.effect));
}
