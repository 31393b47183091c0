//! The second stage: tags that are calculated from others, and what hangs on them (operating modes, suppression by design).
//!
//! A calculated tag is worked out once all that one input brought about has happened, in the order in which they depend on one another,
//! and then judged like any other tag. Its time is the newest of its inputs' and never runs backwards; what it can make of bad and silent
//! inputs is the expression's business, so lost data is never a no. It has no gateway, and falls silent with its inputs only.
//!
//! A mode and a suppression are calculated tags as well, so they are recorded, shown and replayed like any other value. Both only act
//! on good evidence: where it is lacking the ordinary limits hold and everything is told. Neither ever touches a gas limit, nor a limit
//! on what is calculated from a gas detector, whatever the configuration says.

use crate::Rules;
use crate::effects::Said;
use crate::judge::{Judged, is_gas_over_range, is_out_of_range};
use crate::slot::{Hold, Slot};
use crate::tag::{Fall, Newest};
use expr::{Memory, Sample, WindowParts};
use model::{Plant, Quality, Reading, ReadingRecord, TagIndex, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One calculated tag.
#[derive(Debug)]
struct Calculated {
    tag: TagIndex,
    memory: Memory,
    /// Conditions that it suppresses while it is true.
    suppresses: Vec<(TagIndex, u8)>,
    /// Tags whose limits follow it as a mode.
    guides: Vec<TagIndex>,
}

/// All calculated tags of one plant.
#[derive(Debug, Default)]
pub(crate) struct Second {
    /// Each behind those it depends on.
    list: Vec<Calculated>,
    /// Places in `list` by the tag they read.
    readers: BTreeMap<TagIndex, Vec<u32>>,
    /// Places in `list` of what has to be worked out again.
    touched: BTreeSet<u32>,
    inputs: Vec<Sample>,
    /// Calculated tags with a new value that nobody has asked for yet.
    fresh: BTreeSet<TagIndex>,
    /// Tags that one of them suppresses or guides.
    steered: BTreeSet<TagIndex>,
    /// By calculated tag a number for its unit, its formula and the meaning of all that it is calculated from.
    meanings: BTreeMap<TagIndex, u32>,
}

impl Second {
    pub fn new(plant: &Plant) -> Self {
        let order = order(plant);
        let gas = from_gas(plant, &order);
        let mut second = Self { meanings: meanings(plant, &order), ..Self::default() };
        for index in order {
            let Some(calculation) = &plant.tag(index).calculation else { continue };
            let place = second.list.len() as u32;
            for input in &calculation.inputs {
                second.readers.entry(*input).or_default().push(place);
            }
            let memory = calculation.program.memory();
            second.list.push(Calculated { tag: index, memory, suppresses: Vec::new(), guides: Vec::new() });
        }
        let places: BTreeMap<TagIndex, usize> = second.list.iter().enumerate().map(|(place, one)| (one.tag, place)).collect();
        for (at, tag) in plant.tags.iter().enumerate() {
            let index = TagIndex(at as u32);
            if gas.contains(&index) || !tag.in_service {
                continue;
            }
            let mode = plant.equipment_of(tag).and_then(|equipment| equipment.modes.as_ref()).map(|modes| modes.tag);
            let mode = mode.and_then(|mode| places.get(&mode).copied());
            let mut follows = false;
            for (condition, rule) in tag.conditions.iter().enumerate() {
                let Some(extra) = &rule.extra else { continue };
                if rule.condition.is_data_fault() {
                    continue;
                }
                follows |= !extra.modes.is_empty();
                for name in &extra.suppressed_by {
                    let by = plant.find_tag(tag.id.enterprise.as_str(), name).and_then(|by| places.get(&by).copied());
                    if let Some(by) = by {
                        second.list[by].suppresses.push((index, condition as u8));
                        second.steered.insert(index);
                    }
                }
            }
            if let Some(mode) = mode.filter(|_| follows) {
                second.list[mode].guides.push(index);
                second.steered.insert(index);
            }
        }
        second
    }

    /// What the value of a tag of `plant`, whose second stage this is, means: a number to be stored beside it. Of another meaning, it is
    /// no value of this tag. Never [`UNSTATED`].
    pub fn meaning(&self, plant: &Plant, tag: TagIndex) -> u32 {
        match self.meanings.get(&tag).copied().unwrap_or_else(|| own_meaning(plant, tag)) {
            UNSTATED => !UNSTATED,
            meaning => meaning,
        }
    }

    /// Whether a calculated tag reads this one.
    pub fn feeds(&self, tag: TagIndex) -> bool {
        self.readers.contains_key(&tag)
    }

    /// Whether a calculated tag decides by which limits this one is judged, or what of it is told.
    pub fn steers(&self, tag: TagIndex) -> bool {
        self.steered.contains(&tag)
    }

    /// A tag has been looked at: what is calculated from it may be another value.
    pub fn touch(&mut self, tag: TagIndex) {
        if let Some(readers) = self.readers.get(&tag) {
            self.touched.extend(readers);
        }
    }

    /// Nothing needs to be worked out until something happens.
    pub fn rest(&mut self) {
        self.touched.clear();
    }

    /// Windows of one calculated tag, to be stored.
    pub fn windows(&self, tag: TagIndex) -> Vec<WindowParts> {
        self.list.iter().find(|one| one.tag == tag).map(|one| one.memory.parts()).unwrap_or_default()
    }

    /// Goes on with stored windows.
    pub fn resume(&mut self, tag: TagIndex, windows: Vec<WindowParts>) {
        if let Some(one) = self.list.iter_mut().find(|one| one.tag == tag) {
            one.memory.resume(windows);
        }
    }

    /// All calculated tags, each behind those it depends on.
    pub fn tags(&self) -> impl Iterator<Item = TagIndex> + '_ {
        self.list.iter().map(|one| one.tag)
    }
}

