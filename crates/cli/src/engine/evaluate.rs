//! One input after the other: decode, rules, escalation; the effects gather in the batch.

use super::{Drain, Engine, EngineInput, Outgoing};
use ingest::topic::Place;
use ingest::{Item, SourceEvent, SourceId};
use journal::{ActRecord, ClosedCase, Entry, EntryKind, OutboxRow, OutboxStatus, OutboxUpdate, QuarantineRow, Snapshot};
use model::{
    Act, ActAnswer, AlarmEffect, Attempt, AttemptResult, CaseEventKind, EscalationEffect, Reading, ReadingRecord, Refusal, TransitionKey,
};
use pipeline::{Effect, Input};
use serde::Serialize;
use std::time::Instant;

/// Quarantined payloads kept of one batch; more are only counted.
const QUARANTINE_PER_BATCH_MAX: usize = 500;

impl Engine {
    /// Evaluates one input. Nothing leaves before [`Engine::commit`].
    pub(super) fn take(&mut self, input: EngineInput) {
        self.advance();
        match input {
            EngineInput::Source(SourceEvent::Message(item)) => self.message(item),
            EngineInput::Source(SourceEvent::Up { source, .. }) => {
                let at = Instant::now();
                self.drain = Some(Drain { since: at, last_input: Some(at) });
                self.link(self.source_name(source), true, "");
            }
            EngineInput::Source(SourceEvent::Down { source, reason }) => {
                self.link(self.source_name(source), false, &reason);
                // A broker of somebody else comes back by itself. Our own does not: the process is started again.
                self.stopping |= self.built_in_broker;
            }
            EngineInput::Act { act, reply } => self.act(act, reply),
            EngineInput::Attempt(attempt) => self.attempt(attempt),
            EngineInput::System { name, active, detail } => self.system(name, active, &detail),
            EngineInput::Rows { rows, reply } => {
                self.batch.state.extend(rows);
                self.pending.kept.push(reply);
            }
            EngineInput::Reload(change) => self.reload(*change),
            EngineInput::Past(past) => self.past(past),
            EngineInput::Stop => self.stopping = true,
        }
    }

