//! Effects as the lines of a scenario.

use super::world::short_time;
use model::*;

/// A tier by name.
pub fn tier(tier: Tier) -> &'static str {
    ["enterprise", "township", "county"][tier.at()]
}

/// `high-high LIA-101`.
pub fn alarm(alarm: &AlarmId) -> String {
    format!("{} {}", alarm.condition, alarm.tag.tag)
}

/// A raise key's text as an operator would name the alarm.
pub fn key(key: &str) -> String {
    let (condition, rest) = key.split_once('@').unwrap_or((key, ""));
    let tag = rest.split_once('/').map_or("", |(_, tag)| tag).split('!').next().unwrap_or("");
    format!("{condition} {tag}")
}

fn keys(list: &[String]) -> String {
    list.iter().map(|one| key(one)).collect::<Vec<_>>().join(", ")
}

fn alarms(list: &[AlarmId]) -> String {
    if list.len() > 4 { format!("{} alarms", list.len()) } else { list.iter().map(alarm).collect::<Vec<_>>().join(", ") }
}

/// An event without its case.
pub fn event(event: &CaseEvent) -> String {
    let what = match &event.what {
        CaseEventKind::Opened { level } => format!("opened {}", level.name()),
        CaseEventKind::Announced { key: of, level } => format!("announced {} {}", key(of), level.name()),
        CaseEventKind::Folded { key: of, count, .. } => format!("folded {} {count}", key(of)),
        CaseEventKind::LevelRose { level } => format!("rose to {}", level.name()),
        CaseEventKind::Told { key: of } => format!("told {}", key(of)),
        CaseEventKind::Reached => "reached".to_owned(),
        CaseEventKind::Passed => "passed".to_owned(),
        CaseEventKind::Reminded { key: of, count } => format!("reminder {count} {}", key(of)),
        CaseEventKind::SignMissed { key: of } => format!("sign-missed {}", key(of)),
        CaseEventKind::HandleMissed => "handle-missed".to_owned(),
        CaseEventKind::AlarmReturned { alarm: of } => format!("returned {}", alarm(of)),
        CaseEventKind::Acknowledged { alarms: of } => format!("acknowledged {}", alarms(of)),
        CaseEventKind::Accepted { keys: of } => format!("accepted {}", keys(of)),
        CaseEventKind::Checked { outcome, alarms: of, field } => {
            format!("checked {outcome:?} {}{}", alarms(of), if field.is_some() { " with field check" } else { "" })
        }
        CaseEventKind::Handling => "handling".to_owned(),
        CaseEventKind::Reported => "reported".to_owned(),
        CaseEventKind::Reviewed => "reviewed".to_owned(),
        CaseEventKind::Returned => "given back".to_owned(),
        CaseEventKind::Closed => "closed".to_owned(),
        CaseEventKind::Supervised => "supervised".to_owned(),
        CaseEventKind::LateExceedance { alarm: of } => format!("late-exceedance {}", alarm(of)),
        CaseEventKind::AcknowledgementExpired { alarm: of } => format!("acknowledgement ran out {}", alarm(of)),
    };
    let by = event.by.as_ref().map(|person| format!(" by {person}")).unwrap_or_default();
    let tier = event.tier.filter(|_| event.by.is_none()).map(|of| format!(" {}", tier(of))).unwrap_or_default();
    format!("{what}{tier}{by}")
}

/// What a window covers, as a scenario names it.
fn scope(scope: &Scope) -> String {
    let tag = |tag: &TagId| tag.tag.to_string();
    match scope {
        Scope::Alarms { alarms } => alarms.iter().map(|of| format!("{}/{}", tag(&of.tag), of.condition)).collect::<Vec<_>>().join(","),
        Scope::Tags { tags } => tags.iter().map(tag).collect::<Vec<_>>().join(","),
        Scope::Area { equipment, .. } => format!("area:{equipment}"),
        Scope::Gateway { gateway, .. } => format!("gateway:{gateway}"),
    }
}

fn window(window: &Window) -> String {
    let held = if window.held > 0 { format!(" held {}", window.held) } else { String::new() };
    let waits = match (window.in_force(), window.needs) {
        (true, _) | (_, None) => "",
        (_, Some(Confirmation::SecondPerson)) => " waits for a second person",
        (_, Some(Confirmation::TierAbove { .. })) => " waits for the tier above",
    };
    format!("{} {} of {}{held}{waits}", window.kind.name(), scope(&window.scope), window.owner)
}

