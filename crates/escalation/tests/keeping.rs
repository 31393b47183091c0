//! What is kept, how much of it, and what a reader of the state or the page can rely on.

mod common;

use common::plant::{county, policies};
use common::world::{START, World};
use model::plant::{ChannelKind, Shift};
use model::*;
use std::sync::Arc;
use watchfire_escalation::{CLOSED_CASES_MAX, Escalation};

fn at(world: &mut World, time: &str, words: &[&str]) {
    for one in words {
        world.run(time, one);
    }
}

#[test]
fn reaching_nobody_never_counts_as_told_until_somebody_is_reached() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise LIA-101 high-high"]);
    assert_eq!(world.case("tank").announcements[0].told, [(Tier::ENTERPRISE, START)]);
    at(&mut world, "1s", &["result wang sms failed", "result wang voice failed", "result boss sms failed", "result hx-phone voice failed"]);
    let case = world.case("tank");
    assert_eq!(case.announcements[0].told, [(Tier::TOWNSHIP, START + Duration::from_secs(1))]);
    assert!(case.tiers[0].passed && case.tiers[0].told.is_none() && case.tiers[0].reached.is_none());
    assert_eq!(case.step, CaseStep::Opened);
    at(&mut world, "3m", &["-"]);
    at(&mut world, "3m1s", &["result wang sms accepted"]);
    let case = world.case("tank");
    assert!(case.announcements[0].told.iter().any(|(tier, _)| *tier == Tier::ENTERPRISE));
    assert!(case.tiers[0].passed && case.tiers[0].reached.is_some());
    assert_eq!(case.step, CaseStep::Notified);
}

#[test]
fn the_enterprise_s_missed_signature_stays_on_record_after_a_late_one() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise LIA-101 high-high"]);
    at(&mut world, "6m", &["accept zhou tank", "accept wang tank"]);
    let one = &world.case("tank").announcements[0];
    assert!(one.sign_missed);
    assert_eq!(one.sign_by, START + Duration::from_mins(5));
    assert_eq!(one.signed.iter().map(|signature| signature.tier).collect::<Vec<_>>(), [Tier::TOWNSHIP, Tier::ENTERPRISE]);
}

#[test]
fn numbers_count_per_enterprise_and_civil_day() {
    let mut world = World::new(county(), true);
    at(&mut world, "0s", &["raise LIA-101 high", "raise GT-1 high", "raise by/T000 high", "raise by/T010 high"]);
    // Midnight in China is twelve hours after the scenario's noon.
    at(&mut world, "12h", &["raise by/T020 high"]);
    let number = |place: &str| world.case(place).number.clone();
    assert_eq!(
        [number("tank"), number("area"), number("P00"), number("P01"), number("P02")],
        ["1125-01", "1125-02", "1125-01", "1125-02", "1126-01"]
    );
}

#[test]
fn at_night_the_quiet_list_is_used_and_an_empty_roster_rings_the_duty_phone() {
    let mut plant = (*county()).clone();
    plant.policies = policies();
    plant.policies.levels[Level::Yellow.at()].tell[0].by_quiet = vec![ChannelKind::Sms];
    let hx = plant.bodies.iter_mut().find(|body| body.id.as_str() == "hx").unwrap();
    hx.roster = vec![Shift { days: [true; 7], from: 8 * 60, to: 20 * 60, people: vec!["wang".into()] }];
    let mut world = World::new(Arc::new(plant), false);
    // 19:59: wang by all channels. 20:01: nobody on duty. 22:00: quiet, and the duty phone has no other channel than voice.
    at(&mut world, "7h59m", &["raise LIA-101 high"]);
    at(&mut world, "8h1m", &["raise TIA-101 high"]);
    at(&mut world, "10h", &["raise LIA-101 low"]);
    let first = |condition: Condition, tag: &str| -> Vec<String> {
        let of =
            |one: &&Notification| one.key.purpose == Purpose::Announce && one.alarm.condition == condition && &*one.alarm.tag.tag == tag;
        let to = |one: &Notification| format!("{} {}", one.key.recipient, one.key.channel);
        world.sent.iter().filter(of).filter(|one| one.key.tier == Tier::ENTERPRISE).map(to).collect()
    };
    assert_eq!(first(Condition::High, "LIA-101"), ["wang sms", "wang voice", "wang page"]);
    assert_eq!(first(Condition::High, "TIA-101"), ["hx-phone voice"]);
    assert_eq!(first(Condition::Low, "LIA-101"), ["hx-phone voice"]);
}

