//! What is kept of a case beyond what people are shown of it: which announcements climb, and what became of each message.
//!
//! A record is one state row. Its JSON is the [`Case`] itself with one more member, `work`, so whoever reads the row as a
//! `Case` may.

use model::{
    AlarmId, AnnounceMode, Case, CaseAnnouncement, CaseStep, CaseTimer, CaseTimerKind, ChannelId, NotificationKey, PersonId, Plant,
    Purpose, Tier, TierProgress, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Announcements kept in one case; beyond it the oldest that nobody owes anything on is dropped, never an unsigned one.
pub(crate) const CASE_ANNOUNCEMENTS_MAX: usize = 500;

/// A case with its unseen half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What is shown.
    #[serde(flatten)]
    pub case: Case,
    /// What is remembered to climb rightly.
    pub work: Work,
    /// The timers as last drained.
    #[serde(skip)]
    pub drained: Vec<CaseTimer>,
}

/// The unseen half of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Beside `case.announcements`, one for one.
    pub climbs: Vec<ClimbState>,
    /// The newest round of messages per announcement, tier and purpose.
    pub rounds: Vec<Round>,
    /// Who was told anything: they hear of the 办结.
    pub told: BTreeSet<(Tier, PersonId)>,
    /// Missed handling deadlines so far: the repeat of their messages.
    pub handle_missed: u32,
    /// 督办 so far: the repeat of their messages.
    pub supervised: u32,
    /// When handling is due again after a 退回.
    pub rework_by: Option<Timestamp>,
}

/// How far one announcement has climbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClimbState {
    /// Raise key text.
    pub key: String,
    /// How it is told.
    pub mode: AnnounceMode,
    /// A data fault that is not told yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// When its handling is due.
    pub handle_by: Timestamp,
    /// A 处置 covers it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub handled: bool,
    /// Tiers that messages went to, reached or not: they are reminded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tier>,
    /// Tiers where nobody could be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Tier>,
}

/// The messages of one announcement to one tier for one purpose, and what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    /// Raise key text of the announcement that names the messages.
    pub announcement: String,
    /// Announcements told by the same messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// To which tier.
    pub tier: Tier,
    /// Why.
    pub purpose: Purpose,
    /// Which repeat.
    pub repeat: u32,
    /// Marked delayed by outage.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delayed: bool,
    /// The rule names the platform only, so the platform counts as reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub platform_only: bool,
    /// Somebody was reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reached: bool,
    /// To whom.
    pub people: Vec<RoundPerson>,
}

/// One recipient of a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoundPerson {
    /// Who.
    pub person: PersonId,
    /// Channels used so far and whether each has failed for good.
    pub tried: Vec<(ChannelId, bool)>,
}

impl RoundPerson {
    /// Whether something is still under way or has arrived on a channel of these.
    pub fn hopeful(&self, counts: impl Fn(&ChannelId) -> bool) -> bool {
        self.tried.iter().any(|(channel, failed)| !failed && counts(channel))
    }
}

impl Record {
    /// Position of an announcement by its raise key text.
    pub fn announcement(&self, key: &str) -> Option<usize> {
        self.work.climbs.iter().position(|climb| climb.key == key)
    }

    /// Adds an announcement and its climb; the two lists stay one for one.
    pub fn push_announcement(&mut self, announcement: CaseAnnouncement, climb: ClimbState) -> usize {
        self.make_room();
        self.case.announcements.push(announcement);
        self.work.climbs.push(climb);
        self.case.announcements.len() - 1
    }

    /// Forgets a data fault that returned before anybody was told.
    pub fn drop_announcement(&mut self, at: usize) {
        let climb = self.work.climbs.remove(at);
        self.case.announcements.remove(at);
        self.drop_timers(|kind| timer_key(kind) == Some(&climb.key));
        self.work.rounds.retain(|round| round.announcement != climb.key);
    }

    fn make_room(&mut self) {
        if self.case.announcements.len() < CASE_ANNOUNCEMENTS_MAX {
            return;
        }
        let settled = (0..self.case.announcements.len()).find(|&at| {
            let climb = &self.work.climbs[at];
            self.signed(at, Tier::ENTERPRISE) && climb.handled && climb.tried.iter().all(|&tier| self.signed(at, tier))
        });
        if let Some(at) = settled {
            self.drop_announcement(at);
        }
    }

    /// Whether a tier has signed an announcement.
    pub fn signed(&self, at: usize, tier: Tier) -> bool {
        self.case.announcements[at].signed.iter().any(|signature| signature.tier == tier)
    }

    /// The announcement that stands for the case: the first of the highest level.
    pub fn head(&self) -> Option<usize> {
        (0..self.case.announcements.len()).max_by_key(|&at| (self.case.announcements[at].level, std::cmp::Reverse(at)))
    }

    /// Whether any episode of the alarm stands.
    pub fn stands(&self, alarm: &AlarmId) -> bool {
        self.case.episodes.iter().any(|episode| episode.of.alarm == *alarm && episode.state.is_standing())
    }

    /// Whether the newest announcement of an alarm still waits to be told.
    pub fn waits(&self, alarm: &AlarmId) -> bool {
        let at = self.case.announcements.iter().rposition(|one| one.key.alarm == *alarm);
        at.is_some_and(|at| self.work.climbs[at].waiting)
    }

