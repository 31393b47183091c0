//! What was journaled is found again from what was recorded, whatever came between: other limits, a stop, a device's inhibit bit.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use model::plant::ConditionRule;
use model::{
    Act, ActKind, Actor, AlarmEffect, Change, Condition, Duration, EpisodeRef, Level, Plant, Quality, Reading, TagId, TagIndex, Tier,
    Timestamp,
};
use pipeline::{Effect, Input, Pipeline, Row};
use rules::Reload;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use watchfire_tuning::backtest::Taken;
use watchfire_tuning::replay::{Fed, Recorded, Replay, Report};

const BEGIN: Timestamp = Timestamp::from_secs(1_772_000_000);

fn files() -> config::Files {
    config::Files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config"))
}

fn plant(files: &config::Files) -> Arc<Plant> {
    Arc::new(watchfire_tuning::scenario::load(files).unwrap_or_else(|faults| panic!("{}", faults.render(config::Lang::En, false))).plant)
}

/// The county, and the same with LIA-101's high limit at 85 in place of 80.
fn two_plants() -> (Arc<Plant>, Arc<Plant>) {
    let (before, mut after) = (files(), files());
    let list = Path::new("enterprises/hongxin.csv");
    let text = String::from_utf8(before.get(list).unwrap().to_vec()).unwrap();
    after.set(list, text.replacen(",80,90,95,", ",85,90,95,", 1).into_bytes());
    (plant(&before), plant(&after))
}

/// An engine, and what its folder would hold.
struct Engine {
    plant: Arc<Plant>,
    pipeline: Pipeline,
    tags: Vec<TagId>,
    now: Timestamp,
    hard: BTreeMap<String, Vec<u8>>,
    soft: BTreeMap<String, Vec<u8>>,
    readings: Vec<Taken>,
    fed: Vec<(Timestamp, Fed)>,
    recorded: Vec<Recorded>,
}

impl Engine {
    fn start(plant: &Arc<Plant>) -> Self {
        let mut engine = Self {
            plant: Arc::clone(plant),
            pipeline: Pipeline::new(Arc::clone(plant), BEGIN),
            tags: plant.tags.iter().map(|tag| tag.id.clone()).collect(),
            now: BEGIN,
            hard: BTreeMap::new(),
            soft: BTreeMap::new(),
            readings: Vec::new(),
            fed: Vec::new(),
            recorded: Vec::new(),
        };
        engine.begin(None);
        engine
    }

    fn begin(&mut self, down_since: Option<Timestamp>) {
        let (hard, soft) = self.rows();
        self.pipeline = Pipeline::restore(Arc::clone(&self.plant), &hard, &soft, down_since.unwrap_or(self.now), self.now).unwrap();
        self.fed.push((self.now, Fed::Start { plant: Arc::clone(&self.plant), down_since }));
        // The engine looks at once for what it owes, hears its broker a moment later, and has the backlog a moment after that.
        self.pass(3);
        self.link(true);
        self.pass(150);
        self.fed.push((self.now, Fed::Drained));
        self.step(&Input::Rules(rules::Input::Drained));
    }

    fn rows(&self) -> (Vec<Row>, Vec<Row>) {
        (self.hard.clone().into_iter().collect(), self.soft.clone().into_iter().collect())
    }

    fn link(&mut self, up: bool) {
        self.fed.push((self.now, Fed::Link { up }));
        self.step(&Input::Rules(rules::Input::Link { up }));
    }

    /// Stops in good order and is started again after a while.
    fn down(&mut self, seconds: i64) {
        self.stop();
        let since = self.now;
        self.now += Duration::from_secs(seconds);
        self.begin(Some(since));
    }

    fn stop(&mut self) {
        self.pass(1);
        self.fed.push((self.now, Fed::Stop));
        let mut soft = Vec::new();
        self.pipeline.drain_soft(&mut soft);
        self.soft.extend(soft);
    }

    /// Milliseconds pass; a deadline is served a little after it is due.
    fn pass(&mut self, millis: i64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(due) = self.pipeline.next_deadline().filter(|due| *due < until) {
            self.now = self.now.max(due + Duration::from_micros(700)).min(until);
            self.step(&Input::Timeout);
        }
        self.now = until;
    }

