//! What the pages show, kept in memory: newest values, alarms, cases, messages, sirens and links.
//!
//! The engine thread writes it after each commit, so whoever got an answer to an act finds its effect here. It must never
//! hold the engine up: a value costs one uncontended lock of its own tag, and readers only copy pointers under the common
//! lock and make their JSON outside it. Nothing here decides anything, and nothing is read back by the engine.

use crate::message::{Message, Messages};
use crate::steered::{Steered, SuppressedBy};
use model::plant::Plant;
use model::{
    AlarmId, AlarmState, Attempt, BodyId, Case, CaseEvent, CaseId, Duration, Episode, Flood, Level, Marks, Notification, Quality, Siren,
    TagId, TagIndex, Timestamp, Window, ZoneId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::broadcast;

/// Closed cases kept for the list; the record of all is the journal.
pub const CLOSED_CASES_KEPT: usize = 2_000;
/// Changes a subscriber may be behind before it is told to fetch everything again.
pub const CHANGES_BEHIND_MAX: usize = 1_024;
/// A tag whose value stays the same is still shown again after this, so its age on the page is right.
const SAME_VALUE_SHOWN_AFTER: Duration = Duration::from_secs(30);

/// The newest reading of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveValue {
    /// None where it could not be read.
    pub value: Option<f64>,
    /// Its quality.
    pub quality: Quality,
    /// By the gateway's clock.
    pub source_time: Timestamp,
    /// By ours.
    pub receive_time: Timestamp,
}

/// An alarm after a transition. One that is normal is shown once more, as gone, and then forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveAlarm {
    /// Which.
    pub id: AlarmId,
    /// State now.
    pub state: AlarmState,
    /// Level of its condition.
    pub level: Level,
    /// Time of the transition that opened the episode.
    pub since: Timestamp,
    /// Value at the last transition.
    pub value: Option<f64>,
    /// The setpoint it is judged by.
    pub setpoint: Option<f64>,
    /// 补传.
    pub late: bool,
    /// Which episode.
    pub episode: Episode,
    /// The case it belongs to.
    pub case: Option<CaseId>,
    /// False where nobody was told of it: it is held, or the loss of its gateway explains it.
    pub told: bool,
    /// What stands beside its state.
    pub marks: Marks,
    /// What suppresses it by design now.
    pub suppressed_by: Vec<SuppressedBy>,
}

/// What narrows or floods who is told, all of it.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Windows not ended.
    pub windows: Vec<Window>,
    /// Floods now.
    pub floods: Vec<Flood>,
}

/// What one commit changed.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The newest journal row of the commit; 0 where nothing was committed, such as for a link.
    pub seq: u64,
    /// The engine's `now` of the commit.
    pub now: Timestamp,
    /// Alarms that made a transition.
    pub alarms: Vec<LiveAlarm>,
    /// Cases as they are now.
    pub cases: Vec<Case>,
    /// What happened to cases.
    pub events: Vec<CaseEvent>,
    /// New messages.
    pub notifications: Vec<Notification>,
    /// What became of messages.
    pub attempts: Vec<Attempt>,
    /// Cases whose unsent messages are not to be sent any more.
    pub superseded: Vec<CaseId>,
    /// Sirens whose wanted state changed.
    pub sirens: Vec<Siren>,
    /// A source's link that went up or down: name, up, since.
    pub link: Option<(String, bool, Timestamp)>,
    /// Alarms with when each was first raised, ever.
    pub proven: Vec<(AlarmId, Timestamp)>,
    /// Windows and floods, where they changed.
    pub beside: Option<Beside>,
    /// Modes and suppression by design, where they changed.
    pub steered: Option<Steered>,
    /// Tags that are now judged by other limits, or of which something else is told.
    pub restated: Vec<TagId>,
}

/// What subscribers get. Pointers only: each subscriber takes what its login may see.
#[derive(Clone, Debug)]
pub enum LiveEvent {
    /// A commit changed something.
    Change(Arc<Change>),
    /// Values changed within the last second, by the indexes of this plant.
    Values(Arc<Plant>, Arc<Vec<(TagIndex, LiveValue)>>),
    /// Another configuration is in force: everything is to be fetched again.
    Plant(Arc<Plant>),
}

