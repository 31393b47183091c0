//! Scenarios in operator words, run against the rules: `check` is the one place that knows their API.
//!
//! A scenario is text. Lines before the first time set up the plant; every other line is a moment, what happens in it, and after `=>`
//! everything the rules are to say since the line before. Deadlines between two lines are served at their time, as the engine does.
//!
//! ```text
//! high 80, deadband 2, on-delay 5s
//! 0s  reading 81
//! 5s  timeout                    => high raised 5s; announce high
//! 10s reading 77                 => high returned 10s
//! 11s acknowledge high           => high acknowledged
//! ```
//!
//! A plant of several tags: `tag A temperature, range 0..100, high 80` and `gateway 5s` (its interval; all tags are behind it unless
//! they say `alone`). A reading: `A reading 81`, `A reading 81 at -40m` (source time), `bad 81`, `uncertain 81`, `null`; `A,B` or `all`
//! for several tags. A calculated tag: `calc D deviation 5, deadband 1 := abs([A] - [B])`, `calc V truth, voted 1 := vote(2, …)`; the
//! tags of a scenario are calculated without units, though one may carry a name: `unit bar`. `modes M` makes the value of the tag M the operating mode of all. Settings of the last condition:
//! `mode 1 limit 90`, `mode 2 off`, `suppressed-by S`, `latching`, `realarm 10m`. Other events: `acknowledge`, `field-check`, `link down`, `link up`, `system clock on`, `unknown-tag X`, `drained`,
//! `reload high 85` (from then on the set-up is this; `;` stands between its lines),
//! `restart` (the state written down and read again; `restart lossy` without the last checkpoint; `restart as high 85` on another set-up),
//! `timeout`.

#![allow(dead_code, reason = "every test file uses its part")]

pub mod random;

use model::plant::*;
use model::*;
use std::sync::Arc;
use watchfire_rules::{Input, Reload, Rules};

/// Time zero of every scenario.
pub const ZERO: Timestamp = Timestamp::from_secs(1_732_000_000);

/// Runs a scenario and compares.
#[track_caller]
pub fn check(scenario: &str) {
    let actual = run(scenario);
    let expected = normalise(scenario);
    if actual != expected {
        let mut text = String::new();
        for (index, line) in actual.iter().enumerate() {
            let mark = if expected.get(index) == Some(line) { "  " } else { "✗ " };
            text.push_str(&format!("{mark}{line}\n"));
        }
        panic!("the rules said otherwise:\n{text}");
    }
}

fn lines(scenario: &str) -> impl Iterator<Item = &str> {
    scenario.lines().map(|line| line.split(" #").next().unwrap_or("").trim()).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_step(line: &str) -> bool {
    duration(line.split_whitespace().next().unwrap_or("")).is_some()
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn normalise(scenario: &str) -> Vec<String> {
    lines(scenario)
        .filter(|line| is_step(line))
        .map(|line| match line.split_once("=>") {
            Some((event, said)) => {
                format!("{} => {}", squeeze(event), said.split(';').map(squeeze).collect::<Vec<_>>().join("; "))
            }
            None => squeeze(line),
        })
        .collect()
}

/// `90s`, `1.5s`, `-40m`, `8h`, `1m30s`.
pub fn duration(text: &str) -> Option<Duration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut micros = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let (unit, length) = if rest[end..].starts_with("ms") {
            (1e3, 2)
        } else {
            (
                match rest[end..].chars().next()? {
                    's' => 1e6,
                    'm' => 6e7,
                    'h' => 3.6e9,
                    'd' => 8.64e10,
                    _ => return None,
                },
                1,
            )
        };
        micros += number * unit;
        rest = &rest[end + length..];
    }
    Some(Duration((sign * micros).round() as i64))
}

fn time(text: &str) -> Timestamp {
    match text {
        "1970" => Timestamp(0),
        "min" => Timestamp::MIN,
        "max" => Timestamp::MAX,
        // Seconds after the Unix epoch, for a clock that was reset.
        _ if text.starts_with("1970+") => Timestamp(0) + duration(&text[5..]).expect("a length"),
        _ => ZERO + duration(text).unwrap_or_else(|| panic!("`{text}` is no time")),
    }
}

fn show(at: Timestamp) -> String {
    let since = at.since(ZERO).0;
    if since % 1_000_000 == 0 { format!("{}s", since / 1_000_000) } else { format!("{}ms", since / 1_000) }
}

