//! Rules and escalation as one step: what follows an input, in which order, and that a restart goes on from the rows.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use model::*;
use pipeline::{Effect, Input, Pipeline};
use std::path::Path;
use std::sync::Arc;
use watchfire_pipeline as pipeline;

const START: Timestamp = Timestamp::from_secs(1_736_121_600);

fn plant() -> Arc<Plant> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/tep");
    Arc::new(config::load(&folder).unwrap_or_else(|faults| panic!("{}", faults.render(config::Lang::En, false))).plant)
}

fn pressure(plant: &Plant, value: f64, at: Timestamp) -> Input<'static> {
    let tag = plant.find_tag("tep", "XMEAS-7").unwrap();
    let reading = Reading { tag, source_time: at, receive_time: at, value, quality: Quality::Good, sequence: None };
    Input::Rules(rules::Input::Reading(reading))
}

fn step(pipeline: &mut Pipeline, input: &Input<'_>, now: Timestamp) -> Vec<Effect> {
    let mut out = Vec::new();
    pipeline.step(input, now, &mut out);
    out
}

fn in_words(effects: &[Effect]) -> Vec<String> {
    let words = effects.iter().map(|effect| match effect {
        Effect::Alarm(AlarmEffect::Transition(transition)) => {
            format!("{} {:?}", transition.key.alarm.condition, transition.change).to_lowercase()
        }
        Effect::Alarm(AlarmEffect::Announce(announcement)) => format!("announce {}", announcement.key.alarm.condition),
        Effect::Alarm(AlarmEffect::LateExceedance(_)) => "late exceedance".to_owned(),
        Effect::Case(EscalationEffect::Event(event)) => {
            let name = format!("{:?}", event.what);
            format!("case {}", name.split([' ', '{']).next().unwrap_or_default().to_lowercase())
        }
        Effect::Case(EscalationEffect::Notify(message)) => format!("tell {} by {}", message.key.recipient, message.key.channel),
        Effect::Case(EscalationEffect::Supersede(_)) => "supersede".to_owned(),
        Effect::Case(EscalationEffect::Siren(siren)) => format!("siren {}", siren.sound),
        Effect::Case(EscalationEffect::Answer(_, ActAnswer::Done { .. })) => "done".to_owned(),
        Effect::Case(EscalationEffect::Answer(_, ActAnswer::Refused { .. })) => "refused".to_owned(),
        Effect::Case(other) => format!("{other:?}"),
    });
    words.collect()
}

#[test]
fn what_the_rules_say_of_an_input_stands_before_what_follows_for_the_case() {
    let plant = plant();
    let mut pipeline = Pipeline::new(plant.clone(), START);
    assert!(step(&mut pipeline, &pressure(&plant, 2800.0, START), START).is_empty());
    let raised = in_words(&step(&mut pipeline, &pressure(&plant, 2900.0, START + Duration::from_secs(1)), START + Duration::from_secs(1)));
    assert_eq!(raised[..2], ["high raised", "announce high"]);
    assert_eq!(raised[2], "case opened");
    assert!(raised.iter().any(|word| word == "tell tep-operator by platform"), "{raised:?}");
}

#[test]
fn an_acknowledgement_goes_on_to_the_rules_only_where_it_was_allowed() {
    let plant = plant();
    let mut pipeline = Pipeline::new(plant.clone(), START);
    step(&mut pipeline, &pressure(&plant, 2900.0, START), START);
    let alarm = pipeline.alarms().alarms().next().unwrap();
    let episodes = vec![EpisodeRef { alarm: alarm.alarm, episode: alarm.episode.unwrap() }];
    let act = |id: &str, person: &str, body: &str| Act {
        id: ActId::new(id),
        by: Actor { person: person.into(), body: body.into(), tier: Tier::ENTERPRISE },
        what: ActKind::Acknowledge { episodes: episodes.clone() },
    };
    let strange = step(&mut pipeline, &Input::Act(&act("1", "tep-keeper", "_system")), START);
    assert_eq!(in_words(&strange), ["refused"]);
    let known = step(&mut pipeline, &Input::Act(&act("2", "tep-operator", "tep")), START);
    let words = in_words(&known);
    let (done, acknowledged) = (words.iter().position(|word| word == "done"), words.iter().position(|word| word == "high acknowledged"));
    assert!(done.is_some() && acknowledged > done, "{words:?}");
}

#[test]
fn deadlines_of_cases_are_served_where_nothing_arrives() {
    let plant = plant();
    let mut pipeline = Pipeline::new(plant.clone(), START);
    step(&mut pipeline, &pressure(&plant, 3001.0, START), START);
    let mut told = Vec::new();
    while let Some(due) = pipeline.next_deadline().filter(|due| *due <= START + Duration::from_mins(16)) {
        told.extend(step(&mut pipeline, &Input::Timeout, due));
    }
    let words = in_words(&told);
    assert!(words.iter().any(|word| word == "tell tep-county-duty by platform"), "{words:?}");
}

#[test]
fn a_restart_from_the_rows_goes_on_as_if_nothing_had_been() {
    let plant = plant();
    let mut through = Pipeline::new(plant.clone(), START);
    let mut before = Pipeline::new(plant.clone(), START);
    let raise = pressure(&plant, 2900.0, START);
    assert_eq!(step(&mut through, &raise, START), step(&mut before, &raise, START));
    let (mut changed, mut soft) = (Vec::new(), Vec::new());
    before.drain_changed(&mut changed);
    before.drain_soft(&mut soft);
    assert!(changed.iter().any(|(key, _)| pipeline::case_of_row(key).is_some()), "the case has a row");
    let hard: Vec<_> = changed.into_iter().filter_map(|(key, bytes)| Some((key, bytes?))).collect();
    let later = START + Duration::from_secs(1);
    let mut after = Pipeline::restore(plant.clone(), &hard, &soft, START, START).unwrap();
    for input in [Input::Rules(rules::Input::Link { up: true }), Input::Rules(rules::Input::Drained)] {
        assert_eq!(step(&mut after, &input, START), [], "a restart makes no transition");
    }
    let back = pressure(&plant, 2800.0, later);
    let said = step(&mut after, &back, later);
    assert!(!said.is_empty());
    assert_eq!(said, step(&mut through, &back, later));
}
