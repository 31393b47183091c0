//! The commit, and what it lets out.

use super::{COMMIT_RETRY_FIRST, COMMIT_RETRY_MAX, Engine, Outgoing};
use console::{LiveAlarm, Update};
use journal::{Snapshot, StoreError};
use model::{AlarmId, AlarmState, Notification};
use rules::AlarmView;
use std::collections::BTreeSet;
use std::time::Instant;

impl Engine {
    /// Commits the batch in hand, if anything is in it, and lets out what waited for it.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        self.gather_state();
        let mut seq = None;
        if !self.batch.is_empty() {
            self.batch.now = self.now;
            let began = Instant::now();
            self.commit_until_done()?;
            self.metrics.commit_seconds.observe(began.elapsed().as_secs_f64());
            self.metrics.commits.inc();
            // What is set aside of any of these leaves a row.
            self.journaled += (self.batch.entries.len() + self.batch.outbox.len() + self.batch.acts.len()) as u64;
            seq = Some(self.journaled);
            self.batch.clear();
        }
        self.release(seq);
        // After the commit: what the broker will send again after a failed one is not history yet.
        self.history.hand_over();
        Ok(())
    }

    /// Tries the same batch until it is durable. Never evaluates again, never gives up on a store that may come back.
    fn commit_until_done(&mut self) -> Result<(), StoreError> {
        let mut pause = COMMIT_RETRY_FIRST;
        loop {
            match self.store.commit(&self.batch) {
                Ok(()) => {
                    self.metrics.commits_failing.set(0);
                    return Ok(());
                }
                Err(error @ (StoreError::Retry(_) | StoreError::Full)) => {
                    tracing::error!(%error, "commit failed; the same batch is tried again");
                    self.metrics.commit_retries.inc();
                    self.metrics.commits_failing.set(1);
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(COMMIT_RETRY_MAX);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn release(&mut self, seq: Option<u64>) {
        let mut pending = std::mem::take(&mut self.pending);
        // Latency first: the siren, then the word to the broker, then people.
        for siren in &pending.sirens {
            self.outlets.siren(siren);
        }
        for ack in pending.acks.drain(..) {
            ack.ack();
        }
        let beside = std::mem::take(&mut pending.beside).then(|| self.beside());
        self.show_reloaded(&mut pending);
        let anew = std::mem::take(&mut pending.steered);
        let steered = (anew || self.steering.lists(&pending.alarms)).then(|| self.steered(anew, Some(self.now), &mut pending.alarms));
        let (steered, restated) = steered.map_or((None, Vec::new()), |(steered, restated)| (Some(steered), restated));
        if seq.is_some() || pending.link.is_some() || steered.is_some() {
            let alarms = pending.alarms.iter().map(|id| self.shown(id)).collect();
            let cases: Vec<_> = pending.cases.iter().filter_map(|id| self.pipeline.cases().case(id)).cloned().collect();
            for case in &cases {
                self.allowed.update(&self.plant, self.pipeline.cases(), case);
            }
            let (mut notifications, mut superseded) = (Vec::new(), Vec::new());
            for outgoing in &pending.outgoing {
                match outgoing {
                    Outgoing::Notify(notification) => notifications.push((**notification).clone()),
                    Outgoing::Supersede(case) => superseded.push(case.clone()),
                }
            }
            let proven = pending.alarms.iter().filter_map(|id| Some((id.clone(), self.pipeline.cases().proven(id)?))).collect();
            self.view.apply(Update {
                proven,
                seq: seq.unwrap_or(0),
                now: self.now,
                alarms,
                cases,
                events: std::mem::take(&mut pending.events),
                notifications,
                attempts: std::mem::take(&mut pending.attempts),
                superseded,
                sirens: std::mem::take(&mut pending.sirens),
                link: pending.link.take(),
                beside,
                steered,
                restated,
            });
        }
        // After the view: a message is worded from what the view shows.
        for outgoing in pending.outgoing.drain(..) {
            match outgoing {
                Outgoing::Notify(notification) => self.outlets.notify(&notification, 0),
                Outgoing::Supersede(case) => self.outlets.supersede(&case),
            }
        }
        for (reply, answer) in pending.replies.drain(..) {
            // Whoever asked may have gone away; the act stands all the same.
            let _ = reply.send(answer);
        }
        for reply in pending.kept.drain(..) {
            let _ = reply.send(());
        }
        if let Some(piece) = pending.past.take() {
            self.store.cut(&piece);
        }
        // The buffers keep their room for the next batch.
        pending.answers.clear();
        pending.alarms.clear();
        pending.cases.clear();
        self.pending = pending;
        self.outlets.alive();
    }

    fn marks(&self, id: &AlarmId) -> model::Marks {
        self.pipeline.cases().marks(id, self.now)
    }

    fn beside(&self) -> console::Beside {
        let cases = self.pipeline.cases();
        console::Beside { windows: cases.windows().cloned().collect(), floods: cases.floods().collect() }
    }

    fn shown(&self, id: &AlarmId) -> LiveAlarm {
        match self.pipeline.alarms().alarm(id) {
            Some(view) => self.shown_view(&view),
            None => self.gone(id),
        }
    }

    /// An alarm that is normal again is shown once more, as gone.
    fn gone(&self, id: &AlarmId) -> LiveAlarm {
        let rule = self.plant.tag_index(&id.tag).and_then(|tag| self.plant.tag(tag).rule(id.condition));
        LiveAlarm {
            id: id.clone(),
            state: AlarmState::Normal,
            level: rule.map_or(model::Level::Blue, |rule| rule.level),
            since: self.now,
            value: None,
            setpoint: rule.map(|rule| rule.setpoint),
            late: false,
            episode: model::Episode { since: self.now, count: 0 },
            case: None,
            told: true,
            marks: self.marks(id),
            suppressed_by: Vec::new(),
        }
    }

    fn shown_view(&self, view: &AlarmView) -> LiveAlarm {
        let tag = self.plant.tag(view.tag);
        let gateway = self.plant.gateway_of(tag).map(|gateway| self.plant.tag(gateway.tag));
        // It can be in no other case than its equipment's or, where a lost gateway explains it, the gateway's.
        let places = [Some(tag), gateway].map(|tag| self.plant.equipment_of(tag?));
        let case = self
            .pipeline
            .cases()
            .cases()
            .filter(|case| case.closed.is_none() && case.enterprise == view.alarm.tag.enterprise)
            .filter(|case| places.into_iter().flatten().any(|place| place.id == case.equipment))
            .find(|case| case.episodes.iter().any(|episode| episode.of.alarm == view.alarm && Some(episode.of.episode) == view.episode));
        // One that returned while the loss of its gateway explained it was never announced, and nobody is to be called for it
        // afterwards either: the gateway's case lists it, and that is told.
        let announced = case.is_some_and(|case| case.announcements.iter().any(|announcement| announcement.key.alarm == view.alarm));
        let told = !view.unannounced && (announced || view.state != AlarmState::ReturnedUnacknowledged);
        LiveAlarm {
            id: view.alarm.clone(),
            state: view.state,
            level: view.level,
            since: view.since,
            value: view.value,
            setpoint: view.setpoint,
            late: view.late,
            episode: view.episode.unwrap_or(model::Episode { since: view.since, count: 0 }),
            case: case.map(|case| case.id.clone()),
            told,
            marks: model::Marks { suppressed: view.suppressed, untold: view.untold, ..self.marks(&view.alarm) },
            suppressed_by: self.suppressed_by(view),
        }
    }

    /// Gives the pages what stood before the restart.
    pub(super) fn show_restored(&mut self) {
        // Nobody knows when before the restart it began.
        let (steered, _) = self.steered(true, None, &mut BTreeSet::new());
        let alarms =
            self.pipeline.alarms().alarms().filter(|view| view.state != AlarmState::Normal).map(|view| self.shown_view(&view)).collect();
        let cases: Vec<_> = self.pipeline.cases().cases().cloned().collect();
        for case in &cases {
            self.allowed.update(&self.plant, self.pipeline.cases(), case);
        }
        self.view.apply(Update {
            now: self.now,
            alarms,
            cases,
            beside: Some(self.beside()),
            steered: Some(steered),
            proven: self.pipeline.cases().proven_alarms().map(|(id, at)| (id.clone(), at)).collect(),
            sirens: self.pipeline.cases().sirens(),
            ..Update::default()
        });
        for siren in self.pipeline.cases().sirens() {
            self.outlets.siren(&siren);
        }
    }

    /// Messages that were committed but whose end is not known are sent again under the same key.
    pub(super) fn resume_outbox(&mut self, snapshot: &Snapshot) {
        for (row, _, attempts) in &snapshot.outbox_open {
            match serde_json::from_slice::<Notification>(&row.bytes) {
                Ok(notification) => self.outlets.notify(&notification, *attempts),
                Err(error) => tracing::error!(key = row.key, %error, "an outbox row cannot be read"),
            }
        }
    }
}
