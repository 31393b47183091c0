//! Is the gateway's clock wrong, or are its data late? Both look the same for a moment: source times far from our clock.
//!
//! Late data come faster than they were measured: their distance from our clock shrinks. A wrong clock keeps its distance: its time
//! goes at the pace of ours. So a distance of more than `clock_skew_max` that stays the same for three sample times is an offset to be
//! added; so is a clock that stepped back and for as long sends nothing but stragglers. A clock that stands still or jumps about has no
//! offset: its readings are judged on receive time. Before the verdict nothing is lost: a raise is then late and held, a straggler
//! beyond a limit is kept (see `straggler`). Time comes in with the readings; nothing here fires by itself.

use crate::straggler::outruns;
use model::{Duration, Timestamp};
use serde::{Deserialize, Serialize};

/// Sample times a clock must keep its distance, or be right again.
const SAMPLES: i64 = 3;
/// Readings needed besides, so that two lone readings decide nothing.
const READINGS_MIN: u32 = 3;
/// A gateway without a stated interval is taken to send this often.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// A known offset is corrected once it is wrong by more than this.
const DRIFT_MIN: Duration = Duration::from_secs(1);
/// Distances this near to a whole hour are a time-zone mistake.
const WHOLE_HOUR_SLACK: Duration = Duration::from_secs(120);

/// How a gateway's times are read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Source time plus this.
    Offset(Duration),
    /// Stuck or erratic: the receive time.
    Receive,
}

impl Verdict {
    /// The corrected time of a reading, not yet bounded by `now`.
    pub fn read(verdict: Option<Self>, source: Timestamp, receive: Timestamp) -> Timestamp {
        match verdict {
            None => source,
            Some(Self::Offset(offset)) => source + offset,
            Some(Self::Receive) => receive,
        }
    }
    /// For the operator.
    pub fn detail(self) -> String {
        match self {
            Self::Receive => "网关时钟停走或乱跳,按接收时间判断 · gateway clock stands still or jumps; judged on receive time".to_owned(),
            Self::Offset(offset) => {
                let hour = Duration::from_mins(60);
                let hours = (offset.abs() + Duration(hour.0 / 2)).0 / hour.0;
                let (zh, en) = if offset > Duration::ZERO { ("慢", "behind") } else { ("快", "ahead") };
                if hours > 0 && (offset.abs() - hour.times(hours)).abs() <= WHOLE_HOUR_SLACK && hours <= 26 {
                    format!("网关时钟{zh} {hours} 小时,疑为时区设置错误 · gateway clock {hours} h {en}: a time-zone mistake")
                } else {
                    let secs = offset.abs().as_secs();
                    format!("网关时钟{zh} {secs} 秒 · gateway clock {secs} s {en}")
                }
            }
        }
    }
}

/// A run of readings that agree on something.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    from: Timestamp,
    count: u32,
}

/// Nothing but stragglers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stragglers {
    run: Run,
    first: Timestamp,
    last: Timestamp,
    in_order: bool,
}

/// Distances within tolerance of each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Pace {
    run: Run,
    least: Duration,
    most: Duration,
}

/// Every reading further off than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Away {
    run: Run,
    last: Timestamp,
    earliest: Timestamp,
    latest: Timestamp,
    all_ahead: bool,
}

/// What was seen of one gateway's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Evidence {
    pace: Option<Pace>,
    /// Names the present stretch of even pace.
    stretch: u32,
    away: Option<Away>,
    stragglers: Option<Stragglers>,
    right: Option<Run>,
}

/// One reading as evidence.
pub(crate) struct Seen {
    pub source: Timestamp,
    pub receive: Timestamp,
    /// Older than its tag's newest, by the verdict in force.
    pub straggler: bool,
    /// Older than its tag's newest if its source time is taken as it stands.
    pub plain_straggler: bool,
}

/// What the evidence amounts to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ruling {
    /// As before.
    Unchanged,
    /// A wrong clock, to be read like this.
    Wrong(Verdict),
    /// Right again.
    Right,
}

impl Evidence {
    /// Whether a reading by a right clock would leave everything as it is.
    pub fn is_clean(&self) -> bool {
        self.pace.is_none() && self.away.is_none() && self.stragglers.is_none() && self.right.is_none()
    }

    /// The stretch in which late and skewed cannot be told apart, if one lasts.
    pub fn doubt(&self) -> Option<u32> {
        self.pace.map(|_| self.stretch)
    }