#[test]
fn a_data_fault_that_wants_the_siren_sounds_it_when_its_wait_ends() {
    let mut plant = (*county()).clone();
    let detector = plant.tags.iter_mut().find(|tag| &*tag.id.tag == "GT-3").unwrap();
    detector.conditions.iter_mut().find(|rule| rule.condition == Condition::BadQuality).unwrap().level = Level::Red;
    let plant = Arc::new(plant);
    for returned in [false, true] {
        let mut world = World::new(plant.clone(), true);
        at(&mut world, "0s", &["raise GT-3 bad-quality"]);
        assert!(world.escalation.sirens().is_empty(), "nobody is told yet, so nothing sounds");
        if returned {
            at(&mut world, "29m", &["return GT-3 bad-quality"]);
        }
        at(&mut world, "30m", &["-"]);
        assert_eq!(world.escalation.sirens().iter().any(|siren| siren.sound), !returned);
    }
}

#[test]
fn an_announcement_said_again_changes_nothing() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise LIA-101 high"]);
    let key = world.case("tank").announcements[0].key.clone();
    let again = [AlarmEffect::Announce(Announcement {
        key,
        level: Level::Yellow,
        at: START,
        now: START,
        mode: AnnounceMode::Normal,
        value: None,
        members: Vec::new(),
        standing: true,
    })];
    let before = world.rows.clone();
    assert!(world.step(&EscalationInput::Alarms(&again)).is_empty());
    assert!(world.rows == before);
}

#[test]
fn a_tag_that_nobody_configured_any_more_is_still_told() {
    let mut world = World::new(county(), true);
    at(&mut world, "0s", &["raise LIA-101 high"]);
    let mut smaller = (*world.plant).clone();
    smaller.tags.retain(|tag| &*tag.id.tag != "LIA-101" && &*tag.id.tag != "TIA-101");
    let rows: Vec<_> = world.rows.clone().into_iter().collect();
    let mut escalation = Escalation::restore(Arc::new(smaller), &rows, START, START).unwrap();
    let mut out = Vec::new();
    escalation.step(&EscalationInput::Timeout, START + Duration::from_mins(10), &mut out);
    assert!(out.iter().any(|effect| matches!(effect, EscalationEffect::Notify(one) if one.key.tier == Tier::TOWNSHIP)));
    assert_eq!(escalation.audit(START + Duration::from_mins(10)), Vec::<String>::new());
}

#[test]
fn closed_cases_are_bounded_and_their_rows_deleted() {
    let mut world = World::new(county(), false);
    let mut first = None;
    for round in 0..=CLOSED_CASES_MAX {
        let time = format!("{}s", round * 2);
        at(&mut world, &time, &["raise SA-101 discrete", "return SA-101 discrete", "acknowledge wang tank", "accept wang tank"]);
        at(&mut world, &time, &["check wang tank real", "close li tank"]);
        first.get_or_insert_with(|| world.case("tank").id.clone());
    }
    assert_eq!(world.escalation.cases().count(), CLOSED_CASES_MAX);
    assert_eq!(world.rows.keys().filter(|key| key.starts_with("case/")).count(), CLOSED_CASES_MAX);
    assert!(world.escalation.case(&first.unwrap()).is_none(), "the oldest fell out");
    // A restart finds the same ones in the same order.
    let rows: Vec<_> = world.rows.clone().into_iter().collect();
    let again = Escalation::restore(world.plant.clone(), &rows, world.now, world.now).unwrap();
    assert!(again.cases().eq(world.escalation.cases()));
}

#[test]
fn a_chattering_alarm_keeps_a_bounded_list_and_its_standing_episode() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise SA-101 discrete"]);
    for round in 0..bounds::CASE_EPISODES_MAX {
        let time = format!("{}s", round + 1);
        at(&mut world, &time, &["raise LIA-101 low", "return LIA-101 low"]);
    }
    let case = world.case("tank");
    assert_eq!(case.episodes.len(), bounds::CASE_EPISODES_MAX);
    assert!(case.episodes.iter().any(|episode| episode.of.alarm.condition == Condition::Discrete), "the standing one stays");
    assert_eq!(case.announcements.iter().map(|one| one.folded).sum::<u32>() as usize, bounds::CASE_EPISODES_MAX - 1);
}

