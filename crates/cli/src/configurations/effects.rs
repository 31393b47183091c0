//! What a change would do to what runs now. Nothing is worked out a second time: the real rules are restored from the store's own rows,
//! taken over to the new plant, and asked.

use console::PlanEffectJson;

use model::plant::{ConditionRule, Method, Tag};
use model::{AlarmEffect, AlarmId, Change, Plant, Reading, TagIndex, Timestamp};
use rules::{Input, Reload, Rules};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The newest reading of a tag, as the pages show it.
pub type Newest<'a> = &'a dyn Fn(TagIndex) -> Option<Reading>;

/// Runs the change on a copy, and says in what it differs from running on as before.
pub fn of(
    from: &Arc<Plant>,
    to: &Arc<Plant>,
    hard: &[(String, Vec<u8>)],
    newest: Newest<'_>,
    now: Timestamp,
) -> Result<Vec<PlanEffectJson>, String> {
    let reload = Reload::prepare(from, Arc::clone(to));
    let changed: Vec<(TagIndex, TagIndex)> = reload.changed().collect();
    let mut after = Copy::of(from, hard, newest, now)?;
    after.go_on(reload, changed.iter().copied(), newest, now)?;
    let mut before = Copy::of(from, hard, newest, now)?;
    // The same, under the same limits: what happens here as well is no matter of the plan.
    before.go_on(Reload::prepare(from, Arc::clone(from)), changed.iter().map(|(old, _)| (*old, *old)), newest, now)?;
    let mut effects: Vec<_> = after.said.iter().filter(|said| !before.said.contains(said)).filter_map(transition).collect();
    let ends_by_raise = |alarm: &AlarmId| after.said.iter().filter_map(transition).any(|one| one.what == RAISE && is_of(&one, alarm));
    for (alarm, due) in &before.delays {
        match after.delays.get(alarm) {
            Some(then) if then != due => effects.push(delay("delay-goes-on", alarm, Some(*then), MOVED)),
            None if !ends_by_raise(alarm) => effects.push(delay("delay-ends", alarm, None, ENDS)),
            _ => {}
        }
    }
    for (alarm, due) in &after.delays {
        if !before.delays.contains_key(alarm) {
            effects.push(delay("delay-begins", alarm, Some(*due), BEGINS));
        }
    }
    for (alarm, due) in &before.returns {
        if let Some(then) = after.returns.get(alarm).filter(|then| *then != due) {
            effects.push(delay("return-delay-goes-on", alarm, Some(*then), MOVED));
        }
    }
    effects.extend(changed.iter().flat_map(|(old, new)| windows(from.tag(*old), to.tag(*new))));
    Ok(effects)
}

/// What is measured over a window of another length, or calculated otherwise: it begins to gather anew.
fn windows(old: &Tag, new: &Tag) -> Vec<PlanEffectJson> {
    let begins_anew = |rule: &&ConditionRule| {
        let before = old.conditions.iter().find(|other| other.condition == rule.condition);
        let lengths = before.map(|before| (before.method(), rule.method()));
        matches!(lengths, Some((Method::Rate { window: before }, Method::Rate { window })) if before != window)
    };
    let alarm = |condition| AlarmId { tag: new.id.clone(), condition };
    let mut effects: Vec<_> = new
        .conditions
        .iter()
        .filter(begins_anew)
        .map(|rule| delay("window-restarts", &alarm(rule.condition), None, GATHERS_ANEW))
        .collect();
    if old.calculation.is_some() && new.calculation.is_some() && old.formula() != new.formula() {
        let conditions = new.conditions.iter().map(|rule| rule.condition);
        effects.extend(conditions.map(|condition| delay("calculated-anew", &alarm(condition), None, CALCULATED_ANEW)));
    }
    effects
}

/// The engine's alarms, to try something on.
struct Copy {
    rules: Rules,
    said: Vec<(AlarmId, Change)>,
    delays: BTreeMap<AlarmId, Timestamp>,
    returns: BTreeMap<AlarmId, Timestamp>,
}

impl Copy {
    /// As they stand now.
    fn of(from: &Arc<Plant>, hard: &[(String, Vec<u8>)], newest: Newest<'_>, now: Timestamp) -> Result<Self, String> {
        let mut rules = Rules::restore(Arc::clone(from), hard, &[], now).map_err(|error| error.to_string())?;
        let mut quiet = Vec::new();
        rules.step(&Input::Link { up: true }, now, &mut quiet);
        rules.step(&Input::Drained, now, &mut quiet);
        for at in 0..from.tags.len() {
            if let Some(reading) = newest(TagIndex(at as u32)) {
                rules.step(&Input::Reading(reading), now, &mut quiet);
            }
        }
        Ok(Self { rules, said: Vec::new(), delays: BTreeMap::new(), returns: BTreeMap::new() })
    }

    /// Goes on under another configuration, with the newest values of these tags once more: what returns by them will return with the
    /// next reading.
    fn go_on(
        &mut self,
        reload: Reload,
        tags: impl Iterator<Item = (TagIndex, TagIndex)>,
        newest: Newest<'_>,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut said = Vec::new();
        self.rules.reload(reload, now, &mut said).map_err(|error| error.to_string())?;
        for (old, new) in tags {
            if let Some(reading) = newest(old) {
                self.rules.step(&Input::Reading(Reading { tag: new, source_time: now, receive_time: now, ..reading }), now, &mut said);
            }
        }
        let transition = |effect| if let AlarmEffect::Transition(one) = effect { Some((one.key.alarm, one.change)) } else { None };
        self.said = said.into_iter().filter_map(transition).collect();
        self.returns = self.rules.return_delays().collect();
        self.delays = self.rules.delays().map(|(alarm, _, due)| (alarm, due)).collect();
        Ok(())
    }
}