/// What happened beside alarms and cases: `~` and words.
pub fn beside(event: &BesideEvent) -> String {
    let key_of = |of: &TransitionKey| key(&of.to_string());
    let to = |to: Audience| format!("{to:?}").to_lowercase();
    let what = match &event.what {
        BesideEventKind::WindowFiled { window: one } => format!("filed {}", window(one)),
        BesideEventKind::WindowConfirmed { window: one } => format!("confirmed {}", window(one)),
        BesideEventKind::WindowEnded { window: one, reason } => {
            let english = reason.split_once(" · ").map(|(_, english)| format!(": {english}")).unwrap_or_default();
            format!("ended {}{english}", window(one))
        }
        BesideEventKind::WindowShortened { window: one } => format!("shortened {} until {}", window(one), short_time(one.until)),
        BesideEventKind::Held { key: of, to: audience, .. } => format!("held {} for {}", key_of(of), to(*audience)),
        BesideEventKind::RaisedAnew { key: of, to: audience } => format!("raised anew {} for {}", key_of(of), to(*audience)),
        BesideEventKind::AcknowledgementExpired { of, count } => format!("acknowledgement {count} ran out {}", alarm(&of.alarm)),
        BesideEventKind::ChatteringBegan { alarm: of, count } => format!("chatters {} {count}", alarm(of)),
        BesideEventKind::ChatteringEnded { alarm: of, count } => format!("calm {} after {count}", alarm(of)),
        BesideEventKind::FloodBegan { enterprise, count } => format!("flood at {enterprise} {count}"),
        BesideEventKind::FloodEnded { enterprise, count } => format!("flood over at {enterprise} {count}"),
        BesideEventKind::FirstOut { alarm: of, .. } => format!("first out {}", alarm(of)),
    };
    let by = event.by.as_ref().map(|person| format!(" by {person}")).unwrap_or_default();
    format!("~ {what}{by}")
}

/// The head of a message line: what to which tier.
pub fn message_head(one: &Notification) -> String {
    let repeat = if one.key.repeat > 0 { format!(" {}", one.key.repeat) } else { String::new() };
    let late = if one.late { " late" } else { "" };
    let delayed = if one.delayed_by_outage { " delayed" } else { "" };
    let mark = match one.audience {
        Audience::Everyone => "",
        Audience::Enterprise => " [test]",
        Audience::Integrator | Audience::Nobody => " [commissioning]",
    };
    format!(
        "! {}{repeat} {} {}{late}{delayed}{mark} to {}:",
        one.key.purpose.name(),
        one.level.name(),
        alarm(&one.alarm),
        tier(one.key.tier)
    )
}

/// A siren's wanted state.
pub fn siren(one: &Siren) -> String {
    let on = |on| if on { "on" } else { "off" };
    let level = one.level.map_or("none", Level::name);
    format!("siren {} sound {} light {} {level} v{}", one.zone, on(one.sound), on(one.light), one.version)
}

/// An answer.
pub fn answer(answer: &ActAnswer) -> String {
    match answer {
        ActAnswer::Done { .. } => "done".to_owned(),
        ActAnswer::Refused { reasons, .. } => format!("refused {}", reasons.iter().map(refusal).collect::<Vec<_>>().join(", ")),
    }
}

fn refusal(reason: &Refusal) -> String {
    match reason {
        Refusal::NoSuchAnnouncement { key: of } => format!("no-such-announcement {}", key(of)),
        Refusal::NotShown { key: of } => format!("not-shown {}", key(of)),
        Refusal::WrongTier { needed } => format!("wrong-tier needs {}", tier(*needed)),
        Refusal::WrongStep { at } => format!("wrong-step at {}", at.name()),
        Refusal::NotSigned { tier: of, key: which } => format!("not-signed by {} {}", tier(*of), key(which)),
        Refusal::AlarmStands { alarm: of } => format!("stands {}", alarm(of)),
        Refusal::InputBad { alarm: of } => format!("input-bad {}", alarm(of)),
        Refusal::NotAcknowledged { alarm: of } => format!("not-acknowledged {}", alarm(of)),
        Refusal::Latched { alarm: of } => format!("latched {}", alarm(of)),
        Refusal::NotChecked { alarm: of } => format!("not-checked {}", alarm(of)),
        Refusal::FieldCheckNeeded { alarm: of } => format!("field-check-needed {}", alarm(of)),
        Refusal::EndTooLate { latest } => format!("end-too-late latest {}", short_time(*latest)),
        Refusal::NoSuchScope { name } => format!("no-such-scope {name}"),
        other => format!("{other:?}"),
    }
}

/// All effects of one step as lines; messages of one round share a line.
pub fn lines(effects: &[EscalationEffect], now: Timestamp, place: impl Fn(&CaseId) -> String) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut head = String::new();
    let mut person = None;
    for effect in effects {
        if let EscalationEffect::Notify(one) = effect {
            let this = format!("{} {} {}", short_time(one.at), place(&one.key.case), message_head(one));
            let to = one.key.recipient.clone();
            if this != head {
                lines.push(this.clone());
                head = this;
                person = None;
            }
            let line = lines.last_mut().expect("pushed above");
            if person.as_ref() != Some(&to) {
                line.push_str(&format!("{} {to}", if person.is_some() { "," } else { "" }));
                person = Some(to);
            }
            line.push_str(&format!(" {}", one.key.channel));
            continue;
        }
        if matches!(effect, EscalationEffect::Marked(_) | EscalationEffect::Unacknowledge(_)) {
            continue;
        }
        head.clear();
        lines.push(match effect {
            EscalationEffect::Event(one) => format!("{} {} {}", short_time(one.at), place(&one.case), event(one)),
            EscalationEffect::Supersede(case) => format!("{} {} superseded", short_time(now), place(case)),
            EscalationEffect::Siren(one) => format!("{} {}", short_time(now), siren(one)),
            EscalationEffect::Answer(_, one) => format!("{} {}", short_time(now), answer(one)),
            EscalationEffect::Beside(one) => format!("{} {}", short_time(one.at), beside(one)),
            EscalationEffect::Notify(_) | EscalationEffect::Marked(_) | EscalationEffect::Unacknowledge(_) => {
                unreachable!("handled above")
            }
        });
    }
    lines
}
