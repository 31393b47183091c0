//! What escalation hands back to the rules, and what a device says of itself.
mod common;
use common::{ZERO, describe, plant, rule, tag};
use model::{
    Act, ActId, ActKind, Actor, AlarmEffect, AlarmId, Condition, Duration, Episode, EpisodeRef, Quality, Reading, Signal, TagId, Tier,
    Timestamp,
};
use watchfire_rules::{Input, Rules};

struct Run {
    rules: Rules,
    tag: model::TagIndex,
}

impl Run {
    fn new() -> Self {
        let mut one = tag("hx", "T", Signal::Temperature);
        one.conditions = vec![rule(Condition::High, 80.0), rule(Condition::Inhibited, 0.0)].into();
        let plant = plant(vec![one], &[], Duration::from_secs(5), "v");
        let tag = plant.find_tag("hx", "T").expect("the tag");
        Self { rules: Rules::new(plant, ZERO), tag }
    }

    fn said(&mut self, secs: i64, input: &Input<'_>) -> Vec<String> {
        let mut out: Vec<AlarmEffect> = Vec::new();
        self.rules.step(input, at(secs), &mut out);
        out.iter().map(|effect| describe(effect, false)).collect()
    }

    fn reading(&mut self, secs: i64, value: f64) -> Vec<String> {
        let time = at(secs);
        let reading = Reading { tag: self.tag, source_time: time, receive_time: time, value, quality: Quality::Good, sequence: None };
        self.said(secs, &Input::Reading(reading))
    }

    fn acknowledge(&mut self, secs: i64, of: &EpisodeRef) -> Vec<String> {
        let by = Actor { person: "wang".into(), body: "hx".into(), tier: Tier::ENTERPRISE };
        let what = ActKind::Acknowledge { episodes: vec![of.clone()] };
        self.said(secs, &Input::Act(&Act { id: ActId::new(format!("a{secs}")), by, what }))
    }
}

fn at(secs: i64) -> Timestamp {
    ZERO + Duration::from_secs(secs)
}

fn high_since(secs: i64) -> EpisodeRef {
    let alarm = AlarmId { tag: TagId::new("hx", "T"), condition: Condition::High };
    EpisodeRef { alarm, episode: Episode { since: at(secs), count: 0 } }
}

#[test]
fn an_acknowledgement_that_ran_out_makes_a_standing_alarm_unacknowledged_again() {
    let mut run = Run::new();
    assert_eq!(run.reading(5, 81.0), ["high raised 5s", "announce high"]);
    assert_eq!(run.acknowledge(6, &high_since(5)), ["high acknowledged"]);
    let episodes = [high_since(5)];
    assert_eq!(run.said(60, &Input::AcknowledgementExpired(&episodes)), ["high acknowledgement-expired"]);
    assert!(run.said(61, &Input::AcknowledgementExpired(&episodes)).is_empty(), "once");
    assert_eq!(run.acknowledge(62, &high_since(5)), ["high acknowledged"], "a person sees it again");
}

#[test]
fn an_acknowledgement_of_another_episode_or_of_what_returned_runs_out_without_a_word() {
    let mut run = Run::new();
    run.reading(5, 81.0);
    run.acknowledge(6, &high_since(5));
    assert!(run.said(7, &Input::AcknowledgementExpired(&[high_since(1)])).is_empty());
    assert_eq!(run.reading(10, 70.0), ["high returned 10s"]);
    assert!(run.said(11, &Input::AcknowledgementExpired(&[high_since(5)])).is_empty());
}

#[test]
fn a_device_s_inhibit_bit_is_a_condition_of_its_own_and_changes_no_other() {
    let mut run = Run::new();
    let bit = |active| Input::Inhibit { tag: TAG, active };
    run.reading(5, 70.0);
    assert_eq!(run.said(6, &bit(true)), ["inhibited raised 6s", "announce inhibited"]);
    assert!(run.said(7, &bit(true)).is_empty(), "said once");
    assert_eq!(run.reading(10, 85.0), ["high raised 10s", "announce high"], "it is evaluated all the same");
    assert_eq!(run.said(12, &bit(false)), ["inhibited returned 12s"]);
    assert!(run.said(13, &bit(false)).is_empty());
}