/// A condition with nothing set.
pub fn rule(condition: Condition, setpoint: f64) -> ConditionRule {
    ConditionRule::new(condition, setpoint, Level::Yellow)
}

/// A tag with nothing set.
pub fn tag(enterprise: &str, name: &str, signal: Signal) -> Tag {
    let mut tag = Tag::new(TagId::new(enterprise, name), signal);
    (tag.sample_interval, tag.stale_after) = (Duration::from_secs(5), Duration::from_mins(100_000));
    tag
}

/// The policies of the design.
pub fn policies() -> Policies {
    let level = |level| LevelPolicy {
        level,
        sign_within: Duration::from_mins(5),
        remind_every: None,
        tell: Vec::new(),
        handle_within: Duration::from_mins(30),
        closed_by: Tier::ENTERPRISE,
    };
    Policies {
        levels: Level::ALL.map(level),
        data_fault_wait: Duration::from_mins(30),
        quiet: (0, 0),
        fold_within: Duration::from_mins(30),
        late_after: Duration::from_secs(60),
        late_hold: Duration::from_secs(30),
        clock_skew_max: Duration::from_secs(60),
        gateway_lost_percent: 80,
        gateway_lost_min: 3,
        siren_expiry: Duration::from_secs(30),
        beside: Default::default(),
    }
}

/// A calculated tag of a scenario: the tag, its expression, and whether that is a statement.
pub struct Calculated {
    pub tag: Tag,
    pub text: String,
    pub truth: bool,
}

/// A plant of these tags, all but the lone ones behind one gateway.
pub fn plant(tags: Vec<Tag>, alone: &[String], interval: Duration, version: &str) -> Arc<Plant> {
    plant_with(tags, Vec::new(), None, alone, interval, version)
}

/// One with calculated tags and, maybe, one of them as the mode of everything.
pub fn plant_with(
    mut tags: Vec<Tag>,
    calculated: Vec<Calculated>,
    modes: Option<&str>,
    alone: &[String],
    interval: Duration,
    version: &str,
) -> Arc<Plant> {
    let texts: Vec<_> = calculated.iter().map(|one| (one.tag.id.tag.to_string(), one.text.clone(), one.truth)).collect();
    let alone: Vec<String> = alone.iter().cloned().chain(texts.iter().map(|(name, ..)| name.clone())).collect();
    tags.extend(calculated.into_iter().map(|one| one.tag));
    let mut own = tag("hx", "~GW", Signal::Gateway);
    own.conditions = [Condition::GatewayLost, Condition::UnknownTag, Condition::WrongClock, Condition::Inhibited]
        .map(|condition| rule(condition, 0.0))
        .to_vec()
        .into();
    tags.push(own);
    for name in SYSTEM_TAGS {
        let mut system = tag(SYSTEM_ENTERPRISE, name, Signal::System);
        system.conditions = vec![rule(Condition::System, 0.0)].into();
        tags.push(system);
    }
    tags.sort_by(|a, b| a.id.cmp(&b.id));
    for tag in &mut tags {
        tag.conditions.sort_by_key(|rule| Condition::ALL.iter().position(|other| *other == rule.condition));
    }
    let place = |wanted: &str| tags.iter().position(|tag| &*tag.id.tag == wanted).map(|at| TagIndex(at as u32));
    let members = tags
        .iter()
        .enumerate()
        .filter(|(_, tag)| !matches!(tag.signal, Signal::Gateway | Signal::System) && !alone.iter().any(|name| **name == *tag.id.tag))
        .map(|(at, _)| TagIndex(at as u32))
        .collect::<Vec<_>>();
    let gateway = Gateway {
        enterprise: "hx".into(),
        id: "GW".into(),
        name: "GW".to_owned(),
        interval,
        tag: place("~GW").expect("just made"),
        members: members.clone(),
    };
    let is_switch = |name: &str| {
        let of_text = texts.iter().any(|(other, _, truth)| other == name && *truth);
        of_text || tags.iter().any(|tag| &*tag.id.tag == name && matches!(tag.signal, Signal::Switch))
    };
    let known = |name: &str| {
        place(name)?;
        Some(if is_switch(name) { expr::Input::Switch } else { expr::Input::Number(String::new()) })
    };
    let mut calculations = Vec::new();
    for (name, text, truth) in &texts {
        let wanted = if *truth { expr::Wanted::Truth } else { expr::Wanted::Number(String::new()) };
        let program = expr::Program::parse(text, &wanted, &known).unwrap_or_else(|fault| panic!("`{text}`: {fault}"));
        let inputs = program.inputs().iter().map(|input| place(input).expect("known")).collect();
        calculations.push((place(name).expect("just made"), Calculation { text: text.clone(), inputs, program }));
    }
    let mode = modes
        .map(|name| Modes { tag: place(name).expect("the mode"), names: vec!["运行".into(), "开车".into(), "停车".into()] })
        .map(Box::new);
    for member in members {
        tags[member.at()].gateway = Some(model::GatewayIndex::new(0));
    }
    for (index, calculation) in calculations {
        tags[index.at()].calculation = Some(Box::new(calculation));
    }
    let equipment = Equipment {
        enterprise: "hx".into(),
        id: "E".into(),
        name: "E".into(),
        is_area: false,
        hazard: Hazard::None,
        zone: None,
        modes: mode,
    };
    Arc::new(Plant {
        version: version.into(),
        tiers: Vec::new(),
        bodies: Vec::new(),
        people: Vec::new(),
        channels: Vec::new(),
        equipment: vec![equipment],
        gateways: vec![gateway],
        tags,
        policies: policies(),
        utc_offset: Duration::from_mins(480),
    })
}