/// The changed things themselves, as they are after one commit.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The view's own sequence: never below the journal's, and one higher with every change.
    pub seq: u64,
    /// Changed alarms.
    pub alarms: Vec<Arc<LiveAlarm>>,
    /// Changed cases.
    pub cases: Vec<Arc<Case>>,
    /// Changed messages.
    pub messages: Vec<Arc<Message>>,
    /// Changed sirens.
    pub sirens: Vec<Siren>,
    /// Tags whose mode, limits in force or suppression changed.
    pub restated: Vec<TagId>,
    /// A link, a window, a flood or a suppression changed: everybody's overview did.
    pub link: bool,
}

/// One tag, in little room: a county has a hundred thousand.
#[derive(Clone, Copy)]
struct Cell {
    /// NaN where it could not be read.
    value: f64,
    source_time: Timestamp,
    receive_time: Timestamp,
    /// None before the first reading.
    quality: Option<Quality>,
    shown: Timestamp,
    /// [`NEVER`] where it never was.
    first_seen: Timestamp,
}

/// Later than anything.
const NEVER: Timestamp = Timestamp::MAX;

impl Cell {
    const NEW: Self = Self {
        value: f64::NAN,
        source_time: Timestamp::MIN,
        receive_time: Timestamp::MIN,
        quality: None,
        shown: Timestamp::MIN,
        first_seen: NEVER,
    };
    fn get(&self) -> Option<LiveValue> {
        let value = Some(self.value).filter(|value| !value.is_nan());
        Some(LiveValue { value, quality: self.quality?, source_time: self.source_time, receive_time: self.receive_time })
    }
    fn set(&mut self, new: LiveValue) {
        self.value = new.value.unwrap_or(f64::NAN);
        self.quality = Some(new.quality);
        (self.source_time, self.receive_time) = (new.source_time, new.receive_time);
    }
}

#[derive(Default)]
struct State {
    seq: u64,
    now: Timestamp,
    alarms: BTreeMap<AlarmId, Arc<LiveAlarm>>,
    open: BTreeMap<CaseId, Arc<Case>>,
    // In the order they are listed in, because a list is copied while the engine may want to write.
    closed: BTreeMap<(Timestamp, CaseId), Arc<Case>>,
    closed_at: BTreeMap<CaseId, Timestamp>,
    messages: Messages,
    sirens: BTreeMap<(BodyId, ZoneId), Siren>,
    links: BTreeMap<String, (bool, Timestamp)>,
    proven: BTreeMap<AlarmId, Timestamp>,
    beside_seq: u64,
    windows: Vec<Arc<Window>>,
    floods: Vec<Flood>,
    steered: Arc<Steered>,
}

/// A plant and the newest values of its tags: they change together, so that no index is ever looked up in another plant.
struct Shown {
    plant: Arc<Plant>,
    cells: Vec<Mutex<Cell>>,
    dirty: Vec<AtomicU64>,
}

impl Shown {
    fn new(plant: Arc<Plant>) -> Self {
        let tags = plant.tags.len();
        Self {
            cells: (0..tags).map(|_| Mutex::new(Cell::NEW)).collect(),
            dirty: (0..tags.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            plant,
        }
    }
    fn cell(&self, tag: TagIndex) -> Option<MutexGuard<'_, Cell>> {
        self.cells.get(tag.at()).map(|cell| cell.lock().unwrap_or_else(PoisonError::into_inner))
    }
    fn value(&self, tag: TagIndex) -> Option<LiveValue> {
        self.cell(tag)?.get()
    }
}

/// What the pages will show of another plant: made elsewhere, so that the engine only has to put it there.
pub struct Reshown(Arc<Shown>);

impl Reshown {
    /// Nothing known yet of the tags.
    pub fn of(plant: Arc<Plant>) -> Self {
        Self(Arc::new(Shown::new(plant)))
    }
}

/// The shared read model.
pub struct LiveView {
    shown: RwLock<Arc<Shown>>,
    state: RwLock<State>,
    events: broadcast::Sender<LiveEvent>,
}

