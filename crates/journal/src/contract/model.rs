//! Random histories, run against the store and against the plainest thing that does the same: maps in memory.

use super::random::Random;
use super::{Place, entry, news, notification, of_case, timer};
use crate::{ActRecord, Batch, Entry, EntryKind, OutboxStatus, Store, TimerRow};
use ::model::Timestamp;
use std::collections::BTreeMap;

const HISTORIES: u64 = 12;
const STEPS: u64 = 60;

/// What a store holds, as plainly as can be said.
#[derive(Clone, Default)]
struct Model {
    journal: Vec<Entry>,
    hard: BTreeMap<String, Vec<u8>>,
    soft: BTreeMap<String, Vec<u8>>,
    timers: BTreeMap<String, Vec<TimerRow>>,
    outbox: Vec<(crate::OutboxRow, OutboxStatus, u32)>,
    acts: BTreeMap<String, ActRecord>,
    last_now: Option<Timestamp>,
}

impl Model {
    /// Takes the batch without what conflicts, and says how often something did.
    fn commit(&mut self, batch: &Batch) -> u64 {
        let (mut batch, mut conflicts) = (batch.clone(), 0);
        while let Err(key) = self.take(&batch) {
            batch.set_aside(&key);
            conflicts += 1;
        }
        conflicts
    }
    /// All of the batch, or the first key that conflicts and leaves no trace.
    fn take(&mut self, batch: &Batch) -> Result<(), String> {
        let mut next = self.clone();
        for entry in &batch.entries {
            match next.journal.iter().find(|known| known.key.is_some() && known.key == entry.key) {
                None => next.journal.push(entry.clone()),
                Some(known) if (known.kind, &known.bytes) == (entry.kind, &entry.bytes) => {}
                Some(_) => return Err(entry.key.clone().unwrap_or_default()),
            }
        }
        for (key, bytes) in &batch.state {
            match bytes {
                Some(bytes) => drop(next.hard.insert(key.clone(), bytes.clone())),
                None => drop(next.hard.remove(key)),
            }
        }
        next.soft.extend(batch.soft.iter().cloned());
        for (owner, timers) in &batch.timers {
            next.timers.insert(owner.clone(), timers.clone());
        }
        next.timers.retain(|_, timers| !timers.is_empty());
        for (row, status, _) in &mut next.outbox {
            if batch.supersede.contains(&row.case) && status.is_open() {
                *status = OutboxStatus::Superseded;
            }
        }
        for row in &batch.outbox {
            match next.outbox.iter().find(|(known, ..)| known.key == row.key) {
                None => next.outbox.push((row.clone(), OutboxStatus::Waiting, 0)),
                Some((known, ..)) if known == row => {}
                Some(_) => return Err(row.key.clone()),
            }
        }
        for update in &batch.outbox_updates {
            if let Some((_, status, attempts)) = next.outbox.iter_mut().find(|(row, ..)| row.key == update.key) {
                *status = status.after(update.status);
                *attempts = update.attempts.max(*attempts);
            }
        }
        for act in &batch.acts {
            let first = next.acts.entry(act.id.clone()).or_insert_with(|| act.clone());
            if first.request != act.request {
                return Err(act.id.clone());
            }
        }
        next.last_now = next.last_now.max(Some(batch.now));
        *self = next;
        Ok(())
    }
}