/// The plant that the first lines of a scenario describe.
pub fn set_up(scenario: &str) -> Arc<Plant> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut alone = Vec::new();
    let mut interval = Duration::from_secs(5);
    let (mut calculated, mut modes) = (Vec::new(), None);
    for line in lines(scenario).take_while(|line| !is_step(line)) {
        if let Some(rest) = line.strip_prefix("modes ") {
            modes = Some(rest);
            continue;
        }
        if let Some((head, text)) = line.strip_prefix("calc ").and_then(|rest| rest.split_once(":=")) {
            let (name, parts) = head.split_once(' ').unwrap_or((head, ""));
            let truth = parts.trim_start().starts_with("truth");
            let mut made = tag("hx", name, Signal::Other);
            configure(&mut made, parts.trim_start().trim_start_matches("truth").trim_start_matches(','), &mut alone);
            calculated.push(Calculated { tag: made, text: text.trim().to_owned(), truth });
            continue;
        }
        let (names, parts) = match line.strip_prefix("tag ") {
            Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
            None => match line.strip_prefix("gateway ") {
                Some(rest) => {
                    interval = duration(rest).expect("an interval");
                    continue;
                }
                None => ("T", line),
            },
        };
        for name in names.split(',') {
            let mut made = tag("hx", name, Signal::Temperature);
            configure(&mut made, parts, &mut alone);
            tags.push(made);
        }
    }
    plant_with(tags, calculated, modes, &alone, interval, "r1")
}

fn lengths(text: &str, word: &str) -> Option<Duration> {
    let mut words = text.split(' ').skip_while(|other| *other != word);
    words.next().and(words.next()).map(|length| duration(length).expect("a length"))
}

fn number(text: &str, word: &str) -> Option<f64> {
    let mut words = text.split(' ').skip_while(|other| *other != word);
    words.next().and(words.next()).map(|number| number.parse().expect("a number"))
}

/// What stands beside a condition on movement: `rate-up 2 over 60s`, `spike 10 within 20s`, `frozen flat 30s tolerance 0.1`, `frozen zero 60s`.
fn method(word: &str, rest: &str) -> Method {
    match word {
        "rate-up" | "rate-down" => Method::Rate { window: lengths(rest, "over").expect("over a length") },
        "spike" => Method::Step { within: lengths(rest, "within").expect("within a length") },
        "frozen" => Method::Frozen {
            tolerance: number(rest, "tolerance").unwrap_or(0.0),
            flat_for: lengths(rest, "flat"),
            zero_for: lengths(rest, "zero"),
            resent: number(rest, "resent").map(|count| count as u32),
        },
        _ => Method::Value,
    }
}