    /// Milliseconds pass in which the engine does something else: what is due is served by whatever comes next.
    fn lag(&mut self, millis: i64) {
        self.now += Duration::from_millis(millis);
    }

    /// Looks for what is due, as the engine does behind every batch.
    fn tick(&mut self) {
        self.now += Duration::from_micros(30);
        if self.pipeline.next_deadline().is_some_and(|due| due <= self.now) {
            self.step(&Input::Timeout);
        }
    }

    fn send(&mut self, tag: &str, value: f64) {
        self.pass(2);
        self.take(tag, value);
    }

    fn take(&mut self, tag: &str, value: f64) {
        let place = self.tags.iter().position(|id| *id == TagId::new("hongxin", tag)).unwrap();
        let source_time = self.now - Duration::from_millis(1);
        let reading =
            Reading { tag: TagIndex(place as u32), source_time, receive_time: source_time, value, quality: Quality::Good, sequence: None };
        self.readings.push(Taken { reading, at: self.now, under_test: false });
        let tag = self.plant.tag_index(&self.tags[place]).unwrap();
        self.step(&Input::Rules(rules::Input::Reading(Reading { tag, ..reading })));
    }

    fn apply(&mut self, plant: &Arc<Plant>) {
        self.pass(1);
        self.fed.push((self.now, Fed::Applied(Arc::clone(plant))));
        let mut effects = Vec::new();
        self.pipeline.reload(Reload::prepare(&self.plant, Arc::clone(plant)), self.now, &mut effects).unwrap();
        self.plant = Arc::clone(plant);
        self.record(&effects);
    }

    fn inhibit(&mut self, tag: &str, active: bool) {
        let tag = self.plant.find_tag("hongxin", tag).unwrap();
        self.step(&Input::Rules(rules::Input::Inhibit { tag, active }));
    }

    fn acknowledge(&mut self, tag: &str, condition: Condition) {
        self.pass(1);
        self.acknowledge_now(tag, condition);
    }

    fn acknowledge_now(&mut self, tag: &str, condition: Condition) {
        let of = |one: &&Recorded| *one.transition.key.alarm.tag.tag == *tag && one.transition.key.alarm.condition == condition;
        let raised = self.recorded.iter().rev().find(of).unwrap().transition.key.clone();
        let episodes = vec![EpisodeRef { alarm: raised.alarm, episode: raised.episode }];
        let by = Actor { person: "hongxin-op1".into(), body: "hongxin".into(), tier: Tier::ENTERPRISE };
        let act = Act { id: format!("act-{}", self.fed.len()).into(), by, what: ActKind::Acknowledge { episodes } };
        self.fed.push((self.now, Fed::Act(Box::new(act.clone()))));
        self.step(&Input::Act(&act));
    }

    fn step(&mut self, input: &Input<'_>) {
        let mut effects = Vec::new();
        self.pipeline.step(input, self.now, &mut effects);
        self.record(&effects);
    }

