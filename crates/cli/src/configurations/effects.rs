//! What a change would do to what runs now. Nothing is worked out a second time: the real rules are restored from the store's own rows,
//! taken over to the new plant, and asked.

use console::PlanEffectJson;

use model::{AlarmEffect, AlarmId, Change, Plant, Reading, TagIndex, Timestamp};
use rules::{Input, Reload, Rules};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The newest reading of a tag, as the pages show it.
pub type Newest<'a> = &'a dyn Fn(TagIndex) -> Option<Reading>;

/// Runs the change on a copy.
pub fn of(
    from: &Arc<Plant>,
    to: &Arc<Plant>,
    hard: &[(String, Vec<u8>)],
    newest: Newest<'_>,
    now: Timestamp,
) -> Result<Vec<PlanEffectJson>, String> {
    let mut rules = Rules::restore(Arc::clone(from), hard, &[], now).map_err(|error| error.to_string())?;
    let mut quiet = Vec::new();
    rules.step(&Input::Link { up: true }, now, &mut quiet);
    rules.step(&Input::Drained, now, &mut quiet);
    for at in 0..from.tags.len() {
        if let Some(reading) = newest(TagIndex(at as u32)) {
            rules.step(&Input::Reading(reading), now, &mut quiet);
        }
    }
    let delays = |rules: &Rules| rules.delays().map(|(alarm, _, due)| (alarm, due)).collect::<BTreeMap<_, _>>();
    let before = delays(&rules);
    let reload = Reload::prepare(from, Arc::clone(to));
    let changed: Vec<(TagIndex, TagIndex)> = reload.changed().collect();
    let mut said = Vec::new();
    rules.reload(reload, now, &mut said).map_err(|error| error.to_string())?;
    let after = delays(&rules);
    // The same value once more, now under the new limits: what returns by it will return with the next reading.
    for (old, new) in changed {
        if let Some(reading) = newest(old) {
            rules.step(&Input::Reading(Reading { tag: new, source_time: now, receive_time: now, ..reading }), now, &mut said);
        }
    }
    let mut effects: Vec<_> = said.iter().filter_map(transition).collect();
    for (alarm, due) in &before {
        match after.get(alarm) {
            Some(then) => effects.push(delay("delay-goes-on", alarm, Some(*then), if then == due { SAME } else { MOVED })),
            None if !effects.iter().any(|effect| effect.what == "would-raise" && is_of(effect, alarm)) => {
                effects.push(delay("delay-ends", alarm, None, ENDS));
            }
            None => {}
        }
    }
    for (alarm, due) in &after {
        if !before.contains_key(alarm) {
            effects.push(delay("delay-begins", alarm, Some(*due), BEGINS));
        }
    }
    Ok(effects)
}

const SAME: (&str, &str) = ("延时照旧", "its delay goes on");
const MOVED: (&str, &str) = ("延时从原起点起按新时长", "its delay goes on from its own beginning, by the new length");
const ENDS: (&str, &str) =
    ("最新值不再越限,延时结束", "its delay ends: the newest value is within the new limit, or the condition is gone");
const BEGINS: (&str, &str) = ("最新值越过新限值,开始延时", "its delay begins: the newest value is beyond the new limit");

fn is_of(effect: &PlanEffectJson, alarm: &AlarmId) -> bool {
    effect.tag == alarm.tag.to_string() && effect.condition == alarm.condition.name()
}

fn delay(what: &str, alarm: &AlarmId, at: Option<Timestamp>, (zh, en): (&str, &str)) -> PlanEffectJson {
    PlanEffectJson {
        tag: alarm.tag.to_string(),
        condition: alarm.condition.name().to_owned(),
        what: what.to_owned(),
        at: at.map(Timestamp::as_millis),
        text_zh: zh.to_owned(),
        text_en: en.to_owned(),
    }
}

fn transition(effect: &AlarmEffect) -> Option<PlanEffectJson> {
    let AlarmEffect::Transition(transition) = effect else { return None };
    let (what, text) = match transition.change {
        Change::Raised => ("would-raise", ("按最新值将报警", "would be raised by the newest value")),
        Change::Returned => ("would-return", ("按最新值将恢复(下一读数时)", "would return by the newest value, with the next reading")),
        Change::Retired => (
            "retired",
            ("正在报警,条件或位号被取消:报警终止并留痕", "stands; its condition or tag goes: it is retired where people see it"),
        ),
        // What time brings by itself is no effect of the change.
        _ => return None,
    };
    Some(delay(what, &transition.key.alarm, None, text))
}