fn configure(tag: &mut Tag, parts: &str, alone: &mut Vec<String>) {
    for part in parts.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        let last = tag.conditions.last_mut();
        match (word, last) {
            ("deadband", Some(rule)) => rule.deadband = rest.parse().expect("a number"),
            ("on-delay", Some(rule)) => rule.on_delay = duration(rest).expect("a length"),
            ("off-delay", Some(rule)) => rule.off_delay = duration(rest).expect("a length"),
            ("range", _) => {
                let (low, high) = rest.split_once("..").expect("low..high");
                tag.range = Some((low.parse().expect("a number"), high.parse().expect("a number")));
            }
            ("temperature", _) => tag.signal = Signal::Temperature,
            ("level", _) => tag.signal = Signal::Level,
            ("toxic", _) => tag.signal = Signal::Toxic,
            ("combustible", _) => tag.signal = Signal::Combustible,
            ("oxygen", _) => tag.signal = Signal::Oxygen,
            ("switch", _) => tag.signal = Signal::Switch,
            ("alone", _) => alone.push(tag.id.tag.to_string()),
            ("unit", _) => tag.unit = rest.to_owned(),
            ("out-of-service", _) => tag.in_service = false,
            ("warm-up", _) => tag.warm_up = duration(rest).expect("a length"),
            ("latching", Some(rule)) => rule.extra.get_or_insert_default().latching = true,
            ("realarm", Some(rule)) => rule.extra.get_or_insert_default().realarm_after = duration(rest),
            ("suppressed-by", Some(rule)) => rule.extra.get_or_insert_default().suppressed_by.push(rest.to_owned()),
            ("mode", Some(rule)) => {
                let mode = rest[..1].parse().expect("a mode");
                let (deadband, on_delay, off_delay) = (rule.deadband, rule.on_delay, rule.off_delay);
                let limit = number(rest, "limit").map(|setpoint| {
                    let on_delay = lengths(rest, "delay").unwrap_or(on_delay);
                    Limit { setpoint, deadband, on_delay, off_delay }
                });
                rule.extra.get_or_insert_default().modes.push(ModeLimit { mode, limit });
            }
            ("every", _) => tag.sample_interval = duration(rest).expect("a length"),
            ("stale", _) => {
                tag.stale_after = duration(rest).expect("a length");
                tag.conditions.push(rule(Condition::Stale, 0.0));
            }
            _ => {
                let condition = Condition::parse(word).unwrap_or_else(|| panic!("`{part}` is no setting"));
                let setpoint = rest.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
                let mut made = rule(condition, setpoint);
                let method = method(word, rest);
                if method != Method::Value {
                    made.extra.get_or_insert_default().method = method;
                }
                tag.conditions.push(made);
            }
        }
    }
}

/// Hard and soft rows as a store would hold them.
#[derive(Clone, Default)]
pub struct Store {
    pub hard: std::collections::BTreeMap<String, Vec<u8>>,
    pub soft: std::collections::BTreeMap<String, Vec<u8>>,
}

impl Store {
    /// What the engine does in every transaction.
    pub fn commit(&mut self, rules: &mut Rules) {
        let mut rows = Vec::new();
        rules.drain_changed(&mut rows);
        for (key, bytes) in rows {
            match bytes {
                Some(bytes) => self.hard.insert(key, bytes),
                None => self.hard.remove(&key),
            };
        }
    }
    /// What it does every few seconds.
    pub fn checkpoint(&mut self, rules: &mut Rules) {
        let mut rows = Vec::new();
        rules.drain_soft(&mut rows);
        self.soft.extend(rows);
    }
    /// Start again from what is stored.
    pub fn restore(&self, plant: &Arc<Plant>, now: Timestamp) -> Rules {
        let list = |rows: &std::collections::BTreeMap<String, Vec<u8>>| rows.clone().into_iter().collect::<Vec<_>>();
        Rules::restore(Arc::clone(plant), &list(&self.hard), &list(&self.soft), now).expect("own rows can be read")
    }
}

/// Serves deadlines up to `now`, as the engine's loop does.
pub fn serve(rules: &mut Rules, now: Timestamp, out: &mut Vec<AlarmEffect>) {
    let mut last = Timestamp::MIN;
    while let Some(due) = rules.next_deadline().filter(|due| *due < now) {
        let due = due.max(last);
        rules.step(&Input::Timeout, due, out);
        assert!(rules.next_deadline().is_none_or(|next| next > due || next >= last), "a deadline must not stay");
        last = due;
    }
}

fn run(scenario: &str) -> Vec<String> {
    let mut plant = set_up(scenario);
    let many = plant.tags.iter().filter(|tag| !matches!(tag.signal, Signal::Gateway | Signal::System)).count() > 1;
    let mut rules = Rules::new(Arc::clone(&plant), ZERO);
    let mut store = Store::default();
    let mut said = Vec::new();
    let mut acts = 0;
    for line in lines(scenario).filter(|line| is_step(line)) {
        let event = squeeze(line.split("=>").next().unwrap_or(line));
        let words: Vec<&str> = event.split(' ').collect();
        let now = time(words[0]);
        let mut out = Vec::new();
        serve(&mut rules, now, &mut out);
        step(&mut plant, &mut rules, &mut store, &words[1..], now, &mut acts, &mut out);
        store.commit(&mut rules);
        let effects: Vec<_> = out.iter().map(|effect| describe(effect, many)).collect();
        said.push(if effects.is_empty() { event } else { format!("{event} => {}", effects.join("; ")) });
    }
    said
}

