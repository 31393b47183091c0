//! Scenario files: what happens to a plant, step by step, and what Watchfire is to do about it, in the words of those who own the limits.
//!
//! `watchfire test` runs them (crate `tuning`). A file is a list of steps; each says when it is, what happens then, and what was seen
//! since the step before. Names are resolved here against the plant the scenario starts with, so a slip is told with its place. What a
//! step leaves out of `alarms` must not have happened; `told`, `cases`, `sirens` and `standing` are judged only where they are written,
//! and then they are complete: nobody else is told.

use crate::fault::{Fault, Faults, Sink, Text, text};
use crate::source::{At, Files, Place, Source};
use crate::suggest;
use crate::table::{Entry, Table, named, with_document};
use crate::values::{KINDS, parse_condition, parse_duration, parse_level};
use model::plant::ChannelKind;
use model::{
    AlarmState, BodyId, CaseStep, Change, Condition, Duration, EquipmentId, GatewayId, Level, Outcome, PersonId, Plant, Purpose, Quality,
    TagId, Tier, Timestamp, ZoneId,
};
use std::path::{Path, PathBuf};

/// Steps of one file.
pub const STEPS_MAX: usize = 10_000;

/// Where a thing stands in the file, and how it is written there.
#[derive(Clone, Debug, PartialEq)]
pub struct Written<T> {
    /// Line, from 1.
    pub line: usize,
    /// As written.
    pub text: String,
    /// What it means.
    pub value: T,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file.
    pub file: PathBuf,
    /// What it shows, in the words of its author.
    pub title: String,
    /// When it begins.
    pub start: Timestamp,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
}

/// One moment. Within it things happen in the order of these fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Line of the step.
    pub line: usize,
    /// When.
    pub at: Timestamp,
    /// The broker's link comes up or goes down.
    pub link: Option<bool>,
    /// The engine stops and starts; `lossy` without its last checkpoint.
    pub restart: Option<Restart>,
    /// Cells of setpoint lists that change; all of a step come in force together.
    pub change: Vec<Cell>,
    /// By how much a gateway's clock is off from now on.
    pub clocks: Vec<(BodyId, GatewayId, Duration)>,
    /// Persons and kinds of channel that nothing gets through to from now on; none written leaves it as it was.
    pub failing: Option<Vec<Failing>>,
    /// Single readings.
    pub readings: Vec<(TagId, Sample)>,
    /// What a tag's transmitter shows from now on, every sample interval.
    pub signals: Vec<(TagId, Signal)>,
    /// What people do.
    pub acts: Vec<Deed>,
    /// What was seen since the step before, this one included.
    pub expect: Expect,
}

/// How the engine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// With a checkpoint, as `systemctl restart` does.
    Clean,
    /// Killed: soft state since the last checkpoint is lost.
    Lossy,
}

/// One cell of a setpoint list.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The row.
    pub tag: TagId,
    /// The head of the column.
    pub head: String,
    /// What stands there from now on.
    pub content: String,
}

/// Who or what cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A person.
    Person(PersonId),
    /// A kind of channel.
    Channel(ChannelKind),
}

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// NaN where it cannot be read.
    pub value: f64,
    /// As claimed.
    pub quality: Quality,
    /// Source time to the step's time.
    pub offset: Duration,
    /// Sequence number.
    pub sequence: Option<u64>,
}

/// A tag's transmitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signal {
    /// Shows this.
    Shows {
        /// The value.
        value: f64,
        /// Its quality.
        quality: Quality,
    },
    /// Says nothing any more.
    Silent,
}

/// What a person does.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// Line.
    pub line: usize,
    /// Who.
    pub by: PersonId,
    /// What.
    pub act: Verb,
    /// On which tag's alarms, where it names one.
    pub tag: Option<TagId>,
    /// On which equipment's case: that of the tag, or its own.
    pub equipment: Option<(BodyId, EquipmentId)>,
    /// Outcome of a check.
    pub outcome: Outcome,
    /// What the portable detector read.
    pub field: Option<f64>,
    /// A person's words.
    pub comment: String,
    /// When a window ends by itself.
    pub until: Option<Timestamp>,
    /// Its ticket or permit.
    pub ticket: String,
    /// The act is to be refused.
    pub refused: bool,
}

/// The acts a scenario knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// 报警确认
    Acknowledge,
    /// 签收
    Accept,
    /// 核实
    Check,
    /// 处置
    Handle,
    /// 反馈
    Report,
    /// 复核
    Review,
    /// 退回
    Return,
    /// 办结
    Close,
    /// 催办
    Remind,
    /// 督办
    Supervise,
    /// 消音
    Silence,
    /// 现场声光复位
    ResetSiren,
    /// 搁置
    Shelve,
    /// 停用
    OutOfService,
    /// 检维修/标定
    Test,
    /// 确认窗口: a second person, or the tier above.
    Confirm,
    /// 结束窗口 before its time.
    End,
}