#[test]
fn a_lost_gateway_lists_its_members_in_its_own_case_unless_they_have_one() {
    let listed = |history: &[&str]| {
        let mut world = World::new(county(), true);
        for (number, words) in history.iter().enumerate() {
            world.run(&format!("{number}s"), words);
        }
        let standing = |place: &str| {
            let cases = world.escalation.cases().find(|case| case.equipment.as_str() == place);
            cases.map_or(0, |case| case.episodes.iter().filter(|episode| episode.state.is_standing()).count())
        };
        assert_eq!(world.sent.iter().filter(|one| one.alarm.condition == Condition::Stale).count(), 0, "members are told to nobody");
        (standing("GW"), standing("P00"))
    };
    assert_eq!(listed(&["gateway-lost by/@G 120 + members stale 120"]), (121, 0));
    assert_eq!(listed(&["members stale 120", "gateway-lost by/@G 120"]), (121, 0));
    assert_eq!(listed(&["gateway-lost by/@G 120", "members stale 30"]), (31, 0));
    assert_eq!(listed(&["raise by/T000 high", "gateway-lost by/@G 120 + members stale 3"]), (1, 4));
    // Announced after all, a member's alarm moves from the gateway's case to its own equipment's.
    assert_eq!(listed(&["gateway-lost by/@G 120 + members low 2", "confirm by/T000 low"]), (2, 1));
}

#[test]
fn the_page_is_told_which_acts_would_be_accepted() {
    let mut world = World::new(county(), false);
    let may = |world: &World, who: &str| world.escalation.may(&world.case("tank").id, &world.actor(who));
    at(&mut world, "0s", &["raise LIA-101 high-high"]);
    assert_eq!(may(&world, "wang"), ["acknowledge", "accept"]);
    assert_eq!(may(&world, "zhou"), ["acknowledge", "accept", "remind", "supervise"]);
    assert!(may(&world, "bai").is_empty(), "another enterprise");
    at(&mut world, "1m", &["acknowledge wang tank", "accept wang tank"]);
    assert_eq!(may(&world, "wang"), ["check"]);
    at(&mut world, "2m", &["check wang tank real"]);
    assert_eq!(may(&world, "wang"), ["check", "handle"]);
    at(&mut world, "3m", &["handle wang tank", "return LIA-101 high-high"]);
    assert_eq!(may(&world, "wang"), ["check", "handle", "report"]);
    at(&mut world, "4m", &["report wang tank", "accept zhou tank"]);
    assert_eq!(may(&world, "zhou"), ["review", "return", "remind", "supervise"]);
    at(&mut world, "5m", &["review zhou tank"]);
    assert_eq!(may(&world, "zhou"), ["return", "close", "remind", "supervise"]);
    at(&mut world, "6m", &["close zhou tank"]);
    assert!(may(&world, "zhou").is_empty());
}

#[test]
fn an_act_names_what_is_wrong_with_it() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise GT-1 high"]);
    at(&mut world, "1s", &["accept wang area"]);
    let case = world.case("area").clone();
    let episodes = [case.episodes[0].of.clone()];
    let stranger = EpisodeRef { episode: Episode { since: Timestamp(1), count: 0 }, ..episodes[0].clone() };
    let refused = |world: &mut World, who: &str, what: ActKind| match world.send(who, what) {
        ActAnswer::Refused { reasons, .. } => reasons,
        ActAnswer::Done { .. } => panic!("it was done"),
    };
    let unknown = TransitionKey { alarm: episodes[0].alarm.clone(), episode: stranger.episode, step: 0 };
    let reasons = refused(&mut world, "wang", ActKind::Accept { case: case.id.clone(), announcements: vec![unknown.clone()] });
    assert_eq!(reasons, [Refusal::NoSuchAnnouncement { key: unknown.to_string() }]);
    let reasons = refused(&mut world, "wang", ActKind::Accept { case: case.id.clone(), announcements: vec![] });
    assert_eq!(reasons, [Refusal::NoSuchAnnouncement { key: String::new() }]);
    let reasons = refused(&mut world, "wang", ActKind::Acknowledge { episodes: vec![stranger.clone(), stranger.clone()] });
    assert_eq!(reasons, [Refusal::NoSuchEpisode], "each reason once");
    let check = |who: &str, at, reading, of: &EpisodeRef| ActKind::Check {
        case: case.id.clone(),
        episodes: vec![of.clone()],
        outcome: Outcome::False,
        field: Some(FieldCheck { person: who.into(), at, reading }),
        comment: String::new(),
    };
    let now = world.now;
    assert_eq!(refused(&mut world, "wang", check("wang", now, 0.0, &stranger)), [Refusal::NoSuchEpisode]);
    assert_eq!(refused(&mut world, "wang", check("nobody", now, 0.0, &episodes[0])), [Refusal::NoSuchPerson]);
    assert_eq!(refused(&mut world, "wang", check("hx-phone", now, 0.0, &episodes[0])), [Refusal::NoSuchPerson]);
    let needed = [Refusal::FieldCheckNeeded { alarm: episodes[0].alarm.clone() }];
    assert_eq!(refused(&mut world, "wang", check("wang", now, f64::NAN, &episodes[0])), needed);
    assert_eq!(refused(&mut world, "wang", check("wang", now + Duration::from_secs(1), 0.0, &episodes[0])), needed);
    assert_eq!(
        refused(&mut world, "wang", ActKind::Handle { case: "no such case".into(), comment: "x".to_owned() }),
        [Refusal::NoSuchCase]
    );
}