/// Calculated tags, each behind those it depends on. One that depends on itself is left out: it is never worked out.
fn order(plant: &Plant) -> Vec<TagIndex> {
    let calculated: Vec<TagIndex> = (0..plant.tags.len() as u32)
        .map(TagIndex)
        .filter(|index| plant.tag(*index).calculation.is_some() && plant.tag(*index).in_service)
        .collect();
    let mut waits: BTreeMap<TagIndex, usize> = BTreeMap::new();
    let mut readers: BTreeMap<TagIndex, Vec<TagIndex>> = BTreeMap::new();
    for index in &calculated {
        let inputs = plant.tag(*index).inputs().iter();
        for input in inputs.filter(|input| plant.tags.get(input.at()).is_some_and(|tag| tag.calculation.is_some() && tag.in_service)) {
            *waits.entry(*index).or_default() += 1;
            readers.entry(*input).or_default().push(*index);
        }
    }
    let mut ready: BTreeSet<TagIndex> = calculated.into_iter().filter(|index| !waits.contains_key(index)).collect();
    let mut order = Vec::new();
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for reader in readers.remove(&index).unwrap_or_default() {
            let left = waits.entry(reader).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                ready.insert(reader);
            }
        }
    }
    order
}

/// See [`Second::meanings`]; each stands in `order` behind those it depends on.
fn meanings(plant: &Plant, order: &[TagIndex]) -> BTreeMap<TagIndex, u32> {
    let mut all = BTreeMap::new();
    for index in order {
        let input_means = |input: &TagIndex| all.get(input).copied().unwrap_or_else(|| own_meaning(plant, *input));
        let inputs = plant.tag(*index).inputs().iter();
        let meaning = inputs.fold(own_meaning(plant, *index), |meaning, input| fnv(meaning, &input_means(input).to_le_bytes()));
        all.insert(*index, meaning);
    }
    all
}

/// A number for the unit and the formula of a tag.
pub(crate) fn own_meaning(plant: &Plant, tag: TagIndex) -> u32 {
    let tag = plant.tag(tag);
    fnv(fnv(FNV_BASIS, tag.unit.as_bytes()), tag.formula().unwrap_or_default().as_bytes())
}

