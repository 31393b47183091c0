//! One condition of one tag: the ISA-18.2 states, the delays, the latch, and whether people were told.
//!
//! Its state changes only here. It reads no clock and cannot fail: a transition that the standard does not know puts this one alarm
//! into the faulted state and leaves the others alone. A raise is recorded at once; what may wait is only its announcement
//! ([`Hold`]): a late raise waits to be confirmed, a data fault waits for the verdict over its gateway.

use crate::effects::Scene;
use crate::judge::{Finding, Judged, is_told_though_returned};
use crate::late::Spans;
use model::plant::ConditionRule;
use model::{
    AlarmEffect, AlarmState, AnnounceMode, Announcement, Cause, Change, Duration, Episode, Level, Quality, ReadingRecord, TagId, Timestamp,
    Transition, TransitionKey,
};
use serde::{Deserialize, Serialize};

/// At or beyond the limit, not yet for the whole on_delay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The tag's time of the first reading beyond the limit.
    pub since: Timestamp,
    /// When it was received.
    pub receive: Timestamp,
    /// On our clock: raised then even if nothing more arrives.
    pub deadline: Timestamp,
    /// That first reading was late on arrival.
    pub late: bool,
    /// Its value.
    pub value: Option<f64>,
}

impl Pending {
    /// When it is over on the tag's time: after the whole delay, or where another mode cut the delay below what had run, when that began.
    pub fn due(&self, on_delay: Duration) -> Timestamp {
        let cut = self.deadline > self.ends(on_delay);
        if cut { self.deadline } else { self.since + on_delay }
    }

    /// The end of the whole delay on our clock: never before its own due time, whatever the receive time claims.
    fn ends(&self, on_delay: Duration) -> Timestamp {
        self.receive.max(self.since) + on_delay
    }
}

/// Clear of the limit since `since`, not yet proven for the whole off_delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Returning {
    pub since: Timestamp,
    pub receive: Timestamp,
}

/// Why the announcement of a recorded raise has not been made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hold {
    /// It was made, or there is nothing to tell.
    #[default]
    None,
    /// A late raise: until a current reading confirms it or `due`.
    Late {
        due: Timestamp,
        /// The stretch of even pace the gateway's clock was in; while it lasts, late and skewed cannot be told apart.
        doubt: Option<u32>,
    },
    /// Fits a dead gateway: until the verdict, at the latest `due`.
    Verdict { due: Timestamp },
    /// The gateway's loss explains it; once the gateway is back, until `due`.
    Explained { due: Option<Timestamp> },
    /// Suppressed by design: told if it still stands once the suppression is over.
    Suppressed,
    /// A late raise that returned while its gateway's clock was in doubt: told if the clock proves wrong by `due`.
    Returned { due: Timestamp, doubt: u32 },
}

impl Hold {
    pub const fn due(self) -> Option<Timestamp> {
        match self {
            Self::Late { due, .. } | Self::Verdict { due } | Self::Returned { due, .. } => Some(due),
            Self::Explained { due } => due,
            Self::None | Self::Suppressed => None,
        }
    }
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The state of one condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Slot {
    pub state: AlarmState,
    /// The present episode, or the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode: Option<Episode>,
    /// Its level, for the day the rule is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Number of the next transition in it.
    pub step: u32,
    /// The tag's time of its raise.
    pub raised_at: Timestamp,
    /// The value when raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returning: Option<Returning>,
    /// Return leads to a latched state until a field check.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub latched: bool,
    #[serde(skip_serializing_if = "Hold::is_none")]
    pub hold: Hold,
    /// Newest time any episode began at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_since: Option<Timestamp>,
    /// Episodes that began no later than an earlier one.
    pub reopened: u32,
    /// When it stood, for stragglers.
    #[serde(skip_serializing_if = "Spans::is_empty")]
    pub spans: Spans,
    /// Raises that were told to nobody since the present or last suppression by design began.
    #[serde(skip_serializing_if = "is_zero")]
    pub untold: u32,
    /// On our clock, when people were last told of the present episode; kept where it may have to be told again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// Suppressed by design now. Follows from the tags it hangs on, so it is not stored.
    #[serde(skip)]
    pub suppressed: bool,
    /// Deadlines registered for it: on_delay, hold, re-alarm.
    #[serde(skip)]
    pub registered: [Option<Timestamp>; 3],
    /// Something changed since the row was last written.
    #[serde(skip)]
    pub changed: bool,
}

/// Everything about a raise but its announcement.
pub(crate) struct Raise {
    pub since: Timestamp,
    pub at: Timestamp,
    pub cause: Cause,
    pub value: Option<f64>,
    pub late: bool,
}

/// What a reading does to a condition that it cannot do alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing more.
    Done,
    /// The condition is to be raised now, with the lower limits of its side.
    Raise,
}