/// The plant of another set-up, in the words of one line.
fn another(before: &Plant, words: &[&str]) -> Arc<Plant> {
    let mut to = Plant::clone(&set_up(&words.join(" ").replace(';', "\n")));
    to.version = format!("{}'", before.version).into();
    Arc::new(to)
}

fn step(
    plant: &mut Arc<Plant>,
    rules: &mut Rules,
    store: &mut Store,
    words: &[&str],
    now: Timestamp,
    acts: &mut u32,
    out: &mut Vec<AlarmEffect>,
) {
    match words {
        ["timeout"] => rules.step(&Input::Timeout, now, out),
        ["drained"] => rules.step(&Input::Drained, now, out),
        ["link", way] => rules.step(&Input::Link { up: *way == "up" }, now, out),
        ["system", name, way] => {
            let tag = plant.find_tag(SYSTEM_ENTERPRISE, name).expect("a system tag");
            rules.step(&Input::System { tag, active: *way == "on", detail: "said the engine" }, now, out);
        }
        ["unknown-tag", name] => rules.step(&Input::UnknownTag { gateway: 0, tag: name }, now, out),
        ["reload", set_up_anew @ ..] => {
            let to = another(plant, set_up_anew);
            rules.reload(Reload::prepare(plant, Arc::clone(&to)), now, out).expect("prepared from what is in force");
            *plant = to;
        }
        ["checkpoint"] => store.checkpoint(rules),
        ["restart"] => {
            store.commit(rules);
            store.checkpoint(rules);
            *rules = store.restore(plant, now);
        }
        ["restart", "as", set_up_anew @ ..] => {
            store.commit(rules);
            store.checkpoint(rules);
            *plant = another(plant, set_up_anew);
            *rules = store.restore(plant, now);
        }
        ["restart", "lossy"] => {
            store.commit(rules);
            *rules = store.restore(plant, now);
        }
        ["acknowledge" | "field-check", alarm] => {
            let (name, condition) = alarm.split_once('.').unwrap_or(("T", alarm));
            let enterprise = if plant.find_tag("hx", name).is_some() { "hx" } else { SYSTEM_ENTERPRISE };
            let condition = Condition::parse(condition).expect("a condition");
            let alarm = AlarmId { tag: TagId::new(enterprise, name), condition };
            let episode = rules.alarm(&alarm).expect("configured").episode.unwrap_or(Episode { since: ZERO, count: 0 });
            *acts += 1;
            let act = act(*acts, words[0] == "field-check", EpisodeRef { alarm, episode });
            rules.step(&Input::Act(&act), now, out);
        }
        [names, what @ ..] if !matches!(*names, "reading" | "bad" | "uncertain" | "null") => {
            let names: Vec<String> = match *names {
                "all" => plant.gateways[0].members.iter().map(|member| plant.tag(*member).id.tag.to_string()).collect(),
                _ => names.split(',').map(str::to_owned).collect(),
            };
            for name in names {
                let tag = plant.find_tag("hx", &name).unwrap_or_else(|| panic!("no tag `{name}`"));
                rules.step(&Input::Reading(reading(tag, what, now)), now, out);
                store.commit(rules);
            }
        }
        what => {
            let tag = plant.find_tag("hx", "T").expect("the tag T");
            rules.step(&Input::Reading(reading(tag, what, now)), now, out);
        }
    }
}

/// An acknowledgement or a field check of one episode.
pub fn act(number: u32, field_check: bool, episode: EpisodeRef) -> Act {
    let by = Actor { person: "p1".into(), body: "hx".into(), tier: Tier::ENTERPRISE };
    let what = if field_check {
        ActKind::Check {
            case: "case".into(),
            episodes: vec![episode],
            outcome: Outcome::Real,
            field: Some(FieldCheck { person: "p1".into(), at: ZERO, reading: 0.0 }),
            comment: String::new(),
        }
    } else {
        ActKind::Acknowledge { episodes: vec![episode] }
    };
    Act { id: ActId::new(format!("act{number}")), by, what }
}