/// The meaning of a value stored by a program that did not say it: taken up as it is.
pub(crate) const UNSTATED: u32 = 0;

const FNV_BASIS: u32 = 0x811C_9DC5;

/// FNV-1a, the same in every program. A byte that no text holds ends each part.
fn fnv(from: u32, bytes: &[u8]) -> u32 {
    bytes.iter().chain(&[0xFF]).fold(from, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Gas detectors and whatever is calculated from them.
fn from_gas(plant: &Plant, order: &[TagIndex]) -> BTreeSet<TagIndex> {
    let all = (0..plant.tags.len() as u32).map(TagIndex);
    let mut gas: BTreeSet<TagIndex> = all.filter(|index| plant.tag(*index).signal.is_gas()).collect();
    for index in order {
        let mut inputs = plant.tag(*index).inputs().iter();
        if inputs.any(|input| gas.contains(input)) {
            gas.insert(*index);
        }
    }
    gas
}

impl Rules {
    /// Works out every calculated tag whose inputs have been looked at.
    pub(crate) fn run_second(&mut self, said: &mut Vec<Said>) {
        // What a tag brings about may touch one that was worked out before; it then says what it said, and this ends.
        while let Some(place) = self.second.touched.pop_first() {
            self.work_out(place as usize, said);
        }
    }

    /// What a calculated tag comes to by what its inputs hold, at `earliest` or when the last of them spoke after that. None where nothing
    /// came of any input yet.
    fn calculate(&mut self, place: usize, earliest: Timestamp) -> Option<Reading> {
        let plant = Arc::clone(&self.plant);
        let index = self.second.list[place].tag;
        let calculation = plant.tag(index).calculation.as_ref()?;
        let time = calculation.inputs.iter().filter_map(|input| self.spoke(*input)).max()?.max(earliest);
        let mut inputs = std::mem::take(&mut self.second.inputs);
        inputs.clear();
        inputs.extend(calculation.inputs.iter().map(|input| self.sample(*input)));
        let value = calculation.program.run(&inputs, time.as_micros(), &mut self.second.list[place].memory);
        self.second.inputs = inputs;
        let quality = match value.quality {
            expr::Quality::Good => Quality::Good,
            expr::Quality::Uncertain => Quality::Uncertain,
            expr::Quality::Bad => Quality::Bad,
        };
        Some(Reading { tag: index, source_time: time, receive_time: self.now, value: value.value, quality, sequence: None })
    }

    /// Gives a tag that is calculated otherwise than before, or for the first time, the value that its inputs hold now. It is not judged
    /// yet: first all of those have to be known, and the modes that hang on them.
    pub(crate) fn calculate_anew(&mut self, index: TagIndex) {
        let Some(place) = self.second.list.iter().position(|one| one.tag == index) else { return };
        let Some(reading) = self.calculate(place, self.now) else { return };
        let heard = self.listening.at(self.now);
        let mut tag = self.tags.open(index, self.plant.tag(index).conditions.len());
        tag.newest = Some(Newest { time: reading.source_time, record: ReadingRecord::from(&reading), ahead: None });
        (tag.heard, tag.advanced) = (heard, heard);
        self.close(index, tag);
        self.second.fresh.insert(index);
    }

    fn work_out(&mut self, place: usize, said: &mut Vec<Said>) {
        let plant = Arc::clone(&self.plant);
        let index = self.second.list[place].tag;
        let Some(calculation) = &plant.tag(index).calculation else { return };
        let before = self.tag(index).newest();
        let Some(reading) = self.calculate(place, before.map_or(Timestamp::MIN, |before| before.time)) else { return };
        let (time, record) = (reading.source_time, ReadingRecord::from(&reading));
        let same = |before: Newest| before.time == time && before.record.value == record.value && before.record.quality == record.quality;
        if before.is_some_and(same) {
            return;
        }
        self.second.fresh.insert(index);
        let one = &self.second.list[place];
        let steers = !one.suppresses.is_empty() || !one.guides.is_empty();
        let (heard, now) = (self.listening.at(self.now), self.now);
        self.with_tag(index, said, |tag, view, scene| {
            let late = now.since(time) > scene.plant.policies.late_after;
            let judged = Judged::new(scene.tag(), &reading, time, now, late);
            (tag.heard, tag.advanced) = (heard, heard);
            tag.fire_proven(time, view, scene);
            tag.apply(&judged, time, view, scene);
            // What hangs on it must not change with a restart.
            let said = |newest: Newest| (newest.record.value, newest.record.quality);
            tag.changed |= steers && before.map(said) != tag.newest.map(said);
        });
        self.write_inputs_of_changes(index, &calculation.inputs);
        if steers {
            self.steer(place, time, said);
        }
    }

    /// Gives each calculated tag that has a new value since the last call, with that value. It comes with no reading of its own, so whoever
    /// shows or keeps readings asks for it here.
    pub fn drain_calculated(&mut self, mut then: impl FnMut(TagIndex, ReadingRecord)) {
        if self.second.fresh.is_empty() {
            return;
        }
        for index in std::mem::take(&mut self.second.fresh) {
            if let Some(newest) = self.tag(index).newest() {
                then(index, newest.record);
            }
        }
    }

    /// A change that is written names the values it came from, so those are written with it.
    fn write_inputs_of_changes(&mut self, index: TagIndex, inputs: &[TagIndex]) {
        if self.dirty.contains(&index) {
            self.dirty.extend(inputs);
        }
    }

    /// When a tag last said something new, its falling silent included; none where nothing came of it yet, or not in its unit.
    fn spoke(&self, index: TagIndex) -> Option<Timestamp> {
        let view = self.tag(index);
        let newest = view.newest().filter(|newest| !newest.is_void())?.time;
        Some(match view.rest.fall {
            Some((Fall::Silent, since)) if view.rest.silent => newest.max(since),
            _ => newest,
        })
    }

    /// What a program is given of a tag: bad where nobody knows its value now, but a gas detector over range is believed.
    fn sample(&self, index: TagIndex) -> Sample {
        let tag = self.plant.tag(index);
        let view = self.tag(index);
        let Some(newest) = view.newest().filter(|_| tag.in_service && !view.rest.silent) else { return Sample::BAD };
        let Some(value) = newest.record.value else { return Sample::BAD };
        if is_gas_over_range(tag, Some(value)) {
            return Sample::new(value, expr::Quality::Uncertain);
        }
        if self.is_input_bad(index) {
            return Sample::BAD;
        }
        let outside = is_out_of_range(tag, Some(value));
        let warming = view.rest.warm_until.is_some_and(|until| newest.time < until);
        let good = newest.record.quality == Quality::Good && !outside && !warming;
        Sample::new(value, if good { expr::Quality::Good } else { expr::Quality::Uncertain })
    }

    /// Takes a calculated tag up as mode and as suppressor.
    fn steer(&mut self, place: usize, at: Timestamp, said: &mut Vec<Said>) {
        let one = &self.second.list[place];
        let (guides, suppresses) = (one.guides.clone(), one.suppresses.clone());
        let mode = self.mode_of(place);
        for index in guides {
            // What the new mode raises is told or not as the new mode has it.
            self.suppress_by_design(index, mode, at, said);
            self.with_tag(index, said, |tag, view, scene| tag.enter_mode(mode, at, view, scene));
        }
        let mut tags: Vec<TagIndex> = suppresses.into_iter().map(|(tag, _)| tag).collect();
        tags.dedup();
        for index in tags {
            self.suppress_by_design(index, self.tag(index).rest.mode, at, said);
        }
    }

    /// The mode that a calculated tag names: the ordinary one unless it is known.
    fn mode_of(&self, place: usize) -> u8 {
        match self.value_of(place) {
            Some(value) if value > 0.0 && value < 255.5 => value.round() as u8,
            _ => 0,
        }
    }

    /// The value of a calculated tag, where it is good.
    fn value_of(&self, place: usize) -> Option<f64> {
        let newest = self.tag(self.second.list[place].tag).newest()?;
        newest.record.value.filter(|_| newest.record.quality == Quality::Good)
    }

    /// Says of each condition of a tag whether it is suppressed in a mode, as things are.
    fn suppress_by_design(&mut self, index: TagIndex, mode: u8, at: Timestamp, said: &mut Vec<Said>) {
        let wanted = self.suppressed_places(index, mode);
        self.with_tag(index, said, |tag, _, scene| {
            for (place, suppressed) in wanted.into_iter().enumerate() {
                let rule = &scene.tag().conditions[place];
                tag.slots[place].suppress(rule, suppressed, at, scene);
            }
        });
    }

    fn suppressed_places(&self, index: TagIndex, mode: u8) -> Vec<bool> {
        let tag = self.plant.tag(index);
        let mut wanted: Vec<bool> = tag
            .conditions
            .iter()
            .map(|rule| {
                let modes = rule.extra.as_ref().filter(|_| mode != 0).map_or(&[][..], |extra| &extra.modes);
                modes.iter().any(|limit| limit.mode == mode && limit.limit.is_none())
            })
            .collect();
        for (place, one) in self.second.list.iter().enumerate() {
            if self.value_of(place).is_some_and(|value| value >= 0.5) {
                for (_, condition) in one.suppresses.iter().filter(|(tag, _)| *tag == index) {
                    wanted[usize::from(*condition)] = true;
                }
            }
        }
        wanted
    }

    /// Modes and suppressions as the stored values have them, without a word. What was kept from being told and is no longer
    /// suppressed, because the configuration changed, is told at the first step.
    pub(crate) fn resume_second(&mut self) {
        // What follows no mode any more is in the ordinary one.
        for index in (0..self.tags.len() as u32).map(TagIndex) {
            if self.mode(index) != 0 {
                let mut tag = self.tags.open(index, self.plant.tag(index).conditions.len());
                tag.mode = 0;
                self.close(index, tag);
            }
        }
        for place in 0..self.second.list.len() {
            let mode = self.mode_of(place);
            for index in self.second.list[place].guides.clone() {
                let mut tag = self.tags.open(index, self.plant.tag(index).conditions.len());
                tag.mode = mode;
                self.close(index, tag);
            }
        }
        for at in 0..self.tags.len() {
            let index = TagIndex(at as u32);
            let has_extra = self.plant.tag(index).conditions.iter().any(|rule| rule.extra.is_some());
            // Also one whose suppression the configuration does not have any more.
            let is_touched = |slot: &Slot| slot.suppressed || slot.hold == Hold::Suppressed;
            if !has_extra && !self.tag(index).slots().any(|(_, slot)| is_touched(slot)) {
                continue;
            }
            let wanted = self.suppressed_places(index, self.tag(index).rest.mode);
            let mut tag = self.tags.open(index, wanted.len());
            for (slot, suppressed) in tag.slots.iter_mut().zip(wanted) {
                // Whether it is told again hangs on it.
                slot.changed |= slot.suppressed != suppressed;
                slot.suppressed = suppressed;
            }
            let freed = tag.slots.iter().any(|slot| slot.hold == Hold::Suppressed && !slot.suppressed);
            self.close(index, tag);
            if freed {
                self.freed.push(index);
            }
        }
        self.second.rest();
    }

    /// Tells what a suppression that is no longer configured kept from being told.
    pub(crate) fn tell_freed(&mut self, said: &mut Vec<Said>) {
        let now = self.now;
        for index in std::mem::take(&mut self.freed) {
            self.with_tag(index, said, |tag, _, scene| {
                for (place, slot) in tag.slots.iter_mut().enumerate() {
                    if slot.hold == Hold::Suppressed && !slot.suppressed {
                        slot.announce(&scene.tag().conditions[place], model::AnnounceMode::Normal, now, &[], scene);
                    }
                }
            });
        }
    }
}