impl Slot {
    /// As it begins.
    pub const NEW: Self = Self {
        state: AlarmState::Normal,
        episode: None,
        level: None,
        step: 0,
        raised_at: Timestamp(0),
        value: None,
        late: false,
        pending: None,
        returning: None,
        latched: false,
        hold: Hold::None,
        newest_since: None,
        reopened: 0,
        spans: Spans::NONE,
        untold: 0,
        told_at: None,
        suppressed: false,
        registered: [None; 3],
        changed: false,
    };

    /// Whether it is as it began: nothing has to be kept of it.
    pub fn is_new(&self) -> bool {
        *self == Self::NEW
    }

    /// Whether the parts agree, as they do unless the store was damaged.
    pub fn is_sound(&self) -> bool {
        let known = self.state == AlarmState::Normal || (self.episode.is_some() && self.step > 0);
        known && (self.pending.is_none() || !self.state.is_active()) && (self.returning.is_none() || self.state.is_active())
    }

    /// The rule failed: nothing is known of this alarm until somebody has seen that.
    pub fn fault(&mut self, rule: &ConditionRule, detail: String, scene: &mut Scene<'_>) {
        (self.pending, self.returning, self.hold) = (None, None, Hold::None);
        let now = scene.now;
        self.go(rule, Change::Faulted, AlarmState::Faulted, now, Cause::Engine { detail }, scene);
    }

    /// Applies what a reading says. A raise is left to the tag, since it takes the lower limits of its side along.
    pub fn apply(
        &mut self,
        rule: &ConditionRule,
        finding: Finding,
        reading: &Judged,
        in_doubt: Option<u32>,
        scene: &mut Scene<'_>,
    ) -> Outcome {
        if self.state == AlarmState::Faulted {
            return Outcome::Done;
        }
        if finding == Finding::OverRange && !self.latched {
            self.latched = true;
            self.changed = true;
        }
        if self.state.is_active() {
            match finding {
                Finding::Beyond | Finding::OverRange | Finding::Between => self.set_returning(None),
                Finding::Nothing => {}
                Finding::Clear => match self.returning {
                    _ if rule.off_delay <= Duration::ZERO => self.come_back(rule, reading, in_doubt, scene),
                    None => self.set_returning(Some(Returning { since: reading.time, receive: reading.receive })),
                    Some(returning) if reading.time >= returning.since + rule.off_delay => self.come_back(rule, reading, in_doubt, scene),
                    Some(_) => {}
                },
            }
            return Outcome::Done;
        }
        match finding {
            Finding::OverRange => Outcome::Raise,
            Finding::Beyond if rule.on_delay <= Duration::ZERO => Outcome::Raise,
            Finding::Beyond => {
                match &mut self.pending {
                    None => {
                        // Never before its own due time, whatever the receive time claims.
                        let deadline = reading.receive.max(reading.time) + rule.on_delay;
                        self.pending = Some(Pending {
                            since: reading.time,
                            receive: reading.receive,
                            deadline,
                            late: reading.late,
                            value: reading.record.value,
                        });
                        self.changed = true;
                    }
                    // Another mode or configuration began to wait on the value held then; this one was beyond before that. Late or not,
                    // it postpones nothing.
                    Some(pending) if reading.time < pending.since => {
                        (pending.since, pending.value) = (reading.time, reading.record.value);
                        self.changed = true;
                    }
                    Some(_) => {}
                }
                Outcome::Done
            }
            Finding::Between | Finding::Clear => {
                // Uncertain may raise but never clears, so it does not end the wait either.
                if reading.quality == Quality::Good {
                    self.cancel_pending();
                }
                Outcome::Done
            }
            Finding::Nothing => Outcome::Done,
        }
    }