fn reading(tag: TagIndex, words: &[&str], now: Timestamp) -> Reading {
    let mut reading = Reading { tag, source_time: now, receive_time: now, value: f64::NAN, quality: Quality::Good, sequence: None };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let mut next = || *rest.next().expect("one more word");
        match *word {
            "reading" => reading.value = next().parse().expect("a value"),
            "bad" => (reading.quality, reading.value) = (Quality::Bad, next().parse().expect("a value")),
            "uncertain" => (reading.quality, reading.value) = (Quality::Uncertain, next().parse().expect("a value")),
            "null" => reading.quality = Quality::Bad,
            "at" => reading.source_time = time(next()),
            "received" => reading.receive_time = time(next()),
            "seq" => reading.sequence = Some(next().parse().expect("a count")),
            other => panic!("`{other}` is no part of a reading"),
        }
    }
    reading
}

/// One effect in words.
pub fn describe(effect: &AlarmEffect, many: bool) -> String {
    let name = |alarm: &AlarmId| {
        if many || &*alarm.tag.tag != "T" { format!("{}.{}", alarm.tag.tag, alarm.condition) } else { alarm.condition.to_string() }
    };
    match effect {
        AlarmEffect::Transition(transition) => {
            let change = match transition.change {
                Change::Raised => "raised",
                Change::Returned if transition.to.is_latched() => "returned-latched",
                Change::Returned => "returned",
                Change::Acknowledged => "acknowledged",
                Change::Reset => "reset",
                Change::Realarmed => "realarmed",
                Change::Faulted => "faulted",
                Change::Retired => "retired",
                Change::AcknowledgementExpired => "acknowledgement-expired",
            };
            let mut text = format!("{} {change}", name(&transition.key.alarm));
            if matches!(transition.change, Change::Raised | Change::Returned) {
                text.push_str(&format!(" {}", show(transition.at)));
            }
            if transition.change == Change::Raised && transition.key.episode.since != transition.at {
                text.push_str(&format!(" since {}", show(transition.key.episode.since)));
            }
            if transition.key.episode.count > 0 {
                text.push_str(&format!(" count {}", transition.key.episode.count));
            }
            if transition.late && transition.change == Change::Raised {
                text.push_str(" late");
            }
            if transition.suppressed {
                text.push_str(" suppressed");
            }
            text
        }
        AlarmEffect::Announce(announcement) => {
            let mut text = format!("announce {}", name(&announcement.key.alarm));
            if announcement.key.step > 0 {
                text.push_str(" again");
            }
            match announcement.mode {
                AnnounceMode::Normal => {}
                AnnounceMode::LateConfirmed => text.push_str(" late-confirmed"),
                AnnounceMode::LateReturned => text.push_str(" late-returned"),
            }
            if !announcement.members.is_empty() {
                let members: Vec<_> = announcement.members.iter().map(|member| member.tag.to_string()).collect();
                text.push_str(&format!(" [{}]", members.join(" ")));
            }
            text
        }
        AlarmEffect::LateExceedance(row) => {
            let case = if row.opens_case.is_some() { " opens-case" } else { "" };
            format!("late-exceedance {} {}{case}", name(&row.alarm), show(row.reading.source_time))
        }
    }
}

/// Every history of this many steps out of a few.
pub fn every_history<T: Copy>(alphabet: &[T], length: usize, mut then: impl FnMut(&[T])) {
    let mut places = vec![0; length];
    loop {
        let history: Vec<T> = places.iter().map(|place| alphabet[*place]).collect();
        then(&history);
        let Some(turn) = places.iter().rposition(|place| *place + 1 < alphabet.len()) else { return };
        places[turn] += 1;
        places[turn + 1..].fill(0);
    }
}

/// What always holds of effects where nothing is late: each key is used once, what is told was said before, and no rule fails.
pub fn legal(effects: &[AlarmEffect], history: &impl std::fmt::Debug) {
    let (mut keys, mut told) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for effect in effects {
        match effect {
            AlarmEffect::Transition(transition) => {
                assert!(keys.insert(transition.key.clone()), "one key twice: {history:?}");
                assert_ne!(transition.to, AlarmState::Faulted, "faulted: {history:?}");
            }
            AlarmEffect::Announce(announcement) => {
                assert!(told.insert(announcement.key.clone()), "told twice: {history:?}");
                assert!(keys.contains(&announcement.key), "told before it was raised: {history:?}");
            }
            AlarmEffect::LateExceedance(_) => panic!("nothing is late here: {history:?}"),
        }
    }
}