    fn record(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Alarm(AlarmEffect::Transition(transition)) = effect {
                let bytes = serde_json::to_vec(transition).unwrap();
                self.recorded.push(Recorded { now: self.now, bytes, transition: transition.clone() });
            }
        }
        let mut changed = Vec::new();
        self.pipeline.drain_changed(&mut changed);
        for (key, bytes) in changed {
            match bytes {
                Some(bytes) => drop(self.hard.insert(key, bytes)),
                None => drop(self.hard.remove(&key)),
            }
        }
    }

    fn said(&self, tag: &str) -> Vec<(Condition, Change)> {
        let of = self.recorded.iter().filter(|one| *one.transition.key.alarm.tag.tag == *tag);
        of.map(|one| (one.transition.key.alarm.condition, one.transition.change)).collect()
    }

    /// Lives it again from the folder's beginning.
    fn replay(&self) -> Report {
        self.replay_from(Default::default(), BEGIN, BEGIN)
    }

    fn replay_from(&self, rows: (Vec<Row>, Vec<Row>), begin: Timestamp, from: Timestamp) -> Report {
        self.replay_span(rows, begin, (from, self.now + Duration::from_micros(1)))
    }

    fn replay_span(&self, rows: (Vec<Row>, Vec<Row>), begin: Timestamp, (from, to): (Timestamp, Timestamp)) -> Report {
        let recorded: Vec<Recorded> = self.recorded.iter().filter(|one| one.now >= begin && one.now < to).cloned().collect();
        let Some((_, Fed::Start { plant, .. })) = self.fed.iter().find(|(at, _)| *at >= begin) else { panic!("it begins with a start") };
        let mut replay = Replay::new(Arc::clone(plant), &self.tags, recorded, rows, (begin, from));
        let mut fed = self.fed.iter().filter(|(at, _)| *at >= begin && *at < to).peekable();
        for taken in self.readings.iter().filter(|taken| taken.at >= begin && taken.at < to) {
            while let Some((at, what)) = fed.next_if(|(at, _)| *at < taken.at) {
                replay.feed(what, *at).unwrap();
            }
            replay.reading(taken);
        }
        for (at, what) in fed {
            replay.feed(what, *at).unwrap();
        }
        replay.finish(to)
    }
}

#[track_caller]
fn same(report: &Report, transitions: usize) {
    assert_eq!(report.first_difference, None);
    assert_eq!(report.same, transitions);
}

#[test]
fn a_change_of_limits_is_taken_up_where_it_came_into_force() {
    let (before, after) = two_plants();
    let mut engine = Engine::start(&before);
    engine.send("LIA-101", 75.0);
    engine.pass(3_000);
    engine.apply(&after);
    // Nothing says so yet: the first transition under the other rules is a while later. 82 would be one under the rules of before.
    for _ in 0..20 {
        engine.send("LIA-101", 82.0);
        engine.pass(5_000);
    }
    engine.send("LIA-101", 91.0);
    engine.pass(1_000);
    engine.apply(&before);
    engine.send("LIA-101", 70.0);
    engine.pass(12_000);
    engine.send("LIA-101", 70.0);
    assert_eq!(engine.said("LIA-101").first(), Some(&(Condition::High, Change::Raised)));
    assert_eq!(engine.said("LIA-101").len(), 4, "{:?}", engine.said("LIA-101"));
    same(&engine.replay(), 4);
}

#[test]
fn nothing_is_served_while_the_engine_was_down_longer_than_a_stale_time() {
    let (plant, _) = two_plants();
    let mut engine = Engine::start(&plant);
    engine.send("LIA-101", 91.0);
    engine.pass(2_000);
    engine.down(3_600);
    let up = engine.fed.iter().rev().find(|(_, fed)| matches!(fed, Fed::Start { .. })).unwrap().0;
    same(&engine.replay_span(Default::default(), BEGIN, (BEGIN, up)), 2);
    // Silent for the rest of its stale time once it is listened to again.
    engine.pass(60_000);
    assert_eq!(engine.said("LIA-101").last(), Some(&(Condition::Stale, Change::Raised)));
    engine.send("LIA-101", 70.0);
    engine.down(5);
    engine.pass(20_000);
    engine.send("LIA-101", 70.0);
    engine.pass(1_000);
    let transitions = engine.recorded.iter().filter(|one| one.transition.key.alarm.tag.enterprise.as_str() == "hongxin").count();
    same(&engine.replay(), transitions);
}

#[test]
fn a_delay_that_ran_out_while_it_was_down_is_found_at_the_moment_at_which_it_was_served() {
    let (plant, _) = two_plants();
    let mut engine = Engine::start(&plant);
    engine.send("LIA-101", 82.0);
    engine.pass(10_000);
    engine.down(600);
    engine.pass(1_000);
    assert_eq!(engine.said("LIA-101"), [(Condition::High, Change::Raised)]);
    same(&engine.replay(), 1);
}

