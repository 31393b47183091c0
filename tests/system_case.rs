//! An alarm of the engine itself takes the same path as a tank's, and so does its case: with the shipped county, somebody can
//! sign it, handle it and close it.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use model::{Act, ActAnswer, ActKind, Actor, AlarmEffect, AlarmState, Change, EscalationEffect, EscalationInput, Outcome, Tier};
use std::path::Path;

#[test]
fn an_alarm_of_the_engine_itself_is_signed_and_handled_by_its_keeper_and_closed_by_the_county() {
    let plant = std::sync::Arc::new(config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap().plant);
    let mut escalation = escalation::Escalation::new(plant.clone());
    let mut now = model::Timestamp::from_secs(1_772_500_000);
    let alarm = model::AlarmId { tag: model::TagId::new("_system", "storage"), condition: model::Condition::System };
    let key = |step| model::TransitionKey { alarm: alarm.clone(), episode: model::Episode { since: now, count: 0 }, step };
    let raise = key(0);
    let transition = |step, change, from, to, now| {
        let cause = model::Cause::Engine { detail: "disk full".to_owned() };
        let (key, level) = (model::TransitionKey { step, ..raise.clone() }, model::Level::Orange);
        let rules = plant.version.clone();
        AlarmEffect::Transition(model::Transition {
            key,
            change,
            from,
            to,
            at: now,
            now,
            level,
            setpoint: None,
            late: false,
            suppressed: false,
            cause,
            rules,
        })
    };
    let told = model::Announcement {
        key: raise.clone(),
        level: model::Level::Orange,
        at: now,
        now,
        mode: model::AnnounceMode::Normal,
        value: None,
        members: Vec::new(),
        standing: true,
    };
    let raised = transition(0, Change::Raised, AlarmState::Normal, AlarmState::Unacknowledged, now);
    let mut out = Vec::new();
    escalation.step(&EscalationInput::Alarms(&[raised, AlarmEffect::Announce(told)]), now, &mut out);
    let case = escalation.cases().next().unwrap().id.clone();

    let person = |id: &str, body: &str, tier| Actor { person: id.into(), body: body.into(), tier };
    let keeper = person("keeper1", "_system", Tier::ENTERPRISE);
    let (county, park) = (person("qingxi-duty", "qingxi", Tier::COUNTY), person("linjiang-duty", "linjiang-park", Tier::TOWNSHIP));
    let episodes = vec![model::EpisodeRef { alarm: alarm.clone(), episode: raise.episode }];
    let comment = "disk made free".to_owned();
    let mut count = 0;
    let mut act = |escalation: &mut escalation::Escalation, by: &Actor, what: ActKind| {
        count += 1;
        now += model::Duration::from_secs(1);
        let act = Act { id: format!("act-{count}").as_str().into(), by: by.clone(), what };
        let mut out = Vec::new();
        escalation.step(&EscalationInput::Act(&act), now, &mut out);
        let answer = out.into_iter().find_map(|effect| if let EscalationEffect::Answer(_, answer) = effect { Some(answer) } else { None });
        matches!(answer.unwrap(), ActAnswer::Done { .. })
    };
    let accept = || ActKind::Accept { case: case.clone(), announcements: vec![raise.clone()] };
    assert!(!act(&mut escalation, &park, accept()), "no township stands above the engine");
    assert!(act(&mut escalation, &keeper, accept()));
    assert!(act(&mut escalation, &county, accept()));
    assert!(act(&mut escalation, &keeper, ActKind::Acknowledge { episodes: episodes.clone() }));
    let settled = [
        transition(
            1,
            Change::Acknowledged,
            AlarmState::Unacknowledged,
            AlarmState::Acknowledged,
            model::Timestamp::from_secs(1_772_500_004),
        ),
        transition(2, Change::Returned, AlarmState::Acknowledged, AlarmState::Normal, model::Timestamp::from_secs(1_772_500_004)),
    ];
    escalation.step(&EscalationInput::Alarms(&settled), model::Timestamp::from_secs(1_772_500_004), &mut out);
    let check = ActKind::Check { case: case.clone(), episodes, outcome: Outcome::Real, field: None, comment: comment.clone() };
    assert!(act(&mut escalation, &keeper, check));
    assert!(act(&mut escalation, &keeper, ActKind::Handle { case: case.clone(), comment: comment.clone() }));
    assert!(act(&mut escalation, &keeper, ActKind::Report { case: case.clone(), comment: comment.clone() }));
    assert!(act(&mut escalation, &county, ActKind::Review { case: case.clone(), comment: comment.clone() }));
    let close = ActKind::Close { case: case.clone(), announcements: vec![raise.clone()], comment };
    assert!(!act(&mut escalation, &keeper, close.clone()), "nobody closes what they handled");
    assert!(act(&mut escalation, &county, close));
    assert!(escalation.case(&case).unwrap().closed.is_some());
}