    fn message(&mut self, item: Item) {
        if let Some(drain) = &mut self.drain {
            drain.last_input = Some(Instant::now());
        }
        if self.guard.before(&item.topic, &item.payload) {
            self.quarantine_poison(&item);
            self.pending.acks.push(item.ack);
            return;
        }
        self.metrics.messages.inc();
        if item.qos == 0 {
            self.metrics.qos0.inc();
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        if item.forged {
            self.quarantine(&item, "forged", "the publisher has no right to this topic", &item.payload);
        } else {
            self.decoder.decode(&self.plant, &item.topic, &item.payload, item.received, &mut decoded);
        }
        for reading in &decoded.readings {
            if item.retained && reading.source_time == item.received {
                // A stored value without a time of its own would look as fresh as the connection.
                self.quarantine(&item, "retained-without-time", "a retained message without `ts` says nothing about now", &item.payload);
                continue;
            }
            self.reading(reading);
        }
        for (tag, active) in &decoded.inhibits {
            self.inhibit(*tag, *active);
        }
        for reject in &decoded.rejects {
            self.quarantine(&item, reject.reason.code(), reject.reason.text_en(), &reject.fragment);
        }
        if decoded.rejects_unlisted > 0 {
            self.metrics.quarantined.with_label_values(&["unlisted"]).inc_by(decoded.rejects_unlisted.into());
        }
        // Which gateway sent it is not said by the message: it is shown at the enterprise's first one.
        for (enterprise, tag) in &decoded.unknown {
            if let Some(gateway) = self.plant.gateways.iter().position(|gateway| gateway.enterprise == *enterprise) {
                self.feed(&Input::Rules(rules::Input::UnknownTag { gateway, tag }));
            }
        }
        self.decoded = decoded;
        self.guard.after_evaluation();
        self.pending.acks.push(item.ack);
    }

    fn reading(&mut self, reading: &Reading) {
        self.metrics.readings.inc();
        self.history.push(reading, self.now);
        self.points.saw(&self.plant, reading.tag, self.now, &self.view);
        self.view.set_value(
            reading.tag,
            console::LiveValue {
                value: reading.value.is_finite().then_some(reading.value),
                quality: reading.quality,
                source_time: reading.source_time,
                receive_time: reading.receive_time,
            },
        );
        self.feed(&Input::Rules(rules::Input::Reading(*reading)));
    }

    /// A device says whether it is inhibited; only a change is news. Of one without a condition of its own a filed test says enough.
    fn inhibit(&mut self, tag: model::TagIndex, active: bool) {
        let teller = self.pipeline.alarms().tells_of_inhibit(tag);
        let alarm = model::AlarmId { tag: self.plant.tag(teller).id.clone(), condition: model::Condition::Inhibited };
        let stands = self.pipeline.alarms().alarm(&alarm).is_some_and(|view| view.state.is_active());
        if active && teller != tag && self.history.is_under_test(tag) {
            self.inhibited_under_test.insert(tag);
            return;
        }
        self.inhibited_under_test.remove(&tag);
        let is_news = if teller == tag { stands != active } else { active || stands || self.pipeline.alarms().says_inhibited(tag) };
        if is_news {
            self.feed(&Input::Rules(rules::Input::Inhibit { tag, active }));
        }
    }

    /// A device that said under test that it is inhibited, and still is when that ends, is one nobody filed a test for.
    pub(super) fn check_inhibited(&mut self) {
        let over = self.inhibited_under_test.iter().copied().filter(|tag| !self.history.is_under_test(*tag));
        for tag in over.collect::<Vec<_>>() {
            self.inhibit(tag, true);
        }
    }

    fn source_name(&self, source: SourceId) -> String {
        self.sources.get(usize::from(source.0)).cloned().unwrap_or_else(|| format!("source {}", source.0))
    }

    fn link(&mut self, source: String, up: bool, reason: &str) {
        if up {
            tracing::info!(source, "listening");
        } else {
            tracing::warn!(source, reason, "not listening");
        }
        self.pending.link = Some((source.clone(), up, self.now));
        self.links.insert(source, up);
        // Silence clocks run while any source is listening.
        let any = self.links.values().any(|up| *up);
        self.metrics.link_up.set(i64::from(any));
        self.entry(EntryKind::System, None, None, &serde_json::json!({ "event": "link", "up": any }));
        self.feed(&Input::Rules(rules::Input::Link { up: any }));
    }

    fn act(&mut self, act: Act, reply: tokio::sync::oneshot::Sender<ActAnswer>) {
        let request = json(&act);
        if let Some((before, answer)) = self.answered(&act) {
            let answer = if before == request { answer } else { self.refuse(Refusal::ActIdReused) };
            // The first answer may still be in this batch, so even a repeat waits for the commit.
            self.pending.replies.push((reply, answer));
            return;
        }
        self.metrics.acts.with_label_values(&[act.what.name()]).inc();
        self.entry(EntryKind::Act, Some(format!("{}{}", journal::ACT_KEY, act.id)), act.what.case().map(ToString::to_string), &act);
        let answer = self.step(&Input::Act(&act), |effects| {
            effects.iter().find_map(|effect| match effect {
                Effect::Case(EscalationEffect::Answer(id, answer)) if *id == act.id => Some(answer.clone()),
                _ => None,
            })
        });
        debug_assert!(answer.is_some(), "every act is answered");
        let answer = answer.unwrap_or_else(|| {
            tracing::error!(act = act.what.name(), "an act got no answer and is refused");
            self.refuse(Refusal::NoSuchCase)
        });
        self.batch.acts.push(ActRecord { id: act.id.to_string(), request: request.clone(), answer: json(&answer) });
        self.pending.answers.insert(act.id, (request, answer.clone()));
        self.pending.replies.push((reply, answer));
    }

    /// The answer a repeated act got the first time.
    fn answered(&mut self, act: &Act) -> Option<(Vec<u8>, ActAnswer)> {
        if let Some((request, answer)) = self.pending.answers.get(&act.id) {
            return Some((request.clone(), answer.clone()));
        }
        match self.store.act_answer(act.id.as_str()) {
            Ok(record) => record.and_then(|record| Some((record.request, serde_json::from_slice(&record.answer).ok()?))),
            Err(error) => {
                // Not knowing is no reason to refuse a person: the transitions an act makes are keyed, so a second
                // evaluation cannot double them.
                tracing::error!(%error, act = %act.id, "could not look up an earlier answer");
                None
            }
        }
    }

    fn refuse(&self, reason: Refusal) -> ActAnswer {
        ActAnswer::Refused { now: self.now, reasons: vec![reason] }
    }

    fn attempt(&mut self, attempt: Attempt) {
        let status = match attempt.result {
            AttemptResult::Accepted => OutboxStatus::Accepted,
            AttemptResult::Delivered => OutboxStatus::Delivered,
            AttemptResult::Retrying => OutboxStatus::Retrying,
            AttemptResult::Failed => OutboxStatus::Failed,
        };
        self.metrics.attempts.with_label_values(&[attempt.key.channel.as_str(), status.name()]).inc();
        self.batch.outbox_updates.push(OutboxUpdate {
            key: attempt.key.to_string(),
            status,
            attempts: attempt.number,
            answer: attempt.answer.clone(),
            words: attempt.words.clone(),
            at: self.now,
        });
        self.entry(EntryKind::Attempt, None, Some(attempt.key.case.to_string()), &attempt);
        self.feed(&Input::Attempt(&attempt));
        self.pending.attempts.push(attempt);
    }

    /// Evaluates one input; what follows goes into the batch.
    pub(super) fn feed(&mut self, input: &Input<'_>) {
        self.step(input, |_| ());
    }

    /// Evaluates one input, looks at what follows, and puts it into the batch.
    fn step<T>(&mut self, input: &Input<'_>, look: impl FnOnce(&[Effect]) -> T) -> T {
        let mut effects = std::mem::take(&mut self.effects);
        self.pipeline.step(input, self.now, &mut effects);
        let seen = look(&effects);
        self.record(&mut effects);
        self.effects = effects;
        let (view, history, steering, now) = (&self.view, &mut self.history, &mut self.steering, self.now);
        let steered = &mut self.pending.steered;
        self.pipeline.drain_calculated(|tag, record| {
            *steered |= steering.is_news(tag, &record);
            let ReadingRecord { value, quality, source_time, receive_time, .. } = record;
            view.set_value(tag, console::LiveValue { value, quality, source_time, receive_time });
            history.push(&record.reading(tag), now);
        });
        seen
    }

    /// Puts what follows from one input into the batch.
    pub(super) fn record(&mut self, effects: &mut Vec<Effect>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Alarm(effect) => self.keep_alarm(&effect),
                Effect::Case(effect) => self.keep_case(effect),
            }
        }
    }

    fn keep_alarm(&mut self, effect: &AlarmEffect) {
        match effect {
            AlarmEffect::Transition(transition) => {
                self.metrics.transitions.with_label_values(&[transition.key.alarm.condition.name(), change(transition.change)]).inc();
                self.pending.alarms.insert(transition.key.alarm.clone());
                self.entry(EntryKind::Transition, Some(format!("transition:{}", transition.key)), None, transition);
            }
            AlarmEffect::Announce(announcement) => {
                self.pending.alarms.insert(announcement.key.alarm.clone());
                self.entry(EntryKind::Announcement, Some(announcement_key(&announcement.key)), None, announcement);
            }
            AlarmEffect::LateExceedance(late) => {
                let key = format!("late:{}!{}", late.alarm, late.reading.source_time.0);
                self.entry(EntryKind::LateExceedance, Some(key), None, late);
            }
        }
    }

    fn keep_case(&mut self, effect: EscalationEffect) {
        match effect {
            EscalationEffect::Event(event) => {
                self.entry(EntryKind::Case, None, Some(event.case.to_string()), &event);
                self.pending.cases.insert(event.case.clone());
                self.pending.events.push(event);
            }
            EscalationEffect::Notify(notification) => {
                let key = notification.key.to_string();
                let case = notification.key.case.to_string();
                self.entry(EntryKind::Notification, Some(format!("notification:{key}")), Some(case.clone()), &notification);
                self.batch.outbox.push(OutboxRow { key, case, bytes: json(&notification), at: self.now });
                self.pending.outgoing.push(Outgoing::Notify(Box::new(notification)));
            }
            EscalationEffect::Supersede(case) => {
                // What this batch made for it before is not to be sent either.
                let key = case.to_string();
                self.batch.outbox.retain(|row| row.case != key);
                self.pending.outgoing.retain(|outgoing| !matches!(outgoing, Outgoing::Notify(made) if made.key.case == case));
                self.batch.supersede.push(key);
                self.pending.outgoing.push(Outgoing::Supersede(case));
            }
            EscalationEffect::Siren(siren) => {
                let key = format!("siren:{}/{}!{}", siren.enterprise, siren.zone, siren.version);
                self.entry(EntryKind::Siren, Some(key), None, &siren);
                self.pending.sirens.push(siren);
            }
            EscalationEffect::Answer(id, answer) => self.entry(EntryKind::Answer, Some(format!("answer:{id}")), None, &answer),
            EscalationEffect::Beside(event) => {
                self.entry(EntryKind::Beside, None, None, &event);
                self.pending.beside = true;
                self.mark_under_test();
            }
            EscalationEffect::Marked(alarm) => drop(self.pending.alarms.insert(alarm)),
            // The pipeline has handed it to the rules, and their transitions stand beside it.
            EscalationEffect::Unacknowledge(_) => {}
        }
    }

    /// Keeps what cannot be evaluated, with its reason; durable before its acknowledgement like everything else.
    fn quarantine(&mut self, item: &Item, reason: &str, detail: &str, bytes: &[u8]) {
        self.metrics.quarantined.with_label_values(&[reason]).inc();
        if self.batch.quarantine.len() >= QUARANTINE_PER_BATCH_MAX {
            // Counted like the rest; a flood of garbage must not hold up the commit that a siren waits for.
            return;
        }
        let topic = String::from_utf8_lossy(&item.topic).into_owned();
        // Bounded per enterprise as the topic names it, so that one noisy gateway cannot push out another's evidence.
        let source = match ingest::topic::parse(&item.topic) {
            Some(Place::Tag { enterprise, .. } | Place::Batch { enterprise } | Place::Siren { enterprise, .. }) => enterprise.into_owned(),
            None => self.source_name(item.source),
        };
        self.batch.quarantine.push(QuarantineRow {
            source,
            topic,
            reason: reason.to_owned(),
            detail: detail.to_owned(),
            at: self.now,
            bytes: bytes.to_vec(),
        });
    }

    fn quarantine_poison(&mut self, item: &Item) {
        let detail = "an input was in hand at two crashes and is quarantined";
        tracing::error!(topic = %String::from_utf8_lossy(&item.topic), detail);
        self.quarantine(item, "crashed-twice", detail, &item.payload);
        // Said once: the alarm waits for an acknowledgement, but nothing stands any more.
        self.system("recovery", true, detail);
        self.system("recovery", false, "the input is in quarantine; the engine goes on");
    }

    /// Who evaluates by which rules from here on, and what is not known of the time before.
    pub(super) fn note_start(&mut self, snapshot: &Snapshot) {
        let start = serde_json::json!({
            "event": "start",
            "program": env!("CARGO_PKG_VERSION"),
            "rules": self.plant.version,
            "clean_stop_before": snapshot.clean_stop || snapshot.last_seq == 0,
            "down_since": snapshot.last_now,
        });
        self.entry(EntryKind::Config, None, None, &start);
    }

    /// The engine was told to stop: what follows is a gap of our own making.
    pub(super) fn note_stop(&mut self) {
        self.entry(EntryKind::System, None, None, &serde_json::json!({ "event": "stop" }));
    }

    pub(super) fn entry(&mut self, kind: EntryKind, key: Option<String>, subject: Option<String>, content: &impl Serialize) {
        self.batch.entries.push(Entry { kind, format: 1, key, subject, at: self.now, bytes: json(content) });
    }

    /// Moves the changed state of rules and escalation into the batch.
    pub(super) fn gather_state(&mut self) {
        let from = self.batch.state.len();
        self.pipeline.drain_changed(&mut self.batch.state);
        self.pending.cases.extend(self.batch.state[from..].iter().filter_map(|(key, _)| pipeline::case_of_row(key)));
        for event in self.pending.events.iter().filter(|event| event.what == CaseEventKind::Closed) {
            if let Some(case) = self.pipeline.cases().case(&event.case) {
                self.batch.closed.push(ClosedCase {
                    case: case.id.to_string(),
                    enterprise: case.enterprise.to_string(),
                    at: event.at,
                    bytes: json(case),
                });
            }
        }
        let mut timers = Vec::new();
        self.pipeline.drain_timers(&mut timers);
        for (case, list) in timers {
            let rows = list
                .iter()
                .map(|timer| journal::TimerRow { due: timer.due, kind: String::from_utf8(json(&timer.kind)).unwrap_or_default() })
                .collect();
            self.batch.timers.push((case.to_string(), rows));
        }
    }
}

fn announcement_key(key: &TransitionKey) -> String {
    format!("announcement:{key}")
}

fn change(change: model::Change) -> &'static str {
    match change {
        model::Change::Raised => "raised",
        model::Change::Returned => "returned",
        model::Change::Acknowledged => "acknowledged",
        model::Change::Reset => "reset",
        model::Change::Realarmed => "realarmed",
        model::Change::Faulted => "faulted",
        model::Change::Retired => "retired",
        model::Change::AcknowledgementExpired => "acknowledgement-expired",
    }
}

fn json(content: &impl Serialize) -> Vec<u8> {
    // Our own types hold no maps with non-text keys and no failing serialisers.
    serde_json::to_vec(content).expect("our own types serialise")
}
