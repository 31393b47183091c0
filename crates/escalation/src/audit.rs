//! The liveness auditor: whether every case that still owes somebody something has an obligation to come.

use crate::Escalation;
use crate::record::{Record, timer_key};
use model::{Audience, CaseTimerKind, Duration, Tier, Timestamp};

/// An obligation this long overdue means that nobody fires it.
const OVERDUE_MAX: Duration = Duration::from_secs(10);

impl Escalation {
    /// Violations as text, none when all is well. Reads only the cases, not the index the engine fires by.
    pub fn audit(&self, now: Timestamp) -> Vec<String> {
        let mut violations = Vec::new();
        for (id, record) in self.cases.iter() {
            if record.is_closed() {
                if !record.case.timers.is_empty() {
                    violations.push(format!("case {id} is closed and still has timers"));
                }
                continue;
            }
            if let Some(timer) = record.case.timers.first() {
                if self.due.due(id) != Some(timer.due) {
                    violations.push(format!("case {id}: the next deadline is not that of its first timer"));
                }
                if timer.due + OVERDUE_MAX < now {
                    violations.push(format!("case {id}: {:?} is overdue since {:?}", timer.kind, timer.due));
                }
            }
            for at in 0..record.case.announcements.len() {
                if !record.signed(at, Tier::ENTERPRISE) && self.owes(record, at) {
                    violations.push(format!("case {id}: announcement {} is unsigned and has no timer", record.work.climbs[at].key));
                }
            }
            if record.case.handle_by.is_some() && !record.has_timer(|kind| *kind == CaseTimerKind::Handle) {
                violations.push(format!("case {id}: handling is due and has no timer"));
            }
        }
        violations
    }

    /// Whether an unsigned announcement lacks a timer although its policy has a step left.
    fn owes(&self, record: &Record, at: usize) -> bool {
        let climb = &record.work.climbs[at];
        if record.case.timers.iter().any(|timer| timer_key(&timer.kind) == Some(&climb.key)) {
            return false;
        }
        let policy = self.plant.policies.level(record.case.announcements[at].level);
        match record.case.announcements[at].audience {
            Audience::Everyone => {}
            Audience::Enterprise => {
                return climb.waiting || policy.remind_every.is_some() || !record.case.announcements[at].sign_missed;
            }
            Audience::Integrator | Audience::Nobody => return climb.waiting,
        }
        let untold = policy
            .tell
            .iter()
            .any(|rule| !climb.tried.contains(&rule.tier) && self.plant.responsible_body(&record.case.enterprise, rule.tier).is_some());
        climb.waiting || untold || policy.remind_every.is_some_and(|every| every.0 > 0) || !record.case.announcements[at].sign_missed
    }
}
