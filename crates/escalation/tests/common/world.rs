//! The plant, its people and a clock around one escalation: turns scenario words into inputs and checks the invariants.

use super::say;
use model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use watchfire_escalation::Escalation;

/// Noon in China on 2024-11-25.
pub const START: Timestamp = Timestamp::from_secs(1_732_507_200);

/// `1h5m`, `10s`: time since the scenario's start.
pub fn short_time(at: Timestamp) -> String {
    let secs = at.since(START).as_secs();
    let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
    let mut text = String::new();
    for (n, unit) in [(h, "h"), (m, "m"), (s, "s")] {
        if n != 0 {
            text.push_str(&format!("{n}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Reads what [`short_time`] writes.
pub fn duration(text: &str) -> Duration {
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |rest| (rest, -1));
    let (mut total, mut digits) = (0, 0);
    for c in text.chars() {
        match c {
            '0'..='9' => digits = digits * 10 + i64::from(c as u8 - b'0'),
            unit => {
                total += digits
                    * match unit {
                        'h' => 3600,
                        'm' => 60,
                        's' => 1,
                        _ => panic!("no time: {text}"),
                    };
                digits = 0;
            }
        }
    }
    assert_eq!(digits, 0, "no unit: {text}");
    Duration::from_secs(sign * total)
}

/// An alarm as the rules would keep it.
#[derive(Clone, Copy)]
struct Kept {
    state: AlarmState,
    episode: Episode,
    step: u32,
}

/// One run.
pub struct World {
    pub plant: Arc<Plant>,
    pub escalation: Escalation,
    pub now: Timestamp,
    pub transcript: Vec<String>,
    pub sent: Vec<Notification>,
    pub rows: BTreeMap<String, Vec<u8>>,
    pub timers: BTreeMap<CaseId, Vec<CaseTimer>>,
    killed: bool,
    alarms: BTreeMap<AlarmId, Kept>,
    keys: BTreeSet<NotificationKey>,
    levels: BTreeMap<CaseId, Level>,
    versions: BTreeMap<(BodyId, ZoneId), u64>,
    acts: u32,
}

impl World {
    /// A county where nothing has happened; `killed` restores it from its rows after every input.
    pub fn new(plant: Arc<Plant>, killed: bool) -> Self {
        Self {
            escalation: Escalation::new(plant.clone()),
            plant,
            now: START,
            transcript: Vec::new(),
            sent: Vec::new(),
            rows: BTreeMap::new(),
            timers: BTreeMap::new(),
            killed,
            alarms: BTreeMap::new(),
            keys: BTreeSet::new(),
            levels: BTreeMap::new(),
            versions: BTreeMap::new(),
            acts: 0,
        }
    }

    /// One scenario line: lets time pass, then does what it says.
    pub fn run(&mut self, time: &str, words: &str) {
        let at = START + duration(time);
        self.until(at);
        self.now = at;
        self.transcript.push(format!("{} > {words}", short_time(at)));
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        match verb {
            "-" => drop(self.step(&EscalationInput::Timeout)),
            "down" => {
                let since = self.now;
                self.now += duration(rest);
                self.restore(since);
                self.step(&EscalationInput::Timeout);
            }
            "result" => self.result(rest),
            "reload" => self.reload(rest),
            // Nothing follows of itself but what is due then.
            "restart" => self.restore(self.now),
            _ if ALARM_VERBS.contains(&verb) => {
                let effects: Vec<AlarmEffect> = words.split(" + ").flat_map(|one| self.alarm(one)).collect();
                self.step(&EscalationInput::Alarms(&effects));
            }
            _ => self.act(verb, rest),
        }
    }

    /// Whether the rules or a page could come up with these words now.
    pub fn can(&self, words: &str) -> bool {
        let list: Vec<&str> = words.split_whitespace().collect();
        let alarm = |tag: &str, condition: &str| {
            let id = AlarmId { tag: self.tag(tag), condition: Condition::parse(condition).expect("a condition") };
            self.alarms.get(&id).map(|kept| kept.state)
        };
        let cases = |place: &str| self.escalation.cases().any(|case| case.equipment.as_str() == place);
        match list[0] {
            "raise" | "hold" => alarm(list[1], list[2]).is_none_or(|state| !state.is_standing()),
            "return" | "latch" => alarm(list[1], list[2]).is_some_and(AlarmState::is_active),
            "result" => self.sent.iter().any(|one| one.key.recipient.as_str() == list[1] && one.key.channel.as_str() == list[2]),
            "-" | "reset" | "silence" | "down" | "straggler" | "shelve" | "test" | "out-of-service" => true,
            "confirm-window" | "end" => self.escalation.windows().next().is_some(),
            _ => cases(list[2]),
        }
    }

    /// The cause of every alarm is removed.
    pub fn calm(&mut self, time: &str) {
        let active = self.alarms.iter().filter(|(_, kept)| kept.state.is_active());
        let words: Vec<String> = active.map(|(id, _)| format!("return {} {}", id.tag, id.condition)).collect();
        for one in words {
            self.run(time, &one);
        }
    }

    /// Lets every deadline before `at` fire at its own time.
    pub fn until(&mut self, at: Timestamp) {
        while let Some(due) = self.escalation.next_deadline().filter(|due| *due < at) {
            self.now = due.max(self.now);
            self.step(&EscalationInput::Timeout);
        }
    }

    /// Hands one input to the escalation, writes what comes out, checks the invariants.
    pub fn step(&mut self, input: &EscalationInput<'_>) -> Vec<EscalationEffect> {
        let mut out = Vec::new();
        self.escalation.step(input, self.now, &mut out);
        self.take(&out);
        out
    }

    /// `reload TAG CONDITION LEVEL`: a configuration in which the condition has that level.
    fn reload(&mut self, words: &str) {
        let [tag, condition, level] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("reload TAG CONDITION LEVEL: {words}") };
        let (id, mut plant) = (self.tag(tag), Plant::clone(&self.plant));
        let at = plant.tag_index(&id).expect("just found").at();
        let condition = Condition::parse(condition).expect("a condition");
        let rule = plant.tags[at].conditions.iter_mut().find(|rule| rule.condition == condition).expect("configured");
        let levels = Level::ALL.into_iter().find(|other| format!("{other:?}").eq_ignore_ascii_case(level));
        rule.level = levels.expect("a level");
        self.plant = Arc::new(plant);
        let mut out = Vec::new();
        self.escalation.reload(self.plant.clone(), self.now, &mut out);
        self.take(&out);
    }

    /// Commits what came out, writes it down and checks the invariants.
    fn take(&mut self, out: &[EscalationEffect]) {
        let changed = self.commit();
        let lines =
            say::lines(out, self.now, |id| self.escalation.case(id).map_or_else(|| id.to_string(), |case| case.equipment.to_string()));
        self.transcript.extend(lines);
        self.check(out, &changed);
        // A start looks at all that is held back, at once; were it killed after each look that finds nothing, it would look for ever.
        if self.killed && !(out.is_empty() && changed.is_empty()) {
            self.restore(self.now);
        }
        let unseen: Vec<EpisodeRef> = out
            .iter()
            .filter_map(|effect| match effect {
                EscalationEffect::Unacknowledge(episodes) => Some(episodes.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        let effects = self.unacknowledge(&unseen);
        if !effects.is_empty() {
            self.step(&EscalationInput::Alarms(&effects));
        }
    }

    /// What the rules make of acknowledgements that ran out.
    fn unacknowledge(&mut self, episodes: &[EpisodeRef]) -> Vec<AlarmEffect> {
        let mut effects = Vec::new();
        for of in episodes {
            let Some(kept) = self.alarms.get(&of.alarm).filter(|kept| kept.episode == of.episode) else { continue };
            if matches!(kept.state, AlarmState::Acknowledged | AlarmState::LatchedAcknowledged) {
                effects.push(AlarmEffect::Transition(self.changed(&of.alarm, Change::AcknowledgementExpired, |state| match state {
                    AlarmState::LatchedAcknowledged => AlarmState::LatchedUnacknowledged,
                    _ => AlarmState::Unacknowledged,
                })));
            }
        }
        effects
    }

    fn commit(&mut self) -> Vec<String> {
        let mut rows = Vec::new();
        self.escalation.drain_changed(&mut rows);
        let changed = rows.iter().map(|(key, _)| key.clone()).collect();
        for (key, bytes) in rows {
            match bytes {
                Some(bytes) => drop(self.rows.insert(key, bytes)),
                None => drop(self.rows.remove(&key)),
            }
        }
        let mut timers = Vec::new();
        self.escalation.drain_timers(&mut timers);
        self.timers.extend(timers);
        changed
    }

    fn restore(&mut self, down_since: Timestamp) {
        let rows: Vec<_> = self.rows.iter().map(|(key, bytes)| (key.clone(), bytes.clone())).collect();
        self.escalation = Escalation::restore(self.plant.clone(), &rows, down_since, self.now).expect("own rows can be read");
    }

    fn check(&mut self, out: &[EscalationEffect], changed: &[String]) {
        for effect in out {
            match effect {
                EscalationEffect::Notify(one) => {
                    assert!(self.keys.insert(one.key.clone()), "the same message twice: {}", one.key);
                    self.sent.push(one.clone());
                }
                EscalationEffect::Siren(one) => {
                    let before = self.versions.insert((one.enterprise.clone(), one.zone.clone()), one.version);
                    assert_eq!(before.unwrap_or(0) + 1, one.version, "siren versions count up by one");
                }
                _ => {}
            }
        }
        assert_eq!(self.escalation.audit(self.now), Vec::<String>::new(), "the auditor finds nothing");
        assert!(self.escalation.next_deadline().is_none_or(|due| due > self.now), "nothing due is left behind");
        for row in changed.iter().filter(|key| key.starts_with("case/")).filter_map(|key| self.rows.get(key)) {
            let row: Case = serde_json::from_slice(row).expect("the row reads as a case");
            assert_eq!(Some(&row), self.escalation.case(&row.id), "the row is the case");
        }
        let mut open = BTreeSet::new();
        for case in self.escalation.cases() {
            let level = self.levels.entry(case.id.clone()).or_insert(case.level);
            assert!(*level <= case.level, "a case's level never falls");
            *level = case.level;
            assert_eq!(self.timers.get(&case.id).map_or(&[][..], Vec::as_slice), case.timers, "timer rows are the case's timers");
            if case.step == CaseStep::Closed {
                assert!(case.timers.is_empty(), "a closed case owes nothing");
            } else {
                assert!(open.insert((case.enterprise.clone(), case.equipment.clone())), "one open case per equipment");
            }
        }
    }

    fn tag(&self, name: &str) -> TagId {
        let found = self.plant.tags.iter().find(|tag| &*tag.id.tag == name || tag.id.to_string() == name);
        found.unwrap_or_else(|| panic!("no tag {name}")).id.clone()
    }

    /// `VERB TAG CONDITION [@-40m]` as the rules would say it.
    fn alarm(&mut self, words: &str) -> Vec<AlarmEffect> {
        let words: Vec<&str> = words.split_whitespace().collect();
        let (verb, count) = (words[0], words.get(2).and_then(|n| n.parse::<usize>().ok()));
        if verb == "members" {
            // `members stale N`: that many tags fall silent, told by nobody.
            let tags = self.members(count.expect("how many"));
            let alarms = tags.into_iter().map(|tag| AlarmId { tag, condition: Condition::parse(words[1]).expect("condition") });
            return alarms.map(|alarm| AlarmEffect::Transition(self.raised(&alarm, self.now, false))).collect();
        }
        let tag = self.tag(words[1]);
        let at = words.iter().find_map(|word| word.strip_prefix('@')).map_or(self.now, |back| self.now + duration(back));
        if verb == "gateway-lost" {
            let alarm = AlarmId { tag, condition: Condition::GatewayLost };
            let raised = self.raised(&alarm, at, false);
            let members = self.members(count.expect("how many"));
            let announcement = Announcement { members, ..self.announcement(&raised, AnnounceMode::Normal) };
            return vec![AlarmEffect::Transition(raised), AlarmEffect::Announce(announcement)];
        }
        let alarm = AlarmId { tag, condition: Condition::parse(words[2]).unwrap_or_else(|| panic!("no condition {}", words[2])) };
        match verb {
            "raise" => {
                let raised = self.raised(&alarm, at, false);
                let announcement = self.announcement(&raised, AnnounceMode::Normal);
                vec![AlarmEffect::Transition(raised), AlarmEffect::Announce(announcement)]
            }
            "hold" => vec![AlarmEffect::Transition(self.raised(&alarm, at, true))],
            "confirm" | "late-returned" => {
                let kept = self.alarms[&alarm];
                let key = TransitionKey { alarm: alarm.clone(), episode: kept.episode, step: 0 };
                let mode = if verb == "confirm" { AnnounceMode::LateConfirmed } else { AnnounceMode::LateReturned };
                let level = self.level(&alarm);
                let (at, standing) = (kept.episode.since, verb == "confirm");
                vec![AlarmEffect::Announce(Announcement {
                    key,
                    level,
                    at,
                    now: self.now,
                    mode,
                    value: Some(1.0),
                    members: vec![],
                    standing,
                })]
            }
            "return" => vec![AlarmEffect::Transition(self.changed(&alarm, Change::Returned, |state| match state {
                AlarmState::Unacknowledged => AlarmState::ReturnedUnacknowledged,
                _ => AlarmState::Normal,
            }))],
            "latch" => vec![AlarmEffect::Transition(self.changed(&alarm, Change::Returned, |state| match state {
                AlarmState::Unacknowledged => AlarmState::LatchedUnacknowledged,
                _ => AlarmState::LatchedAcknowledged,
            }))],
            "realarm" => {
                let again = self.changed(&alarm, Change::Realarmed, |_| AlarmState::Unacknowledged);
                let at = again.key.episode.since;
                let announcement = Announcement { key: again.key.clone(), at, ..self.announcement(&again, AnnounceMode::Normal) };
                vec![AlarmEffect::Transition(again), AlarmEffect::Announce(announcement)]
            }
            "straggler" | "late-note" => {
                let episode = Episode { since: at, count: 0 };
                let key = TransitionKey { alarm: alarm.clone(), episode, step: 0 };
                let reading =
                    ReadingRecord { source_time: at, receive_time: self.now, value: Some(99.0), quality: Quality::Good, sequence: None };
                let (level, opens_case) = (self.level(&alarm), (verb == "straggler").then_some(key));
                vec![AlarmEffect::LateExceedance(LateExceedance { alarm, level, setpoint: None, reading, now: self.now, opens_case })]
            }
            other => panic!("no such verb: {other}"),
        }
    }

    fn members(&self, count: usize) -> Vec<TagId> {
        self.plant
            .tags
            .iter()
            .filter(|tag| &*tag.id.enterprise.to_string() == "by" && tag.gateway == Some(model::GatewayIndex::new(0)))
            .take(count)
            .map(|tag| tag.id.clone())
            .collect()
    }

    fn level(&self, alarm: &AlarmId) -> Level {
        let tag = self.plant.tag(self.plant.tag_index(&alarm.tag).expect("a tag"));
        tag.conditions.iter().find(|rule| rule.condition == alarm.condition).expect("a condition").level
    }

    fn raised(&mut self, alarm: &AlarmId, at: Timestamp, late: bool) -> Transition {
        let count = self.alarms.get(alarm).map_or(0, |kept| if kept.episode.since == at { kept.episode.count + 1 } else { 0 });
        let episode = Episode { since: at, count };
        let from = self.alarms.get(alarm).map_or(AlarmState::Normal, |kept| kept.state);
        self.alarms.insert(alarm.clone(), Kept { state: AlarmState::Unacknowledged, episode, step: 0 });
        let raised = self.transition(alarm, Change::Raised, from, AlarmState::Unacknowledged, at);
        Transition { late, ..raised }
    }

    fn changed(&mut self, alarm: &AlarmId, change: Change, to: impl Fn(AlarmState) -> AlarmState) -> Transition {
        let kept = self.alarms.get_mut(alarm).unwrap_or_else(|| panic!("{alarm} was never raised"));
        let from = kept.state;
        kept.state = to(from);
        kept.step += 1;
        let to = kept.state;
        self.transition(alarm, change, from, to, self.now)
    }

    fn transition(&self, alarm: &AlarmId, change: Change, from: AlarmState, to: AlarmState, at: Timestamp) -> Transition {
        let kept = self.alarms[alarm];
        Transition {
            key: TransitionKey { alarm: alarm.clone(), episode: kept.episode, step: kept.step },
            change,
            from,
            to,
            at,
            now: self.now,
            level: self.level(alarm),
            setpoint: Some(80.0),
            late: false,
            suppressed: false,
            cause: Cause::Engine { detail: String::new() },
            rules: self.plant.version.clone(),
        }
    }

    fn announcement(&self, raised: &Transition, mode: AnnounceMode) -> Announcement {
        Announcement {
            key: raised.key.raise(),
            level: raised.level,
            at: raised.at,
            now: self.now,
            mode,
            value: Some(91.3),
            members: Vec::new(),
            standing: true,
        }
    }

    /// The open case of an equipment.
    pub fn case(&self, place: &str) -> &Case {
        let cases: Vec<&Case> = self.escalation.cases().filter(|case| case.equipment.as_str() == place).collect();
        let open = cases.iter().find(|case| case.step != CaseStep::Closed);
        open.or(cases.last()).unwrap_or_else(|| panic!("no case of {place}"))
    }

    /// Somebody of the plant, acting for their body.
    pub fn actor(&self, who: &str) -> Actor {
        let person = self.plant.person(&who.into()).unwrap_or_else(|| panic!("nobody called {who}"));
        let tier = self.plant.body(&person.body).expect("a body").tier;
        Actor { person: who.into(), body: person.body.clone(), tier }
    }

    /// `VERB WHO PLACE [words]`.
    fn act(&mut self, verb: &str, rest: &str) {
        let mut words = rest.splitn(3, ' ');
        let (who, place, more) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
        let kind = self.kind(verb, who, place, more);
        self.send(who, kind);
    }

    fn kind(&self, verb: &str, who: &str, place: &str, more: &str) -> ActKind {
        match verb {
            "silence" => return ActKind::Silence { console: place.to_owned() },
            "shelve" | "out-of-service" | "test" => return self.filing(verb, place, more),
            "confirm-window" => return ActKind::ConfirmWindow { window: self.newest_window().id.clone() },
            "end" => {
                let (id, kind) = {
                    let one = self.newest_window();
                    (one.id.clone(), one.kind)
                };
                return match kind {
                    WindowKind::Shelved => ActKind::Unshelve { window: id },
                    WindowKind::OutOfService => ActKind::BackInService { window: id },
                    WindowKind::UnderTest => ActKind::EndTest { window: id },
                };
            }
            "reset" => {
                return ActKind::ResetSiren { enterprise: if more.is_empty() { "hx".into() } else { more.into() }, zone: place.into() };
            }
            _ => {}
        }
        let comment = if more == "without words" { String::new() } else { "看过了".to_owned() };
        let case = self.case(place);
        let id = case.id.clone();
        let named = |key: &TransitionKey| more.is_empty() || more.split(", ").any(|one| one == say::alarm(&key.alarm));
        let announcements = case.announcements.iter().map(|one| one.key.clone()).filter(named).collect();
        let seen = |episode: &&CaseEpisode| episode.state.needs_acknowledgement();
        let part = more.strip_prefix("only ").map(|rest| rest.split(' ').take(2).collect::<Vec<_>>().join(" "));
        let checked = |episode: &&CaseEpisode| part.as_ref().is_none_or(|only| *only == say::alarm(&episode.of.alarm));
        match verb {
            "acknowledge" => ActKind::Acknowledge { episodes: case.episodes.iter().filter(seen).map(|one| one.of.clone()).collect() },
            "accept" => ActKind::Accept { case: id, announcements },
            "close" => ActKind::Close { case: id, announcements, comment },
            "check" => {
                let outcome = if more.contains("false") { Outcome::False } else { Outcome::Real };
                let field = more.contains("field").then(|| FieldCheck { person: who.into(), at: self.now, reading: 0.0 });
                let episodes = case.episodes.iter().filter(checked).map(|one| one.of.clone()).collect();
                ActKind::Check { case: id, episodes, outcome, field, comment }
            }
            "handle" => ActKind::Handle { case: id, comment },
            "report" => ActKind::Report { case: id, comment },
            "review" => ActKind::Review { case: id, comment },
            "give-back" => ActKind::Return { case: id, comment },
            "remind" => ActKind::Remind { case: id, comment },
            "supervise" => ActKind::Supervise { case: id, comment },
            other => panic!("no such verb: {other}"),
        }
    }

    fn newest_window(&self) -> &Window {
        self.escalation.windows().max_by_key(|window| (window.filed, window.id.as_str().len(), window.id.clone())).expect("a window")
    }

    /// `shelve WHO TAG[/CONDITION],… TIME`, `test WHO TAG,…|area:PLACE|gateway:G TIME`; `without words`, `without number`.
    fn filing(&self, verb: &str, what: &str, more: &str) -> ActKind {
        let until = self.now + duration(more.split(' ').next().expect("a time"));
        let reason = if more.ends_with("without words") { String::new() } else { "检修".to_owned() };
        let number = if more.ends_with("without number") { String::new() } else { "JX-1".to_owned() };
        let enterprise: BodyId = "hx".into();
        let scope = if let Some(place) = what.strip_prefix("area:") {
            Scope::Area { enterprise, equipment: place.into() }
        } else if let Some(gateway) = what.strip_prefix("gateway:") {
            Scope::Gateway { enterprise, gateway: gateway.into() }
        } else if what.contains('/') {
            let alarm = |one: &str| {
                let (tag, condition) = one.split_once('/').expect("TAG/CONDITION");
                AlarmId { tag: self.tag(tag), condition: Condition::parse(condition).expect("a condition") }
            };
            Scope::Alarms { alarms: what.split(',').map(alarm).collect() }
        } else {
            Scope::Tags { tags: what.split(',').map(|tag| self.tag(tag)).collect() }
        };
        match verb {
            "shelve" => ActKind::Shelve { scope, reason, until },
            "out-of-service" => ActKind::OutOfService { scope, reason, permit: number, until },
            _ => ActKind::BeginTest { scope, reason, ticket: number, until },
        }
    }

    /// Sends an act, and what the rules would make of an accepted one.
    pub fn send(&mut self, who: &str, what: ActKind) -> ActAnswer {
        if self.escalation.next_deadline().is_some_and(|due| due <= self.now) {
            // What is due goes first in any case; here so that a refusal can be compared.
            self.step(&EscalationInput::Timeout);
        }
        self.acts += 1;
        let act = Act { id: ActId::new(format!("a{}", self.acts)), by: self.actor(who), what };
        let before = self.rows.clone();
        let out = self.step(&EscalationInput::Act(&act));
        let answer = out.iter().find_map(|effect| match effect {
            EscalationEffect::Answer(id, answer) if *id == act.id => Some(answer.clone()),
            _ => None,
        });
        let answer = answer.expect("an act is answered");
        if matches!(answer, ActAnswer::Refused { .. }) {
            assert_eq!(out.len(), 1, "a refusal says nothing else");
            assert!(before == self.rows, "a refusal changes nothing");
            return answer;
        }
        let effects = self.rules_of(&act);
        if !effects.is_empty() {
            self.step(&EscalationInput::Alarms(&effects));
        }
        answer
    }

    fn rules_of(&mut self, act: &Act) -> Vec<AlarmEffect> {
        let (episodes, release) = match &act.what {
            ActKind::Acknowledge { episodes } => (episodes, false),
            ActKind::Check { episodes, field: Some(_), .. } => (episodes, true),
            _ => return Vec::new(),
        };
        let mut effects = Vec::new();
        for of in episodes {
            let Some(kept) = self.alarms.get(&of.alarm).filter(|kept| kept.episode == of.episode) else { continue };
            if !release && kept.state.needs_acknowledgement() {
                effects.push(AlarmEffect::Transition(self.changed(&of.alarm, Change::Acknowledged, |state| match state {
                    AlarmState::Unacknowledged => AlarmState::Acknowledged,
                    AlarmState::LatchedUnacknowledged => AlarmState::LatchedAcknowledged,
                    _ => AlarmState::Normal,
                })));
            } else if release && kept.state.is_latched() {
                effects.push(AlarmEffect::Transition(self.changed(&of.alarm, Change::Reset, |state| match state {
                    AlarmState::LatchedUnacknowledged => AlarmState::ReturnedUnacknowledged,
                    _ => AlarmState::Normal,
                })));
            }
        }
        effects
    }

    /// `WHO CHANNEL failed|accepted|delivered|retrying` of the newest message there.
    fn result(&mut self, words: &str) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let result = match words[2] {
            "failed" => AttemptResult::Failed,
            "accepted" => AttemptResult::Accepted,
            "delivered" => AttemptResult::Delivered,
            _ => AttemptResult::Retrying,
        };
        let newest = self.sent.iter().rev().find(|one| one.key.recipient.as_str() == words[0] && one.key.channel.as_str() == words[1]);
        let key = newest.unwrap_or_else(|| panic!("nothing was sent to {} by {}", words[0], words[1])).key.clone();
        let attempt = Attempt { key, number: 1, result, words: String::new(), answer: String::new() };
        self.step(&EscalationInput::Attempt(&attempt));
    }
}

const ALARM_VERBS: [&str; 11] =
    ["raise", "hold", "confirm", "late-returned", "return", "latch", "straggler", "late-note", "gateway-lost", "members", "realarm"];