    /// Adds an obligation, once.
    pub fn add_timer(&mut self, due: Timestamp, kind: CaseTimerKind) {
        let timer = CaseTimer { due, kind };
        if let Err(at) = self.case.timers.binary_search(&timer) {
            self.case.timers.insert(at, timer);
        }
    }

    /// Ends obligations.
    pub fn drop_timers(&mut self, of: impl Fn(&CaseTimerKind) -> bool) {
        self.case.timers.retain(|timer| !of(&timer.kind));
    }

    /// Whether such an obligation is still to come.
    pub fn has_timer(&self, of: impl Fn(&CaseTimerKind) -> bool) -> bool {
        self.case.timers.iter().any(|timer| of(&timer.kind))
    }

    /// The progress of a tier, made on first use; tiers are kept lowest first.
    pub fn tier(&mut self, plant: &Plant, tier: Tier) -> Option<&mut TierProgress> {
        let at = match self.case.tiers.binary_search_by_key(&tier, |progress| progress.tier) {
            Ok(at) => at,
            Err(at) => {
                let body = plant.responsible_body(&self.case.enterprise, tier)?.id.clone();
                self.case.tiers.insert(at, TierProgress { tier, body, told: None, reached: None, passed: false });
                at
            }
        };
        self.case.tiers.get_mut(at)
    }

    /// The round a message belongs to.
    pub fn round_of(&self, key: &NotificationKey) -> Option<usize> {
        self.work.rounds.iter().position(|round| {
            round.announcement == key.announcement && round.tier == key.tier && round.purpose == key.purpose && round.repeat == key.repeat
        })
    }

    /// Keeps a round in place of the one before it: a reminder makes the reminder before it pointless.
    pub fn push_round(&mut self, round: Round) {
        self.work.rounds.retain(|old| (&old.announcement, old.tier, old.purpose) != (&round.announcement, round.tier, round.purpose));
        self.work.rounds.push(round);
    }

    /// Whether the case is closed.
    pub fn is_closed(&self) -> bool {
        self.case.step == CaseStep::Closed
    }
}

/// The announcement an obligation belongs to.
pub(crate) fn timer_key(kind: &CaseTimerKind) -> Option<&String> {
    match kind {
        CaseTimerKind::Wait { key } | CaseTimerKind::Tell { key, .. } | CaseTimerKind::Sign { key } | CaseTimerKind::Remind { key } => {
            Some(key)
        }
        CaseTimerKind::Handle | CaseTimerKind::Answer { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Condition, Episode, Level, Signature, TagId, TransitionKey};

    fn record() -> Record {
        let case = Case {
            id: "c".into(),
            number: "1125-01".to_owned(),
            enterprise: "hx".into(),
            equipment: "tank".into(),
            level: Level::Blue,
            step: CaseStep::Accepted,
            opened: Timestamp(0),
            closed: None,
            announcements: Vec::new(),
            episodes: Vec::new(),
            tiers: Vec::new(),
            handled_by: Vec::new(),
            supervised_by: None,
            returned_count: 0,
            handle_by: None,
            timers: Vec::new(),
            first_out: None,
        };
        Record { case, work: Work::default(), drained: Vec::new() }
    }

    fn push(record: &mut Record, number: i64, settled: bool) {
        let alarm = AlarmId { tag: TagId::new("hx", "LIA-101"), condition: Condition::Low };
        let key = TransitionKey { alarm, episode: Episode { since: Timestamp(number), count: 0 }, step: 0 };
        let signature = Signature { tier: Tier::ENTERPRISE, person: "wang".into(), at: Timestamp(number) };
        let climb = ClimbState {
            key: key.to_string(),
            mode: AnnounceMode::Normal,
            waiting: false,
            handle_by: Timestamp(number),
            handled: settled,
            tried: vec![Tier::ENTERPRISE],
            passed: Vec::new(),
        };
        let announcement = CaseAnnouncement {
            key,
            level: Level::Blue,
            at: Timestamp(number),
            raised_at: Timestamp(number),
            value: None,
            setpoint: None,
            late: false,
            folded: 0,
            last_raised_at: Timestamp(number),
            sign_by: Timestamp(number),
            sign_missed: false,
            signed: if settled { vec![signature] } else { Vec::new() },
            told: Vec::new(),
            reminded: 0,
            audience: model::Audience::Everyone,
        };
        record.push_announcement(announcement, climb);
    }

    #[test]
    fn announcements_are_bounded_and_an_unsigned_one_is_never_dropped() {
        let mut record = record();
        push(&mut record, 0, false);
        for number in 1..=CASE_ANNOUNCEMENTS_MAX as i64 {
            push(&mut record, number, true);
        }
        assert_eq!(record.case.announcements.len(), CASE_ANNOUNCEMENTS_MAX);
        let kept: Vec<i64> = record.case.announcements.iter().map(|one| one.at.0).collect();
        assert_eq!(kept[..3], [0, 2, 3], "the oldest that was settled went, the unsigned one stayed");
        assert!(record.case.announcements.iter().zip(&record.work.climbs).all(|(one, climb)| one.key.to_string() == climb.key));
    }
}