#[test]
fn devices_without_a_condition_for_it_are_inhibited_as_an_alarm_of_their_gateway() {
    let silent = |name: &str| {
        let mut one = tag("hx", name, Signal::Temperature);
        one.conditions = vec![rule(Condition::High, 80.0)].into();
        one
    };
    let plant = plant(vec![silent("T1"), silent("T2")], &[], Duration::from_secs(5), "v");
    let find = |name| plant.find_tag("hx", name).expect("the tag");
    let (one, other) = (find("T1"), find("T2"));
    let mut run = Run { rules: Rules::new(plant.clone(), ZERO), tag: one };
    let bit = |tag, active| Input::Inhibit { tag, active };
    assert_eq!(run.rules.tells_of_inhibit(one), plant.gateways[0].tag);
    assert_eq!(run.said(1, &bit(one, true)), ["~GW.inhibited raised 1s", "announce ~GW.inhibited [T1]"]);
    assert!(run.said(2, &bit(one, true)).is_empty(), "said once");
    assert!(run.said(3, &bit(other, true)).is_empty() && run.said(4, &bit(one, false)).is_empty(), "the other still is");
    assert_eq!(run.said(5, &bit(other, false)), ["~GW.inhibited returned 5s"]);
    // A start knows who it was: another's word that it is free ends nothing.
    run.said(6, &bit(one, true));
    let mut rows = Vec::new();
    run.rules.drain_changed(&mut rows);
    let hard: Vec<_> = rows.into_iter().filter_map(|(key, bytes)| Some((key, bytes?))).collect();
    run.rules = Rules::restore(plant.clone(), &hard, &[], at(7)).expect("its own rows");
    assert!(run.said(8, &bit(other, false)).is_empty());
    assert_eq!(run.said(9, &bit(one, false)), ["~GW.inhibited returned 9s"]);
}

#[test]
fn a_configuration_that_gives_a_device_its_own_word_and_takes_it_back_leaves_nobody_unheard() {
    let made = |own: bool, version: &str| {
        let mut one = tag("hx", "T", Signal::Temperature);
        one.conditions = vec![rule(Condition::High, 80.0)].into();
        if own {
            one.conditions.push(rule(Condition::Inhibited, 0.0));
        }
        plant(vec![one], &[], Duration::from_secs(5), version)
    };
    let (without, with) = (made(false, "v"), made(true, "w"));
    let mut run = Run { rules: Rules::new(without.clone(), ZERO), tag: TAG };
    let bit = |active| Input::Inhibit { tag: TAG, active };
    assert_eq!(run.said(1, &bit(true)), ["~GW.inhibited raised 1s", "announce ~GW.inhibited [T]"]);
    assert!(run.rules.says_inhibited(TAG));
    let reload = |run: &mut Run, secs, from, to: &std::sync::Arc<model::Plant>| {
        let mut out = Vec::new();
        run.rules.reload(watchfire_rules::Reload::prepare(from, to.clone()), at(secs), &mut out).expect("prepared from what is in force");
        out.iter().map(|effect| describe(effect, true)).collect::<Vec<_>>()
    };
    // It may send changes only: who is to tell of it now does so at once.
    assert_eq!(reload(&mut run, 2, &without, &with), ["T.inhibited raised 2s", "announce T.inhibited", "~GW.inhibited returned 2s"]);
    assert!(!run.rules.says_inhibited(TAG));
    assert_eq!(reload(&mut run, 3, &with, &without), ["T.inhibited retired", "~GW.inhibited raised 3s", "announce ~GW.inhibited [T]"]);
    assert!(run.rules.says_inhibited(TAG));
    assert_eq!(run.said(4, &bit(false)), ["~GW.inhibited returned 4s"]);
    assert_eq!(run.said(5, &bit(true)), ["~GW.inhibited raised 5s", "announce ~GW.inhibited [T]"]);
}

/// The only measured tag stands before the gateway's own and behind the engine's.
const TAG: model::TagIndex = model::TagIndex(model::plant::SYSTEM_TAGS.len() as u32);