    /// Its rule has changed: what the newest value says now. It may raise, never clear; a running delay goes on from its beginning.
    pub fn rejudge(
        &mut self,
        rule: &ConditionRule,
        finding: Finding,
        good: bool,
        value: Option<f64>,
        time: Timestamp,
        now: Timestamp,
    ) -> Outcome {
        if self.state.is_active() || self.state == AlarmState::Faulted {
            return Outcome::Done;
        }
        let within = matches!(finding, Finding::Between | Finding::Clear) && good;
        self.changed = true;
        match (&mut self.pending, finding) {
            (Some(_), _) if within => {
                self.pending = None;
                Outcome::Done
            }
            (Some(pending), _) => {
                pending.deadline = pending.ends(rule.on_delay).max(now);
                let proven = finding == Finding::Beyond && time >= pending.since + rule.on_delay;
                if proven || pending.deadline <= now || finding == Finding::OverRange { Outcome::Raise } else { Outcome::Done }
            }
            (None, Finding::OverRange) => {
                self.latched = true;
                Outcome::Raise
            }
            (None, Finding::Beyond) if rule.on_delay <= Duration::ZERO => Outcome::Raise,
            (None, Finding::Beyond) => {
                self.pending = Some(Pending { since: now, receive: now, deadline: now + rule.on_delay, late: false, value });
                Outcome::Done
            }
            (None, _) => Outcome::Done,
        }
    }

    /// A wait to raise goes on from its own beginning, by another delay that is in force from now on.
    pub fn delay_by(&mut self, on_delay: Duration, now: Timestamp) {
        if let Some(pending) = &mut self.pending {
            pending.deadline = pending.ends(on_delay).max(now);
            self.changed = true;
        }
    }

    /// Ends a wait to raise.
    pub fn cancel_pending(&mut self) {
        if self.pending.take().is_some() {
            self.changed = true;
        }
    }

    fn set_returning(&mut self, returning: Option<Returning>) {
        if self.returning != returning {
            self.returning = returning;
            self.changed = true;
        }
    }

    fn come_back(&mut self, rule: &ConditionRule, reading: &Judged, in_doubt: Option<u32>, scene: &mut Scene<'_>) {
        self.return_to_normal(rule, reading.time, Cause::Reading(reading.record), in_doubt, scene);
    }

    /// Raises it and says so, or holds the saying.
    pub fn raise(&mut self, rule: &ConditionRule, raise: Raise, hold: Hold, members: &[TagId], scene: &mut Scene<'_>) {
        match self.hold {
            // The one before is decided now: told unless the doubt over the clock has gone.
            Hold::Returned { doubt, .. } => {
                if matches!(hold, Hold::Late { doubt: Some(now), .. } if now == doubt) {
                    self.announce(rule, AnnounceMode::LateReturned, raise.at, &[], scene);
                }
            }
            // Latched, so it still waited to be confirmed.
            Hold::Late { .. } => self.announce(rule, AnnounceMode::LateReturned, raise.at, &[], scene),
            Hold::None | Hold::Verdict { .. } | Hold::Explained { .. } | Hold::Suppressed => {}
        }
        self.latched |= rule.extra.as_ref().is_some_and(|extra| extra.latching);
        self.untold += u32::from(self.suppressed);
        self.told_at = None;
        self.episode = Some(self.open_episode(rule, raise.since, scene));
        self.step = 0;
        self.level = Some(rule.level);
        self.raised_at = raise.at;
        self.value = raise.value;
        self.late = raise.late;
        self.pending = None;
        self.returning = None;
        self.go(rule, Change::Raised, AlarmState::Unacknowledged, raise.at, raise.cause, scene);
        self.hold = hold;
        if hold == Hold::None {
            self.announce(rule, AnnounceMode::Normal, raise.at, members, scene);
        }
    }

    /// Names an episode that begins at `since`: a second one at one time, or an earlier one, carries a count. One that was configured
    /// before goes on from the names it gave then.
    pub fn open_episode(&mut self, rule: &ConditionRule, since: Timestamp, scene: &Scene<'_>) -> Episode {
        self.changed = true;
        if self.newest_since.is_none()
            && let Some(given) = scene.bygone.given(&scene.tag().id, rule.condition)
        {
            (self.newest_since, self.reopened) = (Some(given.newest_since), given.reopened);
        }
        match self.newest_since {
            Some(newest) if since <= newest => {
                self.reopened += 1;
                Episode { since, count: self.reopened }
            }
            _ => {
                self.newest_since = Some(since);
                Episode { since, count: 0 }
            }
        }
    }