/// Few names, so that keys meet again, sometimes with other content.
fn random_batch(random: &mut Random, step: u64) -> Batch {
    let mut batch = Batch { now: Timestamp::from_secs(i64::try_from(step).expect("few steps")), ..Batch::default() };
    for _ in random.up_to(3) {
        let content = if random.below(30) == 0 { "other" } else { "{}" };
        batch.entries.push(match random.below(3) {
            0 => entry(None, content),
            1 => of_case("case", EntryKind::Case, content),
            _ => entry(Some(&format!("k{}", random.below(40))), content),
        });
    }
    for _ in random.up_to(2) {
        let bytes = (random.below(3) > 0).then(|| vec![step.to_le_bytes()[0]; random.below(40) as usize]);
        batch.state.push((format!("s{}", random.below(6)), bytes));
    }
    for _ in random.up_to(1) {
        batch.soft.push((format!("s{}", random.below(3)), step.to_le_bytes().to_vec()));
    }
    for _ in random.up_to(1) {
        let timers = random.up_to(3).map(|_| timer(i64::try_from(random.below(9)).expect("small"), "sign")).collect();
        batch.timers.push((format!("c{}", random.below(3)), timers));
    }
    for _ in random.up_to(2) {
        let number = random.below(30);
        let person = if random.below(40) == 0 { "somebody else" } else { "li" };
        batch.outbox.push(notification(&format!("n{number}"), &format!("c{}", number % 3), person));
    }
    for _ in random.up_to(2) {
        let status = OutboxStatus::ALL[random.below(6) as usize];
        let attempts = u32::try_from(random.below(4)).expect("small");
        batch.outbox_updates.push(news(&format!("n{}", random.below(30)), status, attempts, "", ""));
    }
    for _ in random.up_to(1) {
        let request = if random.below(10) == 0 { "close" } else { "accept" };
        let id = format!("a{}", random.below(20));
        batch.acts.push(ActRecord { id, request: request.into(), answer: step.to_le_bytes().to_vec() });
    }
    for _ in 0..u64::from(random.below(8) == 0) {
        batch.supersede.push(format!("c{}", random.below(3)));
    }
    batch
}

/// Every history: the store holds what the model does, through conflicts, repeats and restarts.
pub(super) fn random_histories(fresh: &mut dyn FnMut() -> Box<dyn Place>) {
    let mut conflicts = 0;
    for seed in 0..HISTORIES {
        println!("random history: seed {seed}");
        let place = fresh();
        let (mut random, mut model, mut store) = (Random::new(seed), Model::default(), place.open());
        let mut of_this = 0;
        for step in 1..=STEPS {
            let batch = random_batch(&mut random, step);
            store.commit(&batch).expect("every batch is taken");
            if batch.is_empty() {
                continue;
            }
            let met = model.commit(&batch);
            (conflicts, of_this) = (conflicts + met, of_this + met);
            // The outcome was unknown: again, at once or by the next engine.
            if random.below(4) == 0 {
                if random.below(2) == 0 {
                    drop(store);
                    store = place.open();
                    of_this = 0;
                }
                store.commit(&batch).expect("a repeat");
            }
            // Not after every step: what is asked for must be there, and that is work done in between.
            if random.below(3) == 0 {
                agree(&mut *store, &model, step);
                assert_eq!(store.health().conflicts, of_this, "step {step}");
            }
        }
        agree(&mut *store, &model, STEPS);
        let rows = place.reader().entries(&[], 0, usize::MAX).expect("a question").rows;
        let found: Vec<_> = rows.into_iter().map(|row| (row.kind, row.key, row.subject, row.bytes)).collect();
        let wanted: Vec<_> = model.journal.into_iter().map(|entry| (entry.kind, entry.key, entry.subject, entry.bytes)).collect();
        assert_eq!(found, wanted);
    }
    assert!(conflicts > 20, "only {conflicts} conflicts: the histories no longer try what they are for");
}

fn agree(store: &mut dyn Store, model: &Model, step: u64) {
    let snapshot = store.load().expect("a load");
    assert_eq!(snapshot.hard, Vec::from_iter(model.hard.clone()), "step {step}");
    assert_eq!(snapshot.soft, Vec::from_iter(model.soft.clone()), "step {step}");
    assert_eq!(snapshot.timers, Vec::from_iter(model.timers.clone()), "step {step}");
    let open: Vec<_> = model.outbox.iter().filter(|(_, status, _)| status.is_open()).cloned().collect();
    assert_eq!(snapshot.outbox_open, open, "step {step}");
    assert_eq!((snapshot.last_now, snapshot.last_seq), (model.last_now, model.journal.len() as u64), "step {step}");
    for act in model.acts.values() {
        assert_eq!(store.act_answer(&act.id).expect("a question").as_ref(), Some(act), "step {step}");
    }
}