const RAISE: &str = "would-raise";
const MOVED: (&str, &str) = ("延时从原起点起按新时长", "its delay goes on from its own beginning, by the new length");
const GATHERS_ANEW: (&str, &str) =
    ("窗口长度变了,重新积累,满之前不判断", "its window has another length and gathers anew; nothing is judged until it is full");
const CALCULATED_ANEW: (&str, &str) = ("公式变了,按新公式重新计算和积累", "its formula is another one: it is calculated and gathered anew");
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

fn transition((alarm, change): &(AlarmId, Change)) -> Option<PlanEffectJson> {
    let (what, text) = match change {
        Change::Raised => (RAISE, ("按最新值将报警", "would be raised by the newest value")),
        Change::Returned => ("would-return", ("按最新值将恢复(下一读数时)", "would return by the newest value, with the next reading")),
        Change::Retired => (
            "retired",
            ("正在报警,条件或位号被取消:报警终止并留痕", "stands; its condition or tag goes: it is retired where people see it"),
        ),
        // What time brings by itself is no effect of the change.
        _ => return None,
    };
    Some(delay(what, alarm, None, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Files, Options};
    use model::{Condition, Quality};
    use std::path::Path;

    fn windows_of(old: &Plant, new: &Plant) -> Vec<PlanEffectJson> {
        old.tags.iter().zip(&new.tags).flat_map(|(old, new)| windows(old, new)).collect()
    }

    const LIMITS: &str = ",80,90,95,2,30,0,5,GW01,";

    #[test]
    fn a_plan_tells_what_differs_from_running_on_and_nothing_else() {
        let environment = |_: &str| None;
        let folder = Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config")));
        let with = |from: &str, to: &str| {
            let mut files = folder.clone();
            let list = "enterprises/hongxin.csv";
            let text = String::from_utf8(files.get(Path::new(list)).unwrap().to_vec()).unwrap();
            // It returns at the first reading that is clear of its limit.
            let text = text.replacen(",80,90,95,2,30,10,5,GW01,", LIMITS, 1);
            assert!(text.contains(from));
            files.set(list, text.replacen(from, to, 1).into_bytes());
            Arc::new(config::load_files(&files, &Options { today: None, environment: &environment }).unwrap().plant)
        };
        let old = with(LIMITS, LIMITS);
        let now = Timestamp::from_secs(1_764_000_000);
        let tag = old.find_tag("hongxin", "LIA-101").unwrap();
        let reading =
            |value, at: Timestamp| Reading { tag, source_time: at, receive_time: at, value, quality: Quality::Good, sequence: None };
        // High-high stands, and the newest value has long returned: it goes with the next reading, whatever is planned.
        let mut rules = Rules::new(Arc::clone(&old), now - model::Duration::from_mins(60));
        for (value, minutes) in [(91.0, 50), (91.0, 40)] {
            let at = now - model::Duration::from_mins(minutes);
            rules.step(&Input::Reading(reading(value, at)), at, &mut Vec::new());
        }
        let mut rows = Vec::new();
        rules.drain_changed(&mut rows);
        let hard: Vec<_> = rows.into_iter().filter_map(|(key, bytes)| Some((key, bytes?))).collect();
        let newest = |value| move |asked: TagIndex| (asked == tag).then(|| reading(value, now - model::Duration::from_mins(1)));
        let effects = |new: &Arc<Plant>, value| {
            let effects = of(&old, new, &hard, &newest(value), now).unwrap();
            effects.into_iter().map(|effect| (effect.condition, effect.what)).collect::<Vec<_>>()
        };
        let other = with(LIMITS, ",81,90,95,2,30,0,5,GW01,");
        assert_eq!(effects(&old, 85.0), []);
        assert!(effects(&other, 85.0).iter().all(|(condition, _)| condition != Condition::HighHigh.name()), "{:?}", effects(&other, 85.0));
        let higher = with(LIMITS, ",80,94,95,2,30,0,5,GW01,");
        assert_eq!(effects(&higher, 91.5), [("high-high".to_owned(), "would-return".to_owned())]);

        // A window of another length, and another formula, begin to gather anew.
        let ruled = |from: &str, to: &str| {
            let mut files = folder.clone();
            let rules = String::from_utf8(files.get(Path::new("rules.toml")).unwrap().to_vec()).unwrap();
            assert!(rules.contains(from), "{from}");
            files.set("rules.toml", rules.replacen(from, to, 1).into_bytes());
            Arc::new(config::load_files(&files, &Options { today: None, environment: &environment }).unwrap().plant)
        };
        let rate = "rate_up = { limit = 8, window = \"5min\"";
        let (five, ten) = (ruled(rate, rate), ruled(rate, "rate_up = { limit = 8, window = \"10min\""));
        let told: Vec<_> = windows_of(&five, &ten).into_iter().map(|effect| (effect.tag, effect.what)).collect();
        assert_eq!(told, [("hengsu/TIA-101".to_owned(), "window-restarts".to_owned())]);
        assert_eq!(windows_of(&five, &five), []);
    }
}
