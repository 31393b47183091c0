//! The lines of a case's timeline, worded for one login. Attempts and messages to people above the viewer stay out, as on the
//! page of messages; that a tier was told is told by the case's own events.

use crate::TimelineEntry;
use crate::json::TimelineJson;
use crate::render::Render;
use crate::words;
use model::{Case, Cause, PersonId, Timestamp};

pub(crate) fn lines(render: &Render<'_>, case: &Case, entries: Vec<TimelineEntry>) -> Vec<TimelineJson> {
    let mut lines: Vec<_> = entries.into_iter().filter_map(|entry| line(render, case, entry)).collect();
    lines.sort_by_key(|line| line.at);
    lines
}

fn line(render: &Render<'_>, case: &Case, entry: TimelineEntry) -> Option<TimelineJson> {
    let plant = render.plant();
    let by = |person: &PersonId| (Some(person.to_string()), Some(render.person_name(person)));
    match entry {
        TimelineEntry::Event(event) => {
            let (kind, text) = words::event(plant, Some(case), &event.what, event.tier);
            let (person, name) = event.by.as_ref().map_or((None, None), by);
            let comment = (!event.comment.is_empty()).then_some(event.comment);
            Some(TimelineJson { person, name, tier: event.tier.map(|tier| tier.0), comment, ..of(event.at, kind, text, false) })
        }
        TimelineEntry::Transition(transition) => {
            let text = words::transition(plant, &transition);
            let (person, name) = match &transition.cause {
                Cause::Act { person, .. } => by(person),
                Cause::Reading(_) | Cause::Deadline { .. } | Cause::Engine { .. } => (None, None),
            };
            Some(TimelineJson { person, name, ..of(transition.now, "alarm", text, transition.late) })
        }
        TimelineEntry::Notification(notification) => {
            if !render.viewer.sees_person(&notification.key.recipient) {
                return None;
            }
            let (zh, en) = words::purpose(notification.key.purpose);
            let channel = &notification.key.channel;
            let text = words::Text::new(format!("{zh}（{channel}）"), format!("{en} by {channel}"));
            let (person, name) = by(&notification.key.recipient);
            let tier = Some(notification.key.tier.0);
            Some(TimelineJson { person, name, tier, ..of(notification.at, "message", text, notification.late) })
        }
        TimelineEntry::Attempt { attempt, at } => {
            if !render.viewer.sees_person(&attempt.key.recipient) {
                return None;
            }
            let (person, name) = by(&attempt.key.recipient);
            let tier = Some(attempt.key.tier.0);
            let mut text = words::attempt(&attempt);
            let said = words::answer(&attempt.answer);
            // What has the same words in both languages is a gateway's own answer.
            let comment = (said.zh == said.en && !attempt.answer.is_empty()).then(|| attempt.answer.clone());
            if said.zh != said.en {
                text = words::Text::new(format!("{}：{}", text.zh, said.zh), format!("{}: {}", text.en, said.en));
            }
            Some(TimelineJson { person, name, tier, comment, ..of(at, "attempt", text, false) })
        }
    }
}

fn of(at: Timestamp, kind: &str, text: words::Text, late: bool) -> TimelineJson {
    TimelineJson {
        at: at.as_millis(),
        kind: kind.to_owned(),
        text_zh: text.zh,
        text_en: text.en,
        person: None,
        name: None,
        tier: None,
        comment: None,
        late,
    }
}