    /// The condition is no longer true, on good evidence.
    pub fn return_to_normal(&mut self, rule: &ConditionRule, at: Timestamp, cause: Cause, in_doubt: Option<u32>, scene: &mut Scene<'_>) {
        let to = match (self.state, self.latched) {
            (AlarmState::Unacknowledged, false) => AlarmState::ReturnedUnacknowledged,
            (AlarmState::Unacknowledged, true) => AlarmState::LatchedUnacknowledged,
            (AlarmState::Acknowledged, false) => AlarmState::Normal,
            (AlarmState::Acknowledged, true) => AlarmState::LatchedAcknowledged,
            _ => return,
        };
        if let Hold::Verdict { .. } = self.hold {
            // Its input is alive, so no dead gateway explains it: told as any other raise.
            self.announce(rule, AnnounceMode::Normal, at, &[], scene);
        }
        self.returning = None;
        if let Some(episode) = self.episode {
            self.spans.record(episode.since, at);
        }
        self.go(rule, Change::Returned, to, at, cause, scene);
        match self.hold {
            // Latched is standing: it goes on waiting to be confirmed, or for the end of its suppression.
            Hold::Late { .. } | Hold::Suppressed if to.is_latched() => {}
            Hold::Late { .. } if is_told_though_returned(scene.tag(), rule.condition) => {
                self.announce(rule, AnnounceMode::LateReturned, at, &[], scene);
            }
            Hold::Late { due, doubt: Some(doubt) } if in_doubt == Some(doubt) => self.hold = Hold::Returned { due, doubt },
            Hold::Late { .. } | Hold::Explained { .. } | Hold::Suppressed => self.hold = Hold::None,
            Hold::None | Hold::Verdict { .. } | Hold::Returned { .. } => {}
        }
    }

    /// An operator has seen this episode. False when there was nothing to acknowledge.
    pub fn acknowledge(&mut self, rule: &ConditionRule, cause: Cause, scene: &mut Scene<'_>) -> bool {
        let to = match self.state {
            AlarmState::Unacknowledged => AlarmState::Acknowledged,
            AlarmState::ReturnedUnacknowledged => AlarmState::Normal,
            AlarmState::LatchedUnacknowledged => AlarmState::LatchedAcknowledged,
            // Seen, and judged afresh from the next reading on.
            AlarmState::Faulted => AlarmState::Normal,
            AlarmState::Normal | AlarmState::Acknowledged | AlarmState::LatchedAcknowledged => return false,
        };
        let now = scene.now;
        if self.told_at.zip(realarm_after(rule)).is_some_and(|(told, after)| told + after <= now) {
            // Seen later than it was to be told again: the wait begins with the acknowledgement, or it would be undone at once.
            self.told_at = Some(now);
        }
        self.go(rule, Change::Acknowledged, to, now, cause, scene);
        true
    }

    /// Nobody on duty has seen this episode any more. What has returned needs nobody to see it again.
    pub fn unacknowledge(&mut self, rule: &ConditionRule, cause: Cause, scene: &mut Scene<'_>) {
        let to = match self.state {
            AlarmState::Acknowledged => AlarmState::Unacknowledged,
            AlarmState::LatchedAcknowledged => AlarmState::LatchedUnacknowledged,
            _ => return,
        };
        let now = scene.now;
        self.go(rule, Change::AcknowledgementExpired, to, now, cause, scene);
    }

    /// A person names a field check: the latch is released, unless the detector reads over range even now.
    pub fn release(&mut self, rule: &ConditionRule, cause: Cause, scene: &mut Scene<'_>) {
        self.latched = false;
        self.changed = true;
        let to = match self.state {
            AlarmState::LatchedUnacknowledged => AlarmState::ReturnedUnacknowledged,
            AlarmState::LatchedAcknowledged => AlarmState::Normal,
            _ => return,
        };
        let now = scene.now;
        self.go(rule, Change::Reset, to, now, cause, scene);
    }

    /// Tells people of the present episode, once.
    pub fn announce(&mut self, rule: &ConditionRule, mode: AnnounceMode, time: Timestamp, members: &[TagId], scene: &mut Scene<'_>) {
        self.tell(0, rule, mode, time, members, scene);
    }

    /// Tells people by the key of the transition with this step.
    fn tell(&mut self, step: u32, rule: &ConditionRule, mode: AnnounceMode, time: Timestamp, members: &[TagId], scene: &mut Scene<'_>) {
        self.hold = Hold::None;
        self.changed = true;
        self.told_at = realarm_after(rule).map(|_| scene.now);
        let Some(episode) = self.episode else { return };
        let announcement = Announcement {
            key: TransitionKey { alarm: scene.alarm(rule.condition), episode, step },
            level: rule.level,
            at: self.raised_at,
            now: scene.now,
            mode,
            value: self.value,
            members: members.to_vec(),
            standing: mode != AnnounceMode::LateReturned,
        };
        scene.say(time, rule.condition, AlarmEffect::Announce(announcement));
    }