const VERBS: [(Verb, &str, &str); 17] = [
    (Verb::Acknowledge, "acknowledge", "报警确认"),
    (Verb::Accept, "accept", "签收"),
    (Verb::Check, "check", "核实"),
    (Verb::Handle, "handle", "处置"),
    (Verb::Report, "report", "反馈"),
    (Verb::Review, "review", "复核"),
    (Verb::Return, "return", "退回"),
    (Verb::Close, "close", "办结"),
    (Verb::Remind, "remind", "催办"),
    (Verb::Supervise, "supervise", "督办"),
    (Verb::Silence, "silence", "消音"),
    (Verb::ResetSiren, "reset-siren", "现场声光复位"),
    (Verb::Shelve, "shelve", "搁置"),
    (Verb::OutOfService, "out-of-service", "停用"),
    (Verb::Test, "test", "检维修"),
    (Verb::Confirm, "confirm", "同意"),
    (Verb::End, "end", "结束"),
];

/// What is expected of one step.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Expect {
    /// Every transition, in any order; none means whatever happens.
    pub alarms: Option<Vec<Written<AlarmWords>>>,
    /// Everybody told.
    pub told: Option<Vec<Written<ToldWords>>>,
    /// Every case open now.
    pub cases: Option<Vec<Written<CaseWords>>>,
    /// Every zone with sound or light now.
    pub sirens: Option<Vec<Written<SirenWords>>>,
    /// Alarms that stand in a state now; others may stand too.
    pub standing: Vec<Written<StandingWords>>,
}

/// One transition.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmWords {
    /// Of which tag.
    pub tag: TagId,
    /// Of which condition.
    pub condition: Condition,
    /// Which change.
    pub change: Change,
    /// On the tag's time.
    pub at: Option<Timestamp>,
    /// Level.
    pub level: Option<Level>,
    /// Marked late 补传.
    pub late: Option<bool>,
}

/// People told.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldWords {
    /// Who.
    pub who: Who,
    /// At which level.
    pub level: Option<Level>,
    /// Why.
    pub why: Option<Purpose>,
    /// By exactly these kinds of channel.
    pub by: Option<Vec<ChannelKind>>,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// Anybody of a tier.
    Tier(Tier),
    /// Anybody of a body.
    Body(BodyId),
    /// One person.
    Person(PersonId),
}

/// An open case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseWords {
    /// Of which equipment.
    pub equipment: (BodyId, EquipmentId),
    /// Its level.
    pub level: Option<Level>,
    /// Where it is.
    pub step: Option<CaseStep>,
}

/// A zone's wanted state.
#[derive(Clone, Debug, PartialEq)]
pub struct SirenWords {
    /// Which zone.
    pub zone: (BodyId, ZoneId),
    /// Sound.
    pub sound: bool,
    /// Light.
    pub light: bool,
}

/// An alarm as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct StandingWords {
    /// Of which tag.
    pub tag: TagId,
    /// Of which condition.
    pub condition: Condition,
    /// Its state.
    pub state: AlarmState,
}

/// Reads one scenario file against the plant it starts with.
pub fn load(path: &Path, plant: &Plant) -> Result<Scenario, Faults> {
    read(&Files::read_one(path), plant)
}

/// Reads the one file in `files`.
pub fn read(files: &Files, plant: &Plant) -> Result<Scenario, Faults> {
    let mut sink = Sink::default();
    let sources = files.decode(&mut sink);
    let scenario = sources.values().next().and_then(|source| Reader::read(source, plant, &mut sink));
    if scenario.is_none()
        && let Some(source) = sources.values().next()
    {
        sink.push_if_clean(source.top().error("no-steps", text("没有步骤", "there are no steps")));
    }
    sink.finish()?;
    Ok(scenario.expect("without a scenario there is an error, and errors were returned above"))
}

/// A bag of words that are known in any order.
struct Words<'w> {
    left: Vec<&'w str>,
}

impl<'w> Words<'w> {
    fn new(text: &'w str) -> Self {
        let fillers = ["by", "to", "is", "the", "alarm", "用", "经"];
        let parts = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '\u{ff0c}' | '、' | ';' | '\u{ff1b}'));
        // A colon parts words, but not the hours from the minutes.
        let parts = parts.flat_map(|part| {
            let is_time = part.starts_with(|c: char| c.is_ascii_digit());
            part.split(move |c| !is_time && matches!(c, ':' | '\u{ff1a}'))
        });
        Self { left: parts.filter(|part| !part.is_empty() && !fillers.contains(part)).collect() }
    }
    /// Takes every word that means something to `parse`.
    fn all<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        self.left.retain(|word| match parse(word) {
            Some(value) => {
                found.push(value);
                false
            }
            None => true,
        });
        found
    }
    fn one<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let at = self.left.iter().position(|word| parse(word).is_some())?;
        parse(self.left.remove(at))
    }
    /// The word after this one.
    fn after(&mut self, names: &[&str]) -> Option<&'w str> {
        let at = self.left.iter().position(|word| names.contains(word))?;
        self.left.remove(at);
        (at < self.left.len()).then(|| self.left.remove(at))
    }
}

struct Reader<'p> {
    plant: &'p Plant,
    enterprise: Option<BodyId>,
    start: Timestamp,
}