#[test]
fn our_own_blindness_a_devices_inhibit_bit_and_an_acknowledgement_are_found_again() {
    let mut plant = Plant::clone(&two_plants().0);
    let detector = plant.tags.iter_mut().find(|tag| tag.id == TagId::new("hongxin", "GT-201")).unwrap();
    detector.conditions.push(ConditionRule::new(Condition::Inhibited, 0.0, Level::Yellow));
    detector.conditions.sort_by_key(|rule| Condition::ALL.iter().position(|other| *other == rule.condition));
    let mut engine = Engine::start(&Arc::new(plant));
    engine.send("GT-201", 2.0);
    engine.send("LIA-101", 91.0);
    engine.inhibit("GT-201", true);
    engine.pass(4_000);
    engine.acknowledge("LIA-101", Condition::HighHigh);
    engine.link(false);
    engine.pass(600_000);
    engine.link(true);
    engine.pass(500);
    engine.inhibit("GT-201", false);
    engine.pass(60_000);
    let said = engine.said("GT-201");
    assert!(said.starts_with(&[(Condition::Inhibited, Change::Raised)]) && said.contains(&(Condition::Stale, Change::Raised)), "{said:?}");
    let transitions = engine.recorded.iter().filter(|one| one.transition.key.alarm.tag.enterprise.as_str() == "hongxin").count();
    same(&engine.replay(), transitions);
}

#[test]
fn what_was_edited_in_the_journal_is_named() {
    let (plant, _) = two_plants();
    let mut engine = Engine::start(&plant);
    engine.send("LIA-101", 91.0);
    engine.pass(2_000);
    let text = String::from_utf8(engine.recorded[1].bytes.clone()).unwrap();
    engine.recorded[1].bytes = text.replacen("91", "89", 1).into_bytes();
    let report = engine.replay();
    assert_eq!(report.same, 1);
    let difference = report.first_difference.unwrap();
    assert!(difference.recorded.unwrap().contains("89") && difference.replayed.unwrap().contains("91"));
}

#[test]
fn a_span_is_compared_on_the_state_of_a_stopped_engine_and_on_the_beginning_alike() {
    let (before, after) = two_plants();
    let mut engine = Engine::start(&before);
    engine.send("LIA-101", 91.0);
    engine.pass(2_000);
    engine.apply(&after);
    engine.stop();
    let rows = engine.rows();
    let since = engine.now;
    engine.now += Duration::from_secs(30);
    let begin = engine.now;
    engine.begin(Some(since));
    engine.acknowledge("LIA-101", Condition::HighHigh);
    engine.pass(1_000);
    let from = engine.now;
    engine.send("LIA-101", 70.0);
    engine.pass(30_000);
    engine.send("LIA-101", 70.0);
    let compared = |begin: Timestamp| engine.recorded.iter().filter(|one| one.now >= begin).count();
    same(&engine.replay_from(rows.clone(), begin, begin), compared(begin));
    same(&engine.replay_from(rows, begin, from), compared(from));
    same(&engine.replay_from(Default::default(), BEGIN, from), compared(from));
    assert!(compared(from) > 0 && compared(begin) > compared(from));
}

#[test]
fn what_a_busy_engine_serves_late_is_found_with_whatever_came_in_before_it() {
    let (plant, _) = two_plants();
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut found = 0;
    for _ in 0..10 {
        let mut engine = Engine::start(&plant);
        for _ in 0..400 {
            engine.lag([0, 1, 3, 40, 300, 900, 1_900][random(7) as usize]);
            for _ in 0..=random(3) {
                // Every input has a moment of its own: the engine's clock goes on.
                engine.now += Duration::from_micros(1 + random(500) as i64);
                let tag = ["LIA-101", "TIA-101", "LIA-102"][random(3) as usize];
                let value = [50.0, 70.0, 82.0, 91.0, 36.0, 39.0][random(6) as usize];
                match random(12) {
                    0 if engine.said("LIA-101").contains(&(Condition::High, Change::Raised)) => {
                        engine.acknowledge_now("LIA-101", Condition::High)
                    }
                    1 => engine.link(random(2) == 0),
                    _ => engine.take(tag, value),
                }
            }
            engine.tick();
        }
        engine.stop();
        let transitions = engine.recorded.iter().filter(|one| one.transition.key.alarm.tag.enterprise.as_str() == "hongxin").count();
        same(&engine.replay(), transitions);
        found += transitions;
    }
    assert!(found > 200, "{found}");
}