    /// A suppression by design begins or ends. What it kept from being told and still stands is told now.
    pub fn suppress(&mut self, rule: &ConditionRule, suppressed: bool, at: Timestamp, scene: &mut Scene<'_>) {
        if self.suppressed == suppressed {
            return;
        }
        (self.suppressed, self.changed) = (suppressed, true);
        if suppressed {
            self.untold = 0;
        } else if self.hold == Hold::Suppressed {
            self.announce(rule, AnnounceMode::Normal, at, &[], scene);
        }
    }

    /// When it is to be told again: acknowledged, standing, and not suppressed by design.
    pub fn realarm_due(&self, rule: &ConditionRule) -> Option<Timestamp> {
        let waits = matches!(self.state, AlarmState::Acknowledged | AlarmState::LatchedAcknowledged) && !self.suppressed;
        let after = realarm_after(rule).filter(|_| waits)?;
        Some(self.told_at? + after)
    }

    /// It has stood for so long that it must be seen again.
    pub fn realarm(&mut self, rule: &ConditionRule, due: Timestamp, newest: Option<ReadingRecord>, scene: &mut Scene<'_>) {
        if self.suppressed {
            return;
        }
        let to = match self.state {
            AlarmState::Acknowledged => AlarmState::Unacknowledged,
            AlarmState::LatchedAcknowledged => AlarmState::LatchedUnacknowledged,
            _ => return,
        };
        let step = self.step;
        self.go(rule, Change::Realarmed, to, due, deadline(due, newest), scene);
        self.tell(step, rule, AnnounceMode::Normal, due, &[], scene);
    }

    fn go(&mut self, rule: &ConditionRule, change: Change, to: AlarmState, at: Timestamp, cause: Cause, scene: &mut Scene<'_>) {
        let from = self.state;
        let legal = is_legal(from, change, to);
        debug_assert!(legal, "{change:?} from {from:?} to {to:?}");
        let (change, to) = if legal { (change, to) } else { (Change::Faulted, AlarmState::Faulted) };
        self.state = to;
        self.changed = true;
        let episode = self.episode.unwrap_or(Episode { since: at, count: 0 });
        self.episode = Some(episode);
        let step = self.step;
        self.step += 1;
        let transition = Transition {
            key: TransitionKey { alarm: scene.alarm(rule.condition), episode, step },
            change,
            from,
            to,
            at,
            now: scene.now,
            level: rule.level,
            setpoint: (rule.condition.has_setpoint() || rule.condition.is_state()).then_some(rule.setpoint),
            late: self.late,
            suppressed: self.suppressed && change == Change::Raised,
            cause,
            rules: scene.version().clone(),
        };
        scene.say(at, rule.condition, AlarmEffect::Transition(transition));
    }
}

fn realarm_after(rule: &ConditionRule) -> Option<Duration> {
    rule.extra.as_ref()?.realarm_after
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The transitions ISA-18.2 knows, and ours for latches.
fn is_legal(from: AlarmState, change: Change, to: AlarmState) -> bool {
    use AlarmState as S;
    match change {
        Change::Raised => !from.is_active() && from != S::Faulted && to == S::Unacknowledged,
        Change::Returned => matches!(
            (from, to),
            (S::Unacknowledged, S::ReturnedUnacknowledged | S::LatchedUnacknowledged)
                | (S::Acknowledged, S::Normal | S::LatchedAcknowledged)
        ),
        Change::Acknowledged => matches!(
            (from, to),
            (S::Unacknowledged, S::Acknowledged)
                | (S::ReturnedUnacknowledged | S::Faulted, S::Normal)
                | (S::LatchedUnacknowledged, S::LatchedAcknowledged)
        ),
        Change::Reset => {
            matches!((from, to), (S::LatchedUnacknowledged, S::ReturnedUnacknowledged) | (S::LatchedAcknowledged, S::Normal))
        }
        Change::Realarmed => {
            matches!((from, to), (S::Acknowledged, S::Unacknowledged) | (S::LatchedAcknowledged, S::LatchedUnacknowledged))
        }
        Change::Faulted => to == S::Faulted,
        Change::Retired => to == S::Normal,
        Change::AcknowledgementExpired => {
            matches!((from, to), (S::Acknowledged, S::Unacknowledged) | (S::LatchedAcknowledged, S::LatchedUnacknowledged))
        }
    }
}

/// The cause of a transition at a deadline.
pub(crate) fn deadline(due: Timestamp, newest: Option<ReadingRecord>) -> Cause {
    Cause::Deadline { due, newest }
}
