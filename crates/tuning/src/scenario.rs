//! Runs a scenario file and compares what was expected of each step with what was seen.

use crate::simulation::Simulation;
use config::scenario::{
    AlarmWords, CaseWords, Cell, Deed, Expect, Restart, Scenario, Signal, SirenWords, Step, ToldWords, Verb, Who, Written, change_name,
    purpose_name, state_name, step_name,
};
use config::{Files, Lang, Loaded, Options, Text};
use model::plant::{ChannelKind, Plant};
use model::{
    Act, ActAnswer, ActId, ActKind, Actor, AlarmEffect, AlarmState, BodyId, Case, Duration, EpisodeRef, EscalationEffect, FieldCheck,
    GatewayId, Notification, Quality, Reading, Scope, TagId, Timestamp, Transition, WindowKind,
};
use pipeline::{Effect, Input};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How a scenario went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file.
    pub file: PathBuf,
    /// What it shows.
    pub title: String,
    /// Steps run.
    pub steps: usize,
    /// Expectations compared, the silent "no other alarm" of each step included.
    pub checks: usize,
    /// What was not as expected.
    pub failures: Vec<Comparison>,
}

impl Report {
    /// Everything was as expected.
    pub fn is_passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Expected against seen, for one step and one subject.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Line of the step, or of the line that is to blame.
    pub line: usize,
    /// The step's time in words.
    pub at: String,
    /// What is compared.
    pub subject: Text,
    /// Side by side.
    pub rows: Vec<Pair>,
}

/// One row of a comparison.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What the file says, none where something came unexpected.
    pub expected: Option<String>,
    /// What was seen, none where nothing was.
    pub seen: Option<Text>,
    /// They agree.
    pub agrees: bool,
}

/// Why a scenario could not be run to its end.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Line of the step.
    pub line: usize,
    /// Why.
    pub text: Text,
}