impl<'p> Reader<'p> {
    fn read(source: &Source, plant: &'p Plant, sink: &mut Sink) -> Option<Scenario> {
        with_document(source, sink, |file, sink| {
            file.renamed(&[("name", "title"), ("steps", "step"), ("expect", "alarms")]);
            let title = file.required_string("title", sink);
            let enterprise = file.string("enterprise", sink);
            if let Some(written) = &enterprise
                && plant.body(&BodyId::new(&written.value)).is_none_or(|body| body.tier != Tier::ENTERPRISE)
            {
                let known = plant.bodies.iter().filter(|body| body.tier == Tier::ENTERPRISE).map(|body| body.id.as_str());
                let fault = written.place.error("unknown-name", text("没有这家企业", "no such enterprise"));
                sink.push(fault.suggest_some(suggest::meant(&written.value, known)));
            }
            let start = match file.string("start", sink) {
                Some(written) => civil(&written.value, plant).or_else(|| {
                    let fault = written.place.error("time", text("这里要一个时刻", "expected a time"));
                    sink.push(fault.suggest("例如 \"2026-03-02 10:00\"", "such as \"2026-03-02 10:00\""));
                    None
                }),
                None => civil("2026-03-02 10:00", plant),
            };
            let enterprise = enterprise.map(|written| BodyId::new(written.value));
            let mut reader = Reader { plant, enterprise, start: start.unwrap_or(Timestamp(0)) };
            let mut before = reader.start;
            let steps = file.tables("step", sink, |table, sink| {
                let step = reader.step(table, before, sink)?;
                before = step.at;
                Some(step)
            });
            let steps = file.required("step", steps, sink)?;
            if steps.len() > STEPS_MAX {
                let fault = text(format!("步骤太多,上限 {STEPS_MAX}"), format!("too many steps, at most {STEPS_MAX}"));
                sink.push(source.top().error("too-many", fault));
            }
            reader.enterprise = None;
            (!steps.is_empty()).then_some(Scenario { file: source.path.clone(), title: title?.value, start: start?, steps })
        })
    }

    fn step(&self, table: &mut Table<'_, '_>, before: Timestamp, sink: &mut Sink) -> Option<Step> {
        table.renamed(&[("time", "at"), ("messages", "told"), ("values", "signal"), ("values_of", "signal"), ("act", "acts")]);
        let line = table.place().line();
        let at = table.required_string("at", sink);
        let at = at.and_then(|written| self.step_time(&written, before, sink));
        let link = table.string("link", sink).and_then(|written| {
            let parse = |word: &str| match word {
                "up" | "恢复" => Some(true),
                "down" | "中断" => Some(false),
                _ => None,
            };
            crate::values::choose(&written, parse, ["up", "down"], sink)
        });
        let restart = table.string("restart", sink).and_then(|written| {
            let parse = |word: &str| match word {
                "clean" | "正常" => Some(Restart::Clean),
                "lossy" | "断电" => Some(Restart::Lossy),
                _ => None,
            };
            crate::values::choose(&written, parse, ["clean", "lossy"], sink)
        });
        let change: Vec<Vec<Cell>> = named(table, "change", sink, |name, entry, sink| self.change(&name, &entry, sink));
        let clocks = named(table, "clock", sink, |name, entry, sink| self.clock(&name, &entry, sink));
        let failing = table.strings("failing", sink).map(|list| list.iter().filter_map(|written| self.failing(written, sink)).collect());
        let mut readings: Vec<Vec<_>> = named(table, "readings", sink, |name, entry, sink| Some(self.readings(&name, &entry, sink)));
        let mut signals: Vec<Vec<_>> = named(table, "signal", sink, |name, entry, sink| Some(self.signal(&name, &entry, sink)));
        // A whole gateway goes first, so that a tag named beside it is the exception.
        readings.sort_by_key(|tags| std::cmp::Reverse(tags.len()));
        signals.sort_by_key(|tags| std::cmp::Reverse(tags.len()));
        let acts = table.tables("acts", sink, |table, sink| self.deed(table, sink)).unwrap_or_default();
        let expect = self.expect(table, sink);
        Some(Step {
            line,
            at: at?,
            link,
            restart,
            change: change.into_iter().flatten().collect(),
            clocks,
            failing,
            readings: readings.into_iter().flatten().collect(),
            signals: signals.into_iter().flatten().collect(),
            acts,
            expect,
        })
    }

    fn step_time(&self, written: &At<'_, String>, before: Timestamp, sink: &mut Sink) -> Option<Timestamp> {
        let value = written.value.trim();
        let at = match value.strip_prefix('+') {
            Some(length) => lengths(length).map(|length| before + length),
            None => lengths(value).map(|length| self.start + length).or_else(|| self.clock_time(value, before)),
        };
        let Some(at) = at else {
            let fault = written.place.error("time", text("看不懂这个时间", "not a time"));
            sink.push(fault.suggest(
                "\"30s\" 从开始算起,\"+30s\" 从上一步算起,\"10:05\" 是钟点",
                "\"30s\" counts from the start, \"+30s\" from the step before, \"10:05\" is a time of day",
            ));
            return None;
        };
        if at < before {
            sink.push(written.place.error("time", text("早于上一步", "earlier than the step before")));
            return None;
        }
        Some(at)
    }