    /// Takes one reading in. Duplicates are no evidence.
    pub fn observe(&mut self, verdict: Option<Verdict>, seen: &Seen, interval: Duration, skew_max: Duration) -> Ruling {
        let interval = interval.max(INTERVAL_MIN);
        let needed = interval.times(SAMPLES);
        let distance = seen.receive.since(seen.source);
        let near = distance.abs() <= skew_max;
        let enough = |run: &Run| run.count >= READINGS_MIN && seen.receive.since(run.from) >= needed;

        if near && !seen.plain_straggler {
            *self = Self { stretch: self.stretch, right: self.right, ..Self::default() };
            if verdict.is_none() {
                self.right = None;
                return Ruling::Unchanged;
            }
            let right = extend(&mut self.right, seen.receive);
            if enough(right) {
                self.right = None;
                return Ruling::Right;
            }
            return Ruling::Unchanged;
        }
        self.right = None;

        if near {
            // A small step back shows only in that nothing is new any more.
            self.away = None;
        } else {
            // Over a gap in what is sent, a clock cannot be said to stand still.
            self.away = self.away.filter(|away| seen.receive.since(away.last) <= needed);
            let away = self.away.get_or_insert(Away {
                run: Run { from: seen.receive, count: 0 },
                last: seen.receive,
                earliest: seen.source,
                latest: seen.source,
                all_ahead: true,
            });
            away.run.count = away.run.count.saturating_add(1);
            away.last = seen.receive;
            away.earliest = away.earliest.min(seen.source);
            away.latest = away.latest.max(seen.source);
            away.all_ahead &= distance < Duration::ZERO;
        }
        if seen.straggler {
            self.take_straggler(seen, interval);
        } else {
            self.stragglers = None;
        }
        self.keep_pace(distance, seen.receive, interval);

        let only_stragglers = self.stragglers.as_ref().is_some_and(|stragglers| enough(&stragglers.run));
        if let Some(pace) = self.pace.filter(|pace| enough(&pace.run) && (!near || only_stragglers)) {
            // The next stretch follows a clock that drifts.
            self.pace = None;
            self.away = None;
            self.stragglers = None;
            // A little jitter is no news; a drift is followed.
            let known = matches!(verdict, Some(Verdict::Offset(offset)) if (offset - pace.least).abs() <= DRIFT_MIN);
            return if known { Ruling::Unchanged } else { Ruling::Wrong(Verdict::Offset(pace.least)) };
        }
        let away = self.away.filter(|away| enough(&away.run));
        let stuck = away.is_some_and(|away| away.latest.since(away.earliest).0 < seen.receive.since(away.run.from).0 / 2);
        let jumps_ahead = away.is_some_and(|away| away.all_ahead);
        if only_stragglers || stuck || jumps_ahead {
            self.stragglers = None;
            self.away = None;
            return if verdict == Some(Verdict::Receive) { Ruling::Unchanged } else { Ruling::Wrong(Verdict::Receive) };
        }
        Ruling::Unchanged
    }

    /// Counts stragglers, unless they come in order and faster than they were measured: those are late data.
    fn take_straggler(&mut self, seen: &Seen, interval: Duration) {
        let fresh = Stragglers { run: Run { from: seen.receive, count: 1 }, first: seen.source, last: seen.source, in_order: true };
        let Some(stragglers) = &mut self.stragglers else {
            self.stragglers = Some(fresh);
            return;
        };
        stragglers.run.count = stragglers.run.count.saturating_add(1);
        stragglers.in_order &= stragglers.last <= seen.source;
        stragglers.last = seen.source;
        let measured = seen.source.since(stragglers.first);
        if stragglers.in_order && outruns(measured, seen.receive.since(stragglers.run.from), interval) {
            self.stragglers = Some(fresh);
        }
    }

    /// Holds the stretch of even pace together, or begins a new one.
    fn keep_pace(&mut self, distance: Duration, receive: Timestamp, interval: Duration) {
        let tolerance = Duration(interval.0 / 2).max(INTERVAL_MIN);
        if let Some(pace) = &mut self.pace {
            let (least, most) = (pace.least.min(distance), pace.most.max(distance));
            if most - least <= tolerance {
                (pace.least, pace.most) = (least, most);
                pace.run.count = pace.run.count.saturating_add(1);
                return;
            }
        }
        self.stretch = self.stretch.wrapping_add(1);
        self.pace = Some(Pace { run: Run { from: receive, count: 1 }, least: distance, most: distance });
    }
}

fn extend(run: &mut Option<Run>, receive: Timestamp) -> &Run {
    let run = run.get_or_insert(Run { from: receive, count: 0 });
    run.count = run.count.saturating_add(1);
    run
}