fn text(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

/// Loads the files that a scenario starts with. Calibration dates are not judged: a scenario has its own time.
pub fn load(files: &Files) -> Result<Loaded, config::Faults> {
    config::load_files(files, &Options { today: None, environment: &|name| std::env::var(name).ok() })
}

/// Runs a scenario on a plant loaded from `files`.
pub fn run(scenario: &Scenario, plant: &Arc<Plant>, files: &Files) -> Report {
    let mut run = Run {
        simulation: Simulation::new(Arc::clone(plant), scenario.start),
        start: scenario.start,
        files: files.clone(),
        signals: BTreeMap::new(),
        clocks: BTreeMap::new(),
        acts: 0,
        windows: Vec::new(),
        checks: 0,
        failures: Vec::new(),
    };
    for step in &scenario.steps {
        if let Err(stopped) = run.step(step) {
            let row = Pair { expected: None, seen: Some(stopped.text), agrees: false };
            let comparison =
                Comparison { line: stopped.line, at: run.show(step.at), subject: text("无法继续", "could not go on"), rows: vec![row] };
            run.failures.push(comparison);
            break;
        }
    }
    Report {
        file: scenario.file.clone(),
        title: scenario.title.clone(),
        steps: scenario.steps.len(),
        checks: run.checks,
        failures: run.failures,
    }
}

/// A transmitter at work.
struct Transmitter {
    value: f64,
    quality: Quality,
    next: Timestamp,
}

struct Run {
    simulation: Simulation,
    start: Timestamp,
    files: Files,
    signals: BTreeMap<TagId, Transmitter>,
    clocks: BTreeMap<(BodyId, GatewayId), Duration>,
    acts: u32,
    /// Windows that were filed, newest last: on what, and by which act.
    windows: Vec<(Scope, ActId)>,
    checks: usize,
    failures: Vec<Comparison>,
}

/// What was seen of one step.
#[derive(Default)]
struct Seen {
    transitions: Vec<Transition>,
    messages: Vec<Notification>,
}

impl Run {
    fn step(&mut self, step: &Step) -> Result<(), Stopped> {
        self.pass_time(step.at);
        if let Some(up) = step.link {
            self.simulation.link(up);
        }
        if let Some(restart) = step.restart {
            self.simulation.restart(restart == Restart::Clean).map_err(|error| stopped(step.line, &error))?;
        }
        if !step.change.is_empty() {
            self.change(&step.change, step.line)?;
        }
        for (enterprise, gateway, offset) in &step.clocks {
            self.clocks.insert((enterprise.clone(), gateway.clone()), *offset);
        }
        if let Some(failing) = &step.failing {
            self.simulation.set_failing(failing.clone());
        }
        for (tag, sample) in &step.readings {
            self.send(tag, sample.value, sample.quality, sample.offset, sample.sequence);
        }
        for (tag, signal) in &step.signals {
            match signal {
                Signal::Shows { value, quality } => {
                    self.signals.insert(tag.clone(), Transmitter { value: *value, quality: *quality, next: step.at });
                }
                Signal::Silent => {
                    self.signals.remove(tag);
                }
            }
        }
        self.send_due(step.at);
        for deed in &step.acts {
            self.act(deed)?;
        }
        self.simulation.advance(step.at);
        let seen = self.seen();
        self.judge(step, &seen);
        Ok(())
    }

    /// Time passes up to `until`; what transmitters send at that very moment waits for what the step changes.
    fn pass_time(&mut self, until: Timestamp) {
        while let Some(next) = self.signals.values().map(|signal| signal.next).min().filter(|next| *next < until) {
            self.simulation.advance(next);
            self.send_due(next);
        }
        self.simulation.advance(until);
    }

    fn send_due(&mut self, at: Timestamp) {
        let due: Vec<(TagId, f64, Quality)> = self
            .signals
            .iter()
            .filter(|(_, signal)| signal.next <= at)
            .map(|(tag, signal)| (tag.clone(), signal.value, signal.quality))
            .collect();
        for (tag, value, quality) in due {
            self.send(&tag, value, quality, Duration::ZERO, None);
            let plant = self.simulation.plant();
            let every = plant.tag_index(&tag).map_or(Duration::from_secs(1), |index| plant.tag(index).sample_interval);
            if let Some(signal) = self.signals.get_mut(&tag) {
                signal.next = at + every.max(Duration::from_millis(1));
            }
        }
    }

    fn send(&mut self, tag: &TagId, value: f64, quality: Quality, offset: Duration, sequence: Option<u64>) {
        let plant = Arc::clone(self.simulation.plant());
        // A tag that a reload took away is not known any more, as in the plant.
        let Some(index) = plant.tag_index(tag) else { return };
        let gateway = plant.gateway_of(plant.tag(index));
        let clock = gateway.and_then(|gateway| self.clocks.get(&(gateway.enterprise.clone(), gateway.id.clone())));
        let now = self.simulation.now();
        let source_time = now + offset + clock.copied().unwrap_or(Duration::ZERO);
        self.simulation.reading(Reading { tag: index, source_time, receive_time: now, value, quality, sequence });
    }

    fn change(&mut self, cells: &[Cell], line: usize) -> Result<(), Stopped> {
        for cell in cells {
            let enterprise = &cell.tag.enterprise;
            // Whatever format the list has: a plant may keep workbooks.
            if !config::set_cell(&mut self.files, enterprise.as_str(), &cell.tag.tag, &cell.head, &cell.content) {
                let (zh, en) = (
                    format!("{enterprise} 的设定值表里没有 {} 的“{}”", cell.tag.tag, cell.head),
                    format!("no `{}` of {} in the setpoint list of {enterprise}", cell.head, cell.tag.tag),
                );
                return Err(Stopped { line, text: text(zh, en) });
            }
        }
        let loaded = load(&self.files)
            .map_err(|faults| Stopped { line, text: text(faults.render(Lang::Zh, false), faults.render(Lang::En, false)) })?;
        self.simulation.reload(Arc::new(loaded.plant)).map_err(|error| stopped(line, &error))
    }

    fn act(&mut self, deed: &Deed) -> Result<(), Stopped> {
        let plant = Arc::clone(self.simulation.plant());
        let body = plant.person(&deed.by).map(|person| person.body.clone()).unwrap_or_else(|| BodyId::new(""));
        let tier = plant.body(&body).map_or(model::Tier::ENTERPRISE, |body| body.tier);
        let Some(what) = self.what(deed, &plant) else {
            let of = deed.equipment.as_ref().map_or_else(String::new, |(_, equipment)| equipment.to_string());
            let (zh, en) = (
                format!("{of} 没有未办结的处置单,或者没写 until,或者没有这样的窗口"),
                format!("{of} has no open case, or `until` is missing, or there is no such window"),
            );
            return Err(Stopped { line: deed.line, text: text(zh, en) });
        };
        self.acts += 1;
        let id = ActId::from(format!("scenario-{}", self.acts));
        if let ActKind::Shelve { scope, .. } | ActKind::OutOfService { scope, .. } | ActKind::BeginTest { scope, .. } = &what {
            self.windows.push((scope.clone(), id.clone()));
        }
        let act = Act { id: id.clone(), by: Actor { person: deed.by.clone(), body, tier }, what };
        let seen_before = self.simulation.take_seen();
        self.simulation.step(&Input::Act(&act));
        let effects = self.simulation.take_seen();
        let answer = effects.iter().find_map(|effect| match effect {
            Effect::Case(EscalationEffect::Answer(other, answer)) if *other == id => Some(answer.clone()),
            _ => None,
        });
        self.simulation.put_back(seen_before, effects);
        self.checks += 1;
        let reasons = match answer {
            Some(ActAnswer::Refused { reasons, .. }) => Some(format!("{reasons:?}")),
            _ => None,
        };
        if reasons.is_some() != deed.refused {
            let expected = if deed.refused { "refused 被拒" } else { "done 办成" };
            let seen = reasons.map_or_else(|| text("办成", "done"), |why| text(format!("被拒:{why}"), format!("refused: {why}")));
            let row = Pair { expected: Some(expected.to_owned()), seen: Some(seen), agrees: false };
            let at = self.show(self.simulation.now());
            self.failures.push(Comparison { line: deed.line, at, subject: text("人员操作", "act"), rows: vec![row] });
        }
        Ok(())
    }

    fn what(&self, deed: &Deed, plant: &Plant) -> Option<ActKind> {
        let comment = deed.comment.clone();
        let case = || self.open_case(deed);
        let id = || case().map(|case| case.id.clone());
        let announcements = || case().map(|case| case.announcements.iter().map(|one| one.key.clone()).collect::<Vec<_>>());
        Some(match deed.act {
            Verb::Silence => ActKind::Silence { console: deed.by.to_string() },
            Verb::Acknowledge => ActKind::Acknowledge { episodes: self.unseen(deed, plant) },
            Verb::ResetSiren => {
                let (enterprise, equipment) = deed.equipment.as_ref()?;
                let place = plant.equipment.iter().find(|other| other.enterprise == *enterprise && other.id == *equipment)?;
                ActKind::ResetSiren { enterprise: enterprise.clone(), zone: place.zone.clone()? }
            }
            Verb::Accept => ActKind::Accept { case: id()?, announcements: announcements()? },
            Verb::Check => {
                let of = case()?.episodes.iter().filter(|episode| deed.tag.as_ref().is_none_or(|tag| episode.of.alarm.tag == *tag));
                let field = deed.field.map(|reading| FieldCheck { person: deed.by.clone(), at: self.simulation.now(), reading });
                let episodes = of.map(|episode| episode.of.clone()).collect();
                ActKind::Check { case: id()?, episodes, outcome: deed.outcome, field, comment }
            }
            Verb::Handle => ActKind::Handle { case: id()?, comment },
            Verb::Report => ActKind::Report { case: id()?, comment },
            Verb::Review => ActKind::Review { case: id()?, comment },
            Verb::Return => ActKind::Return { case: id()?, comment },
            Verb::Close => ActKind::Close { case: id()?, announcements: announcements()?, comment },
            Verb::Remind => ActKind::Remind { case: id()?, comment },
            Verb::Supervise => ActKind::Supervise { case: id()?, comment },
            Verb::Shelve => ActKind::Shelve { scope: scope(deed, plant)?, reason: comment, until: deed.until? },
            Verb::OutOfService => {
                ActKind::OutOfService { scope: scope(deed, plant)?, reason: comment, permit: deed.ticket.clone(), until: deed.until? }
            }
            Verb::Test => {
                ActKind::BeginTest { scope: scope(deed, plant)?, reason: comment, ticket: deed.ticket.clone(), until: deed.until? }
            }
            Verb::Confirm => ActKind::ConfirmWindow { window: self.window(deed, plant)? },
            Verb::End => {
                let window = self.window(deed, plant)?;
                match self.simulation.pipeline().cases().window(&window).map(|window| window.kind) {
                    Some(WindowKind::Shelved) => ActKind::Unshelve { window },
                    Some(WindowKind::OutOfService) => ActKind::BackInService { window },
                    Some(WindowKind::UnderTest) | None => ActKind::EndTest { window },
                }
            }
        })
    }

    fn window(&self, deed: &Deed, plant: &Plant) -> Option<ActId> {
        let wanted = scope(deed, plant)?;
        self.windows.iter().rev().find(|(scope, _)| *scope == wanted).map(|(_, id)| id.clone())
    }

    fn open_case(&self, deed: &Deed) -> Option<&Case> {
        let (enterprise, equipment) = deed.equipment.as_ref()?;
        let mut open = self.simulation.pipeline().cases().cases().filter(|case| case.closed.is_none() && case.enterprise == *enterprise);
        open.find(|case| case.equipment == *equipment)
    }

    /// The episodes that want an acknowledgement, of the tag named or of the whole equipment.
    fn unseen(&self, deed: &Deed, plant: &Plant) -> Vec<EpisodeRef> {
        let place = |tag: &TagId| {
            let equipment = plant.tag_index(tag).and_then(|index| plant.equipment_of(plant.tag(index)));
            equipment.map(|equipment| (equipment.enterprise.clone(), equipment.id.clone()))
        };
        let named = |tag: &TagId| match &deed.tag {
            Some(named) => named == tag,
            None => place(tag) == deed.equipment,
        };
        let waiting =
            self.simulation.pipeline().alarms().alarms().filter(|view| view.state.needs_acknowledgement() && named(&view.alarm.tag));
        waiting.filter_map(|view| Some(EpisodeRef { alarm: view.alarm, episode: view.episode? })).collect()
    }

    fn seen(&mut self) -> Seen {
        let mut seen = Seen::default();
        for effect in self.simulation.take_seen() {
            match effect {
                Effect::Alarm(AlarmEffect::Transition(transition)) => seen.transitions.push(transition),
                Effect::Case(EscalationEffect::Notify(message)) => seen.messages.push(message),
                _ => {}
            }
        }
        seen
    }

    fn judge(&mut self, step: &Step, seen: &Seen) {
        let Expect { alarms, told, cases, sirens, standing } = &step.expect;
        if let Some(alarms) = alarms {
            self.checks += alarms.len().max(1);
            let rows = self.compare_alarms(alarms, &seen.transitions);
            self.note(step, alarms.first().map(|alarm| alarm.line), text("报警变化", "alarms"), rows);
        }
        if let Some(told) = told {
            self.checks += told.len().max(1);
            let rows = self.compare_told(told, &seen.messages);
            self.note(step, told.first().map(|told| told.line), text("告知", "told"), rows);
        }
        if let Some(cases) = cases {
            self.checks += cases.len().max(1);
            let rows = self.compare_cases(cases);
            self.note(step, cases.first().map(|case| case.line), text("未办结处置单", "open cases"), rows);
        }
        if let Some(sirens) = sirens {
            self.checks += sirens.len().max(1);
            let rows = self.compare_sirens(sirens);
            self.note(step, sirens.first().map(|siren| siren.line), text("现场声光", "sirens"), rows);
        }
        self.checks += standing.len();
        let rows = standing.iter().map(|expected| {
            let id = model::AlarmId { tag: expected.value.tag.clone(), condition: expected.value.condition };
            let state = self.simulation.pipeline().alarms().alarm(&id).map_or(AlarmState::Normal, |view| view.state);
            let name = state_name(state);
            Pair { expected: Some(expected.text.clone()), seen: Some(name), agrees: state == expected.value.state }
        });
        let rows = rows.collect();
        self.note(step, standing.first().map(|one| one.line), text("报警状态", "states"), rows);
    }

    fn note(&mut self, step: &Step, line: Option<usize>, subject: Text, rows: Vec<Pair>) {
        if rows.iter().any(|row| !row.agrees) {
            self.failures.push(Comparison { line: line.unwrap_or(step.line), at: self.show(step.at), subject, rows });
        }
    }

    /// Each expected line takes the first transition that fits; what is left was not expected.
    fn compare_alarms(&self, expected: &[Written<AlarmWords>], seen: &[Transition]) -> Vec<Pair> {
        let mut left: Vec<&Transition> = seen.iter().collect();
        let fits = |words: &AlarmWords, transition: &Transition| {
            transition.key.alarm.tag == words.tag
                && transition.key.alarm.condition == words.condition
                && transition.change == words.change
                && words.at.is_none_or(|at| transition.at == at)
                && words.level.is_none_or(|level| transition.level == level)
                && words.late.is_none_or(|late| transition.late == late)
        };
        let mut rows = Vec::new();
        for line in expected {
            let exact = left.iter().position(|transition| fits(&line.value, transition));
            // What differs only in time or level is shown beside it.
            let near = || {
                left.iter().position(|transition| fits(&AlarmWords { at: None, level: None, late: None, ..line.value.clone() }, transition))
            };
            let (at, agrees) = (exact.or_else(near), exact.is_some());
            let seen = at.map(|at| self.transition_words(left.remove(at)));
            rows.push(Pair { expected: Some(line.text.clone()), seen, agrees });
        }
        rows.extend(left.into_iter().map(|transition| Pair {
            expected: None,
            seen: Some(self.transition_words(transition)),
            agrees: false,
        }));
        rows
    }

    fn transition_words(&self, transition: &Transition) -> Text {
        let (alarm, at) = (&transition.key.alarm, self.show(transition.at));
        let change = change_name(transition.change);
        let late = if transition.late { [" 补传", " late"] } else { ["", ""] };
        text(
            format!("{} {} {} {at} {}{}", alarm.tag, alarm.condition.name_zh(), change.zh, transition.level.name_zh(), late[0]),
            format!("{} {} {} at {at} {}{}", alarm.tag, alarm.condition.name(), change.en, transition.level.name(), late[1]),
        )
    }

    fn compare_told(&self, expected: &[Written<ToldWords>], seen: &[Notification]) -> Vec<Pair> {
        let mut covered = vec![false; seen.len()];
        let mut rows = Vec::new();
        for line in expected {
            let of_line: Vec<usize> = (0..seen.len()).filter(|at| self.is_told(&line.value, &seen[*at])).collect();
            for at in &of_line {
                covered[*at] = true;
            }
            let messages: Vec<&Notification> = of_line.iter().map(|at| &seen[*at]).collect();
            let kinds = self.kinds(&messages);
            let wanted = line.value.by.as_ref().map(|by| sorted(by.clone()));
            let agrees = !messages.is_empty() && wanted.is_none_or(|wanted| wanted == kinds);
            let seen = (!messages.is_empty()).then(|| self.message_words(&messages));
            rows.push(Pair { expected: Some(line.text.clone()), seen, agrees });
        }
        let mut left: BTreeMap<_, Vec<&Notification>> = BTreeMap::new();
        for message in seen.iter().zip(&covered).filter(|(_, covered)| !**covered).map(|(message, _)| message) {
            left.entry((message.key.tier, message.level, message.key.purpose)).or_default().push(message);
        }
        rows.extend(left.values().map(|messages| Pair { expected: None, seen: Some(self.message_words(messages)), agrees: false }));
        rows
    }

    fn is_told(&self, words: &ToldWords, message: &Notification) -> bool {
        let body = || self.simulation.plant().person(&message.key.recipient).map(|person| person.body.clone());
        let who = match &words.who {
            Who::Tier(tier) => message.key.tier == *tier,
            Who::Body(wanted) => body().as_ref() == Some(wanted),
            Who::Person(person) => message.key.recipient == *person,
        };
        who && words.level.is_none_or(|level| message.level == level) && words.why.is_none_or(|why| message.key.purpose == why)
    }

    fn kinds(&self, messages: &[&Notification]) -> Vec<ChannelKind> {
        let plant = self.simulation.plant();
        sorted(messages.iter().filter_map(|message| plant.channel(&message.key.channel)).map(|channel| channel.kind).collect())
    }

    fn message_words(&self, messages: &[&Notification]) -> Text {
        let plant = self.simulation.plant();
        let Some(first) = messages.first() else { return text("", "") };
        let mut people: Vec<&str> = Vec::new();
        for message in messages {
            let name = plant.person(&message.key.recipient).map_or(message.key.recipient.as_str(), |person| person.name.as_str());
            if !people.contains(&name) {
                people.push(name);
            }
        }
        let kinds: Vec<_> = self.kinds(messages).into_iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
        let tier = plant.tiers.get(first.key.tier.at());
        let why = purpose_name(first.key.purpose);
        let (kinds, people) = (kinds.join(" "), people.join("、"));
        text(
            format!("{} {} {}: {kinds}({people}){}", tier.map_or("?", |tier| &tier.zh), first.level.name_zh(), why.zh, first.alarm),
            format!("{} {} {}: {kinds} ({people}) {}", tier.map_or("?", |tier| &tier.en), first.level.name(), why.en, first.alarm),
        )
    }

    fn compare_cases(&self, expected: &[Written<CaseWords>]) -> Vec<Pair> {
        let mut left: Vec<&Case> = self.simulation.pipeline().cases().cases().filter(|case| case.closed.is_none()).collect();
        let words = |case: &Case| {
            let step = step_name(case.step);
            text(
                format!("{}/{} {} {}", case.enterprise, case.equipment, case.level.name_zh(), step.zh),
                format!("{}/{} {} {}", case.enterprise, case.equipment, case.level.name(), step.en),
            )
        };
        let mut rows = Vec::new();
        for line in expected {
            let (enterprise, equipment) = &line.value.equipment;
            let at = left.iter().position(|case| case.enterprise == *enterprise && case.equipment == *equipment);
            let case = at.map(|at| left.remove(at));
            let agrees = case.is_some_and(|case| {
                line.value.level.is_none_or(|level| case.level == level) && line.value.step.is_none_or(|step| case.step == step)
            });
            rows.push(Pair { expected: Some(line.text.clone()), seen: case.map(words), agrees });
        }
        rows.extend(left.into_iter().map(|case| Pair { expected: None, seen: Some(words(case)), agrees: false }));
        rows
    }

    fn compare_sirens(&self, expected: &[Written<SirenWords>]) -> Vec<Pair> {
        let on = |siren: &model::Siren| siren.sound || siren.light;
        let mut left: Vec<_> = self.simulation.pipeline().cases().sirens().into_iter().filter(on).collect();
        let words = |siren: &model::Siren| {
            let say = |on: bool, word: &str| if on { format!(" {word}") } else { String::new() };
            let zone = format!("{}/{}", siren.enterprise, siren.zone);
            text(
                format!("{zone}{}{}", say(siren.sound, "响"), say(siren.light, "灯")),
                format!("{zone}{}{}", say(siren.sound, "sound"), say(siren.light, "light")),
            )
        };
        let mut rows = Vec::new();
        for line in expected {
            let SirenWords { zone: (enterprise, zone), sound, light } = &line.value;
            let at = left.iter().position(|siren| siren.enterprise == *enterprise && siren.zone == *zone);
            let siren = at.map(|at| left.remove(at));
            let agrees = siren.as_ref().is_some_and(|siren| siren.sound == *sound && siren.light == *light);
            rows.push(Pair { expected: Some(line.text.clone()), seen: siren.as_ref().map(words), agrees });
        }
        rows.extend(left.iter().map(|siren| Pair { expected: None, seen: Some(words(siren)), agrees: false }));
        rows
    }

    /// A time as the file would write it: from the start.
    fn show(&self, at: Timestamp) -> String {
        let micros = at.since(self.start).0;
        match micros {
            _ if micros % 60_000_000 == 0 && micros != 0 => format!("{}min", micros / 60_000_000),
            _ if micros % 1_000_000 == 0 => format!("{}s", micros / 1_000_000),
            _ => format!("{}ms", micros / 1_000),
        }
    }
}

/// What a window is on: a gateway and its tags, one tag, or an equipment or area.
fn scope(deed: &Deed, plant: &Plant) -> Option<Scope> {
    match &deed.tag {
        Some(tag) => {
            let gateway = plant.gateways.iter().find(|gateway| plant.tag(gateway.tag).id == *tag);
            let whole =
                |gateway: &model::plant::Gateway| Scope::Gateway { enterprise: gateway.enterprise.clone(), gateway: gateway.id.clone() };
            Some(gateway.map_or_else(|| Scope::Tags { tags: vec![tag.clone()] }, whole))
        }
        None => deed.equipment.clone().map(|(enterprise, equipment)| Scope::Area { enterprise, equipment }),
    }
}

fn sorted(mut kinds: Vec<ChannelKind>) -> Vec<ChannelKind> {
    kinds.sort();
    kinds.dedup();
    kinds
}

fn stopped(line: usize, error: &dyn std::fmt::Display) -> Stopped {
    Stopped { line, text: text(error.to_string(), error.to_string()) }
}