impl LiveView {
    /// Nothing known yet of a plant.
    pub fn new(plant: Arc<Plant>) -> Self {
        Self { shown: RwLock::new(Arc::new(Shown::new(plant))), state: RwLock::default(), events: broadcast::channel(CHANGES_BEHIND_MAX).0 }
    }
    /// The plant it shows.
    pub fn plant(&self) -> Arc<Plant> {
        Arc::clone(&self.shown().plant)
    }
    /// Shows another plant from now on; `moves` gives each tag of before its place in it. Called by the engine thread, after the commit of
    /// the change and before that of anything evaluated under it. Gives back what was shown before, for whoever has the time to free it.
    pub fn reshow(&self, to: Reshown, moves: &[Option<TagIndex>]) -> Reshown {
        let before = self.shown();
        for (cell, place) in before.cells.iter().zip(moves) {
            if let Some(to) = place.and_then(|place| to.0.cells.get(place.at())) {
                *to.lock().unwrap_or_else(PoisonError::into_inner) = *cell.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
        let plant = Arc::clone(&to.0.plant);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = to.0;
        // Nobody listening is no fault.
        let _ = self.events.send(LiveEvent::Plant(plant));
        Reshown(before)
    }
    /// Notes the newest reading of a tag. Called for every reading: one uncontended lock, no allocation, no waking.
    pub fn set_value(&self, tag: TagIndex, value: LiveValue) {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let Some(mut cell) = shown.cell(tag) else { return };
        let differs = cell.get().is_none_or(|old| old.value != value.value || old.quality != value.quality);
        let shown_long_ago = value.source_time.since(cell.shown) >= SAME_VALUE_SHOWN_AFTER;
        cell.set(value);
        if differs || shown_long_ago {
            cell.shown = value.source_time;
            shown.dirty[tag.at() / 64].fetch_or(1 << (tag.at() % 64), Ordering::Relaxed);
        }
    }
    /// Notes when a tag was first seen, ever.
    pub fn set_first_seen(&self, tag: TagIndex, at: Timestamp) {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut cell) = shown.cell(tag) {
            cell.first_seen = at;
        }
    }
    /// When a tag of `plant` was first seen, ever; none where it never was, and where that plant is no longer the one shown.
    pub fn first_seen(&self, plant: &Arc<Plant>, tag: TagIndex) -> Option<Timestamp> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let cell = if Arc::ptr_eq(&shown.plant, plant) { shown.cell(tag) } else { None };
        cell.map(|cell| cell.first_seen).filter(|at| *at != NEVER)
    }
    /// When an alarm was first raised, ever.
    pub fn proven(&self, alarms: impl Iterator<Item = AlarmId>) -> Vec<Option<Timestamp>> {
        let state = self.read();
        alarms.map(|alarm| state.proven.get(&alarm).copied()).collect()
    }
    /// The newest reading of a tag of `plant`; none where that plant is no longer the one shown.
    pub fn value(&self, plant: &Arc<Plant>, tag: TagIndex) -> Option<LiveValue> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&shown.plant, plant) { shown.value(tag) } else { None }
    }
    fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// Sends the values that changed since the last call. `serve` calls it once a second.
    pub fn publish_values(&self) {
        let shown = self.shown();
        let mut changed = Vec::new();
        for (word, bits) in shown.dirty.iter().enumerate() {
            let mut bits = bits.swap(0, Ordering::Relaxed);
            while bits != 0 {
                let tag = TagIndex((word * 64) as u32 + bits.trailing_zeros());
                bits &= bits - 1;
                // Read after its bit was cleared: a value written in between sets the bit again.
                changed.extend(shown.value(tag).map(|value| (tag, value)));
            }
        }
        if !changed.is_empty() {
            // Nobody listening is no fault.
            let _ = self.events.send(LiveEvent::Values(Arc::clone(&shown.plant), Arc::new(changed)));
        }
    }
    /// Shows what a commit changed and tells the subscribers. Called by the engine thread, in the order of commits.
    pub fn apply(&self, update: Update) {
        let overviews = update.link.is_some() || update.beside.is_some() || update.steered.is_some();
        let mut change = Change { link: overviews, restated: update.restated, ..Change::default() };
        let alarms: Vec<_> = update.alarms.into_iter().map(Arc::new).collect();
        let cases: Vec<_> = update.cases.into_iter().map(Arc::new).collect();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        change.seq = state.next_seq(update.seq);
        state.now = state.now.max(update.now);
        for alarm in alarms {
            if alarm.state == AlarmState::Normal {
                state.alarms.remove(&alarm.id);
            } else {
                state.alarms.insert(alarm.id.clone(), alarm.clone());
            }
            change.alarms.push(alarm);
        }
        let mut messages = BTreeSet::new();
        for case in cases {
            // A message is shown as answered when its tier signed, so a signature changes the case's messages too.
            if state.open.get(&case.id).is_some_and(|old| answers(old) != answers(&case)) {
                messages.extend(state.messages.keys_of(&case.id));
            }
            state.put_case(&case);
            change.cases.push(case);
        }
        for event in update.events {
            if !change.cases.iter().any(|case| case.id == event.case) {
                change.cases.extend(state.case(&event.case));
            }
        }
        for notification in update.notifications {
            messages.insert(state.messages.add(Message::new(notification)));
        }
        for case in update.superseded {
            messages.extend(state.messages.supersede(&case));
        }
        for attempt in update.attempts {
            messages.extend(state.messages.note(&attempt));
        }
        change.messages = messages.iter().filter_map(|key| state.messages.get(key)).collect();
        for siren in update.sirens {
            state.sirens.insert((siren.enterprise.clone(), siren.zone.clone()), siren.clone());
            change.sirens.push(siren);
        }
        if let Some((source, up, since)) = update.link {
            state.links.insert(source, (up, since));
        }
        state.proven.extend(update.proven);
        if let Some(beside) = update.beside {
            state.beside_seq = change.seq;
            state.windows = beside.windows.into_iter().map(Arc::new).collect();
            state.floods = beside.floods;
        }
        if let Some(steered) = update.steered {
            state.beside_seq = change.seq;
            state.steered = Arc::new(steered);
        }
        drop(state);
        // Nobody listening is no fault.
        let _ = self.events.send(LiveEvent::Change(Arc::new(change)));
    }
    /// Adds what the store knows from before this start, without overruling what has come since and without telling anybody.
    pub fn seed(&self, closed: Vec<Case>, messages: Vec<Message>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for case in closed {
            if state.case(&case.id).is_none() {
                state.put_case(&Arc::new(case));
            }
        }
        for message in messages {
            state.messages.add_older(message);
        }
    }
    /// Everything that comes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.events.subscribe()
    }
    /// Sequence of the last change.
    pub fn seq(&self) -> u64 {
        self.read().seq
    }
    /// Sequence, alarms not normal, and open cases, all of one moment.
    pub fn standing(&self) -> (u64, Vec<Arc<LiveAlarm>>, Vec<Arc<Case>>) {
        let state = self.read();
        (state.seq, state.alarms.values().cloned().collect(), state.open.values().cloned().collect())
    }
    /// Closed cases that are kept, newest first.
    pub fn closed_cases(&self) -> Vec<Arc<Case>> {
        self.read().closed.values().rev().cloned().collect()
    }
    /// A case that is open or kept.
    pub fn case(&self, id: &CaseId) -> Option<Arc<Case>> {
        self.read().case(id)
    }
    /// Messages, newest first.
    pub fn messages(&self) -> Vec<Arc<Message>> {
        self.read().messages.newest_first()
    }
    /// Sirens that were ever wanted.
    pub fn sirens(&self) -> Vec<Siren> {
        self.read().sirens.values().cloned().collect()
    }
    /// Modes and what is suppressed by design.
    pub fn steered(&self) -> Arc<Steered> {
        self.read().steered.clone()
    }
    /// Windows not ended and floods, with the sequence of the last change of these or of a suppression by design.
    pub fn beside(&self) -> (u64, Vec<Arc<Window>>, Vec<Flood>) {
        let state = self.read();
        (state.beside_seq, state.windows.clone(), state.floods.clone())
    }
    /// Links to sources: name, up, since.
    pub fn links(&self) -> Vec<(String, bool, Timestamp)> {
        self.read().links.iter().map(|(source, (up, since))| (source.clone(), *up, *since)).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_seq(&mut self, committed: u64) -> u64 {
        self.seq = committed.max(self.seq + 1);
        self.seq
    }
    fn case(&self, id: &CaseId) -> Option<Arc<Case>> {
        let closed = || self.closed.get(&(*self.closed_at.get(id)?, id.clone()));
        self.open.get(id).or_else(closed).cloned()
    }
    fn put_case(&mut self, case: &Arc<Case>) {
        let Some(closed) = case.closed else {
            self.open.insert(case.id.clone(), case.clone());
            return;
        };
        self.open.remove(&case.id);
        if let Some(before) = self.closed_at.insert(case.id.clone(), closed) {
            self.closed.remove(&(before, case.id.clone()));
        }
        self.closed.insert((closed, case.id.clone()), case.clone());
        while self.closed.len() > CLOSED_CASES_KEPT
            && let Some(((_, oldest), _)) = self.closed.pop_first()
        {
            self.closed_at.remove(&oldest);
        }
    }
}

/// What decides whether a case's messages count as answered.
fn answers(case: &Case) -> (usize, bool) {
    (case.announcements.iter().map(|announcement| announcement.signed.len()).sum(), case.closed.is_some())
}