#[test]
fn somebody_who_claims_a_tier_their_body_has_not_is_refused() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise LIA-101 high-high"]);
    let case = world.case("tank").id.clone();
    let by = Actor { tier: Tier::COUNTY, ..world.actor("wang") };
    let act = Act { id: "forged".into(), by, what: ActKind::Supervise { case, comment: "x".to_owned() } };
    let out = world.step(&EscalationInput::Act(&act));
    let refused = ActAnswer::Refused { now: world.now, reasons: vec![Refusal::OutsideJurisdiction] };
    assert_eq!(out, [EscalationEffect::Answer("forged".into(), refused)]);
}

#[test]
fn an_act_leaves_its_id_its_author_and_its_words() {
    let mut world = World::new(county(), false);
    at(&mut world, "0s", &["raise LIA-101 high-high"]);
    let case = world.case("tank").id.clone();
    let comment = "查".repeat(bounds::COMMENT_CHARS_MAX + 1);
    let act = Act { id: "a-17".into(), by: world.actor("zhou"), what: ActKind::Supervise { case, comment } };
    let out = world.step(&EscalationInput::Act(&act));
    let Some(EscalationEffect::Event(event)) = out.first() else { panic!("an event comes first") };
    assert_eq!((event.act.as_ref(), event.by.as_ref(), event.tier), (Some(&"a-17".into()), Some(&"zhou".into()), Some(Tier::TOWNSHIP)));
    assert_eq!(event.comment.chars().count(), bounds::COMMENT_CHARS_MAX);
    assert!(matches!(out.last(), Some(EscalationEffect::Answer(id, ActAnswer::Done { .. })) if id.as_str() == "a-17"));
}

#[test]
fn a_damaged_row_is_named_and_foreign_rows_are_passed_over() {
    let restore = |key: &str, bytes: &[u8]| Escalation::restore(county(), &[(key.to_owned(), bytes.to_vec())], START, START);
    assert_eq!(restore("case/x", b"{").unwrap_err().key, "case/x");
    assert!(restore("siren/hx/z1", b"[]").unwrap_err().to_string().contains("siren/hx/z1"));
    assert!(restore("rules/x", b"not ours").is_ok());
}

#[test]
fn five_hundred_cases_an_hour_down_are_told_once_each_red_first() {
    // 500 tanks of one enterprise, a third of each of three levels, and the engine dies a minute after all were announced.
    let mut plant = (*county()).clone();
    let tank = plant.equipment.iter().position(|one| one.id.as_str() == "tank").unwrap();
    let tag = plant.tags.iter().find(|tag| &*tag.id.tag == "LIA-101").unwrap().clone();
    for number in 0..500 {
        let mut tag = tag.clone();
        tag.id = TagId::new("hx", format!("N{number:03}"));
        tag.equipment = model::EquipmentIndex(plant.equipment.len() as u32);
        tag.conditions[3].level = [Level::Yellow, Level::Orange, Level::Red][number % 3];
        plant.equipment.push(model::plant::Equipment { id: EquipmentId::new(format!("n{number:03}")), ..plant.equipment[tank].clone() });
        plant.tags.push(tag);
    }
    plant.tags.sort_by(|a, b| a.id.cmp(&b.id));
    let mut world = World::new(Arc::new(plant), false);
    for number in 0..500 {
        world.run("0s", &format!("raise N{number:03} high-high"));
    }
    let before = world.sent.len();
    world.run("30s", "down 1h");
    let late = &world.sent[before..];
    assert!(late.iter().all(|one| one.delayed_by_outage && one.at == START + Duration::from_secs(3630)));
    assert!(late.windows(2).all(|pair| pair[0].level >= pair[1].level), "red first");
    for case in world.escalation.cases() {
        let to = |tier: Tier, person: &str| {
            late.iter()
                .filter(|one| {
                    one.key.case == case.id
                        && one.key.tier == tier
                        && one.key.recipient.as_str() == person
                        && one.key.channel.as_str() == "sms"
                })
                .count()
        };
        assert_eq!([to(Tier::ENTERPRISE, "wang"), to(Tier::TOWNSHIP, "zhou"), to(Tier::COUNTY, "xu")], [1, 1, 1], "{}", case.id);
    }
    // Nothing is left over, and the climb goes on as if nothing had been.
    assert_eq!(world.escalation.audit(world.now), Vec::<String>::new());
    let before = world.sent.len();
    world.run("1h1m", "-");
    assert!(world.sent[before..].iter().all(|one| !one.delayed_by_outage && one.key.purpose == Purpose::Remind));
}