    /// `10:05` or `10:05:30`: the first such time of day from `from` on.
    fn clock_time(&self, written: &str, from: Timestamp) -> Option<Timestamp> {
        let mut parts = written
            .split(':')
            .map(|part| part.parse::<i64>().ok().filter(|_| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit())));
        let (hours, minutes) = (parts.next()??, parts.next()??);
        let seconds = parts.next().unwrap_or(Some(0))?;
        if hours > 24 || minutes > 59 || seconds > 59 || parts.next().is_some() {
            return None;
        }
        const DAY: i64 = 86_400_000_000;
        let local = from + self.plant.utc_offset;
        let midnight = local.0.div_euclid(DAY) * DAY;
        let at = Timestamp(midnight + ((hours * 60 + minutes) * 60 + seconds) * 1_000_000) - self.plant.utc_offset;
        Some(if at < from { at + Duration(DAY) } else { at })
    }

    fn change(&self, name: &At<'_, String>, entry: &Entry<'_, '_>, sink: &mut Sink) -> Option<Vec<Cell>> {
        let tag = self.tag(&name.value, name.place, sink)?;
        entry.table(sink, |table, sink| {
            table.each(sink, |head, entry, sink| {
                let content = entry.words(sink).into_iter().next()?;
                Some(Cell { tag: tag.clone(), head: head.value, content: content.value })
            })
        })
    }

    fn clock(&self, name: &At<'_, String>, entry: &Entry<'_, '_>, sink: &mut Sink) -> Option<(BodyId, GatewayId, Duration)> {
        let gateway = self.gateway(&name.value);
        if gateway.is_none() {
            let fault = name.place.error("unknown-name", text("没有这个网关", "no such gateway"));
            sink.push(fault.suggest_some(suggest::meant(&name.value, self.own_gateways())));
        }
        let (enterprise, id, _) = gateway?;
        let offset = entry.string(sink)?;
        let Some(length) = signed(&offset.value) else {
            let fault = offset.place.error("duration", text("这里要一个时差", "expected an offset"));
            sink.push(fault.suggest("例如 \"+8h\"、\"-90s\"、\"0s\"", "such as \"+8h\", \"-90s\", \"0s\""));
            return None;
        };
        Some((enterprise, id, length))
    }

    fn failing(&self, written: &At<'_, String>, sink: &mut Sink) -> Option<Failing> {
        let value = written.value.trim();
        if let Some(kind) = channel_kind(value) {
            return Some(Failing::Channel(kind));
        }
        self.person(value, written.place, sink).map(Failing::Person)
    }

    fn readings(&self, name: &At<'_, String>, entry: &Entry<'_, '_>, sink: &mut Sink) -> Vec<(TagId, Sample)> {
        let samples: Vec<_> = entry.words(sink).iter().filter_map(|written| sample(written, sink)).collect();
        let tags = self.tags(&name.value, name.place, sink);
        samples.iter().flat_map(|sample| tags.iter().map(|tag| (tag.clone(), *sample))).collect()
    }

    fn signal(&self, name: &At<'_, String>, entry: &Entry<'_, '_>, sink: &mut Sink) -> Vec<(TagId, Signal)> {
        let Some(written) = entry.words(sink).into_iter().next() else { return Vec::new() };
        let tags = self.tags(&name.value, name.place, sink);
        let of = |tag: &TagId, sink: &mut Sink| match written.value.trim() {
            "silent" | "断" | "无" => Some(Signal::Silent),
            "normal" | "正常" => Some(Signal::Shows { value: self.normal(tag), quality: Quality::Good }),
            _ => sample(&written, sink).map(|sample| Signal::Shows { value: sample.value, quality: sample.quality }),
        };
        tags.into_iter().filter_map(|tag| of(&tag, sink).map(|signal| (tag, signal))).collect()
    }

    /// A value that no limit of the tag minds.
    fn normal(&self, tag: &TagId) -> f64 {
        let Some(tag) = self.plant.tag_index(tag).map(|index| self.plant.tag(index)) else { return 0.0 };
        if let Some(rule) = tag.rule(Condition::Discrete) {
            return 1.0 - rule.setpoint;
        }
        let (mut low, mut high) = tag.range.unwrap_or((0.0, 100.0));
        for rule in tag.conditions.iter().filter(|rule| rule.condition.is_limit()) {
            if rule.condition.is_high_side() {
                high = high.min(rule.setpoint - rule.deadband);
            } else {
                low = low.max(rule.setpoint + rule.deadband);
            }
        }
        low + (high - low) * 0.4
    }

    fn deed(&self, table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Deed> {
        let line = table.place().line();
        let by = table.required_string("by", sink);
        let act = table.required_string("act", sink);
        let of = table.string("of", sink);
        let outcome = table.string("outcome", sink).and_then(|written| crate::values::choose(&written, outcome, OUTCOMES, sink));
        let field = table.number("field", (-1e12, 1e12), sink).map(|number| number.value);
        let comment = table.string("comment", sink).map_or_else(|| "按规程处理".to_owned(), |comment| comment.value);
        let ticket = table.string("ticket", sink).map_or_else(String::new, |ticket| ticket.value);
        let until = table.string("until", sink).and_then(|written| self.step_time(&written, self.start, sink));
        let refused = table.bool("refused", sink).is_some_and(|refused| refused.value);
        let by = by.and_then(|written| self.person(written.value.trim(), written.place, sink));
        let act = act.and_then(|written| {
            let parse = |word: &str| VERBS.iter().find(|(_, en, zh)| *en == word || *zh == word).map(|(verb, _, _)| *verb);
            crate::values::choose(&written, parse, VERBS.map(|(_, en, _)| en), sink)
        });
        let (mut tag, mut equipment) = (None, None);
        if let Some(written) = of {
            match self.find_tag(written.value.trim()) {
                Some(found) => {
                    equipment = self.equipment_of(&found);
                    tag = Some(found);
                }
                None => equipment = Some(self.equipment(written.value.trim(), written.place, sink)?),
            }
        } else if !matches!(act, Some(Verb::Silence)) {
            sink.push(table.place().error("missing-key", text("缺少 `of`:对哪个位号或设备", "`of` is missing: which tag or equipment")));
            return None;
        }
        Some(Deed {
            line,
            by: by?,
            act: act?,
            tag,
            equipment,
            outcome: outcome.unwrap_or(Outcome::Real),
            field,
            comment,
            until,
            ticket,
            refused,
        })
    }

    fn expect(&self, table: &mut Table<'_, '_>, sink: &mut Sink) -> Expect {
        let alarms = match table.strings("alarms", sink) {
            None => Some(Vec::new()),
            Some(list) if matches!(list.as_slice(), [one] if matches!(one.value.trim(), "any" | "不限")) => None,
            Some(list) => Some(written(&list, sink, |text, place, sink| self.alarm(text, place, sink))),
        };
        let told = table.strings("told", sink).map(|list| written(&list, sink, |text, place, sink| self.told(text, place, sink)));
        let cases = table.strings("cases", sink).map(|list| written(&list, sink, |text, place, sink| self.case(text, place, sink)));
        let sirens = table.strings("sirens", sink).map(|list| written(&list, sink, |text, place, sink| self.siren(text, place, sink)));
        let standing = table.strings("standing", sink).unwrap_or_default();
        let standing = written(&standing, sink, |text, place, sink| self.standing(text, place, sink));
        Expect { alarms, told, cases, sirens, standing }
    }

    fn alarm(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<AlarmWords> {
        let (tag, rest) = self.leading_tag(written, place, sink)?;
        let mut words = Words::new(rest);
        let at = words.after(&["at", "于"]);
        let at = match at {
            Some(word) => Some(self.moment(word, place, sink)?),
            None => None,
        };
        let condition = words.one(parse_condition);
        let change = words.one(change);
        let level = words.one(parse_level);
        let late = words.one(|word| matches!(word, "late" | "补传").then_some(true));
        nothing_left(&words, place, sink)?;
        let missing = || {
            place.error("incomplete", text("要写位号、条件和变化", "a tag, a condition and a change are needed")).suggest(
                "例如 \"LIA-101 高报 起报\";变化有 起报、恢复、确认、复位、故障、撤销",
                "such as \"LIA-101 high raised\"; changes are raised, returned, acknowledged, reset, faulted, retired",
            )
        };
        let (Some(condition), Some(change)) = (condition, change) else {
            sink.push(missing());
            return None;
        };
        Some(AlarmWords { tag, condition, change, at, level, late })
    }

    /// A moment in an expectation: `30s` after the start, or a time of day.
    fn moment(&self, word: &str, place: Place<'_>, sink: &mut Sink) -> Option<Timestamp> {
        let length = signed(word).map(|length| self.start + length);
        let at = length.or_else(|| self.clock_time(word, self.start));
        if at.is_none() {
            let fault = place.error("time", text(format!("看不懂时间 `{word}`"), format!("`{word}` is no time")));
            sink.push(fault.suggest("例如 at 30s 或 at 10:05", "such as at 30s or at 10:05"));
        }
        at
    }

    fn told(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<ToldWords> {
        let mut words = Words::new(written);
        let by = words.all(channel_kind);
        let level = words.one(parse_level);
        let why = words.one(purpose);
        let who = words.one(|word| self.who(word));
        if who.is_none()
            && let Some(word) = words.left.first()
        {
            let people = self.plant.people.iter().map(|person| person.id.as_str());
            let bodies = self.plant.bodies.iter().map(|body| body.id.as_str());
            let known = people.chain(bodies).chain(["enterprise", "township", "county"]);
            let fault = place.error("unknown-name", text(format!("不认识 `{word}`"), format!("nobody is called `{word}`")));
            sink.push(fault.suggest_some(suggest::did_you_mean(word, known)));
            return None;
        }
        nothing_left(&words, place, sink)?;
        let Some(who) = who else {
            let fault = place.error("incomplete", text("要写告知谁", "who is told is missing"));
            sink.push(fault.suggest("例如 \"企业 橙色 短信\"", "such as \"enterprise orange sms\""));
            return None;
        };
        Some(ToldWords { who, level, why, by: (!by.is_empty()).then_some(by) })
    }

    fn who(&self, word: &str) -> Option<Who> {
        let tier = |tier: u8| Some(Who::Tier(Tier(tier)));
        match word {
            "enterprise" | "企业" => return tier(0),
            "township" | "park" | "镇街" | "园区" => return tier(1),
            "county" | "区县" | "县局" => return tier(2),
            _ => {}
        }
        if let Some(person) = self.find_person(word) {
            return Some(Who::Person(person));
        }
        let body = self.plant.bodies.iter().find(|body| body.id.as_str() == word || body.name == word || body.short_name == word);
        body.map(|body| Who::Body(body.id.clone()))
    }

    fn case(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<CaseWords> {
        let mut parts = written.splitn(2, char::is_whitespace);
        let equipment = self.equipment(parts.next().unwrap_or_default(), place, sink)?;
        let mut words = Words::new(parts.next().unwrap_or_default());
        let level = words.one(parse_level);
        let step = words.one(case_step);
        nothing_left(&words, place, sink)?;
        Some(CaseWords { equipment, level, step })
    }

    fn siren(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<SirenWords> {
        let mut parts = written.splitn(2, char::is_whitespace);
        let name = parts.next().unwrap_or_default();
        let (enterprise, id) = self.owned(name);
        let known: Vec<&str> = self.plant.tags.iter().filter_map(|tag| tag.zone.as_ref()).map(ZoneId::as_str).collect();
        let Some(enterprise) = enterprise.filter(|_| known.contains(&id)) else {
            let fault = place.error("unknown-name", text(format!("没有声光区域 `{name}`"), format!("no siren zone `{name}`")));
            sink.push(fault.suggest_some(suggest::did_you_mean(id, known)));
            return None;
        };
        let mut words = Words::new(parts.next().unwrap_or_default());
        let sound = words.one(|word| matches!(word, "sound" | "响" | "声").then_some(())).is_some();
        let light = words.one(|word| matches!(word, "light" | "灯" | "光").then_some(())).is_some();
        nothing_left(&words, place, sink)?;
        Some(SirenWords { zone: (enterprise, ZoneId::new(id)), sound, light })
    }

    fn standing(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<StandingWords> {
        let (tag, rest) = self.leading_tag(written, place, sink)?;
        let mut words = Words::new(rest);
        let condition = words.one(parse_condition);
        let state = words.one(state);
        nothing_left(&words, place, sink)?;
        let (Some(condition), Some(state)) = (condition, state) else {
            let fault = place.error("incomplete", text("要写位号、条件和状态", "a tag, a condition and a state are needed"));
            sink.push(fault.suggest_some(suggest::one_of(STATES.map(|(_, en, _)| en))));
            return None;
        };
        Some(StandingWords { tag, condition, state })
    }

    /// `enterprise/name`, or `name` of the scenario's own enterprise.
    fn owned<'w>(&self, written: &'w str) -> (Option<BodyId>, &'w str) {
        if let Some((enterprise, id)) = written.split_once('/')
            && self.plant.body(&BodyId::new(enterprise)).is_some_and(|body| body.tier == Tier::ENTERPRISE)
        {
            return (Some(BodyId::new(enterprise)), id);
        }
        (self.enterprise.clone(), written)
    }

    fn find_tag(&self, written: &str) -> Option<TagId> {
        let (enterprise, tag) = self.owned(written);
        let own = enterprise.map(|enterprise| TagId::new(enterprise, tag)).filter(|id| self.plant.tag_index(id).is_some());
        // A gateway's own tag carries its loss.
        own.or_else(|| self.gateway(written).map(|(_, _, own)| self.plant.tag(own).id.clone()))
    }

    fn gateway(&self, written: &str) -> Option<(BodyId, GatewayId, model::TagIndex)> {
        let (enterprise, id) = self.owned(written);
        let gateway =
            self.plant.gateways.iter().find(|gateway| Some(&gateway.enterprise) == enterprise.as_ref() && gateway.id.as_str() == id)?;
        Some((gateway.enterprise.clone(), gateway.id.clone(), gateway.tag))
    }

    fn own_gateways(&self) -> impl Iterator<Item = &str> + Clone {
        let own = |gateway: &&model::plant::Gateway| self.enterprise.as_ref().is_none_or(|enterprise| gateway.enterprise == *enterprise);
        self.plant.gateways.iter().filter(own).map(|gateway| gateway.id.as_str())
    }

    /// One tag, or every tag of a gateway.
    fn tags(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Vec<TagId> {
        if let Some((enterprise, id, _)) = self.gateway(written) {
            let gateway = self.plant.gateways.iter().find(|gateway| gateway.enterprise == enterprise && gateway.id == id);
            return gateway.into_iter().flat_map(|gateway| &gateway.members).map(|member| self.plant.tag(*member).id.clone()).collect();
        }
        self.tag(written, place, sink).into_iter().collect()
    }

    fn tag(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<TagId> {
        let found = self.find_tag(written);
        if found.is_none() {
            sink.push(self.unknown_tag(written, place));
        }
        found
    }

    fn unknown_tag(&self, written: &str, place: Place<'_>) -> Fault {
        let fault = place.error("unknown-tag", text(format!("没有位号 `{written}`"), format!("no tag `{written}`")));
        let (enterprise, id) = self.owned(written);
        let own = self.plant.tags.iter().filter(|tag| Some(&tag.id.enterprise) == enterprise.as_ref()).map(|tag| &*tag.id.tag);
        let missing = || text("写成 企业/位号,或在文件开头写 enterprise", "write enterprise/tag, or `enterprise` at the top");
        fault.suggest_some(if enterprise.is_some() { suggest::did_you_mean(id, own) } else { Some(missing()) })
    }

    /// The tag a line begins with: the longest that is known, since tags may hold blanks.
    fn leading_tag<'w>(&self, written: &'w str, place: Place<'_>, sink: &mut Sink) -> Option<(TagId, &'w str)> {
        let written = written.trim();
        let ends = written.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at).chain([written.len()]);
        let found = ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| Some((self.find_tag(&written[..end])?, &written[end..])));
        if found.is_none() {
            sink.push(self.unknown_tag(written.split_whitespace().next().unwrap_or_default(), place));
        }
        found
    }

    fn equipment_of(&self, tag: &TagId) -> Option<(BodyId, EquipmentId)> {
        let tag = self.plant.tag(self.plant.tag_index(tag)?);
        self.plant.equipment_of(tag).map(|equipment| (equipment.enterprise.clone(), equipment.id.clone()))
    }

    fn equipment(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<(BodyId, EquipmentId)> {
        let (enterprise, id) = self.owned(written);
        let own = self.plant.equipment.iter().filter(|other| Some(&other.enterprise) == enterprise.as_ref());
        let found = own.clone().find(|other| other.id.as_str() == id || &*other.name == id);
        let found = found.map(|found| (found.enterprise.clone(), found.id.clone())).or_else(|| self.equipment_of(&self.find_tag(written)?));
        if found.is_none() {
            let fault = place.error("unknown-name", text(format!("没有设备 `{written}`"), format!("no equipment `{written}`")));
            sink.push(fault.suggest_some(suggest::did_you_mean(id, own.map(|other| other.id.as_str()))));
        }
        found
    }

    fn find_person(&self, written: &str) -> Option<PersonId> {
        let mut named = self.plant.people.iter().filter(|person| person.id.as_str() == written || person.name == written);
        // A name that two people bear says nobody.
        named.next().filter(|_| named.next().is_none()).map(|person| person.id.clone())
    }

    fn person(&self, written: &str, place: Place<'_>, sink: &mut Sink) -> Option<PersonId> {
        let found = self.find_person(written);
        if found.is_none() {
            let known = self.plant.people.iter().flat_map(|person| [person.id.as_str(), person.name.as_str()]);
            let fault = place.error("unknown-person", text(format!("没有人员 `{written}`"), format!("no person `{written}`")));
            sink.push(fault.suggest_some(suggest::did_you_mean(written, known)));
        }
        found
    }
}

fn written<T>(list: &[At<'_, String>], sink: &mut Sink, parse: impl Fn(&str, Place<'_>, &mut Sink) -> Option<T>) -> Vec<Written<T>> {
    let one = |one: &At<'_, String>, sink: &mut Sink| {
        let value = parse(one.value.trim(), one.place, sink)?;
        Some(Written { line: one.place.line(), text: one.value.trim().to_owned(), value })
    };
    list.iter().filter_map(|written| one(written, sink)).collect()
}

fn nothing_left(words: &Words<'_>, place: Place<'_>, sink: &mut Sink) -> Option<()> {
    let Some(word) = words.left.first() else { return Some(()) };
    let known = Condition::ALL.iter().map(|condition| condition.name()).chain(CHANGES.iter().map(|(_, en, _)| *en));
    let known = known.chain(Level::ALL.iter().map(|level| level.name())).chain(PURPOSES.iter().map(|(_, en, _)| *en));
    let known = known.chain(STATES.iter().map(|(_, en, _)| *en)).chain(STEPS.iter().map(|(_, en, _)| *en));
    let known = known.chain(KINDS.iter().map(|(_, en)| *en)).chain(["late", "at", "sound", "light"]);
    let fault = place.error("unknown-word", text(format!("看不懂 `{word}`"), format!("`{word}` is not understood here")));
    sink.push(fault.suggest_some(suggest::did_you_mean(word, known)));
    None
}

/// `81`, `true`, `bad`, `bad 81`, `uncertain 81 at -40s`, `null`.
fn sample(written: &At<'_, String>, sink: &mut Sink) -> Option<Sample> {
    let mut words = Words::new(&written.value);
    let at = words.after(&["at", "于"]);
    let sequence = words.after(&["seq", "序号"]);
    let quality = words.one(|word| match word {
        "good" | "好" => Some(Quality::Good),
        "uncertain" | "存疑" => Some(Quality::Uncertain),
        "bad" | "坏" => Some(Quality::Bad),
        _ => None,
    });
    let value = words.one(|word| match word {
        "true" => Some(1.0),
        "false" => Some(0.0),
        "null" | "nan" | "空" => Some(f64::NAN),
        // No transmitter shows infinity.
        number => number.parse::<f64>().ok().filter(|number| !number.is_infinite()),
    });
    let offset = at.map_or(Some(Duration::ZERO), signed);
    let sequence = sequence.map_or(Some(None), |word| word.parse().ok().map(Some));
    let value = value.or((quality == Some(Quality::Bad)).then_some(f64::NAN));
    let (Some(value), Some(offset), Some(sequence), true) = (value, offset, sequence, words.left.is_empty()) else {
        let fault = written.place.error("reading", text("看不懂这个读数", "this reading is not understood"));
        sink.push(fault.suggest(
            "例如 81、\"bad\"、\"uncertain 81\"、\"81 at -40s\"、\"null\"",
            "such as 81, \"bad\", \"uncertain 81\", \"81 at -40s\", \"null\"",
        ));
        return None;
    };
    // What cannot be read is a bad reading, whatever it claims.
    let quality = if value.is_nan() { Quality::Bad } else { quality.unwrap_or(Quality::Good) };
    Some(Sample { value, quality, offset, sequence })
}

/// `1min30s`.
fn lengths(written: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = written.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let end = rest[unit..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| unit + at);
        total = total + parse_duration(&rest[..end])?;
        rest = &rest[end..];
    }
    Some(total)
}

fn signed(written: &str) -> Option<Duration> {
    match written.strip_prefix('-') {
        Some(length) => lengths(length).map(|length| Duration::ZERO - length),
        None => lengths(written.strip_prefix('+').unwrap_or(written)),
    }
}

fn civil(written: &str, plant: &Plant) -> Option<Timestamp> {
    if let Ok(instant) = written.parse::<jiff::Timestamp>() {
        return Some(Timestamp(instant.as_microsecond()));
    }
    let offset = i32::try_from(plant.utc_offset.as_secs()).ok().and_then(|seconds| jiff::tz::Offset::from_seconds(seconds).ok())?;
    let civil = written.parse::<jiff::civil::DateTime>().ok()?;
    offset.to_timestamp(civil).ok().map(|at| Timestamp(at.as_microsecond()))
}

fn lookup<T: Copy>(table: &[(T, &str, &str)], word: &str) -> Option<T> {
    table.iter().find(|(_, en, zh)| *en == word || zh.split('/').any(|zh| zh == word)).map(|(value, _, _)| *value)
}

const CHANGES: [(Change, &str, &str); 8] = [
    (Change::Raised, "raised", "起报"),
    (Change::Returned, "returned", "恢复"),
    (Change::Acknowledged, "acknowledged", "确认"),
    (Change::Reset, "reset", "复位"),
    (Change::Faulted, "faulted", "故障"),
    (Change::Retired, "retired", "撤销"),
    (Change::Realarmed, "realarmed", "再报警"),
    (Change::AcknowledgementExpired, "acknowledgement-expired", "确认过期"),
];

fn change(word: &str) -> Option<Change> {
    lookup(&CHANGES, word)
}

const PURPOSES: [(Purpose, &str, &str); 8] = [
    (Purpose::Announce, "announce", "起报"),
    (Purpose::Remind, "remind", "催办"),
    (Purpose::SignMissed, "sign-missed", "逾期未签"),
    (Purpose::HandleMissed, "handle-missed", "处置逾期"),
    (Purpose::Passed, "passed", "越级"),
    (Purpose::Supervise, "supervise", "督办"),
    (Purpose::Return, "return", "退回"),
    (Purpose::Closed, "closed", "办结"),
];

fn purpose(word: &str) -> Option<Purpose> {
    lookup(&PURPOSES, word)
}

const STATES: [(AlarmState, &str, &str); 7] = [
    (AlarmState::Normal, "normal", "正常"),
    (AlarmState::Unacknowledged, "unacknowledged", "未确认"),
    (AlarmState::Acknowledged, "acknowledged", "已确认"),
    (AlarmState::ReturnedUnacknowledged, "returned-unacknowledged", "恢复未确认"),
    (AlarmState::LatchedUnacknowledged, "latched-unacknowledged", "锁存未确认"),
    (AlarmState::LatchedAcknowledged, "latched-acknowledged", "锁存已确认"),
    (AlarmState::Faulted, "faulted", "故障"),
];

fn state(word: &str) -> Option<AlarmState> {
    lookup(&STATES, word)
}

const STEPS: [(CaseStep, &str, &str); 9] = [
    (CaseStep::Opened, "opened", "待通知"),
    (CaseStep::Notified, "notified", "已通知"),
    (CaseStep::Accepted, "accepted", "已签收"),
    (CaseStep::Checked, "checked", "已核实"),
    (CaseStep::Handling, "handling", "处置中"),
    (CaseStep::Reported, "reported", "已反馈"),
    (CaseStep::Reviewed, "reviewed", "已复核"),
    (CaseStep::Returned, "sent-back", "已退回"),
    (CaseStep::Closed, "closed", "已办结"),
];

fn case_step(word: &str) -> Option<CaseStep> {
    lookup(&STEPS, word)
}

/// The English names of outcomes, for suggestions.
const OUTCOMES: [&str; 7] = ["real", "process-upset", "instrument-fault", "false", "calibration", "communication", "drill"];

fn outcome(word: &str) -> Option<Outcome> {
    let by_name = OUTCOMES.iter().position(|name| *name == word).map(|at| Outcome::ALL[at]);
    by_name.or_else(|| Outcome::ALL.into_iter().find(|outcome| outcome.name_zh() == word))
}

fn channel_kind(word: &str) -> Option<ChannelKind> {
    let zh = match word {
        "平台" | "平台提示" => Some(ChannelKind::Platform),
        "APP" => Some(ChannelKind::App),
        "短信" => Some(ChannelKind::Sms),
        "语音" | "电话" => Some(ChannelKind::Voice),
        _ => None,
    };
    zh.or_else(|| KINDS.iter().find(|(_, name)| *name == word).map(|(kind, _)| *kind))
}

/// What a change is called, for the report of a scenario that failed.
pub fn change_name(change: Change) -> Text {
    name_of(&CHANGES, change)
}

/// See [`change_name`].
pub fn purpose_name(purpose: Purpose) -> Text {
    name_of(&PURPOSES, purpose)
}

/// See [`change_name`].
pub fn state_name(state: AlarmState) -> Text {
    name_of(&STATES, state)
}

/// See [`change_name`].
pub fn step_name(step: CaseStep) -> Text {
    name_of(&STEPS, step)
}

fn name_of<T: PartialEq + Copy>(table: &[(T, &str, &str)], value: T) -> Text {
    table.iter().find(|(other, _, _)| *other == value).map_or_else(|| text("?", "?"), |(_, en, zh)| text(*zh, *en))
}
