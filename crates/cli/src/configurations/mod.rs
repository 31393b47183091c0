//! Changes of the configuration: planned, confirmed, applied, taken back.
//!
//! Files come from the engine's own folder (a signal, a start), from the API, or from a version that was in force. They are loaded and
//! checked here, compared with what is in force, and run against a copy of the present state; the engine's thread gets only what is
//! ready to be swapped. 放宽 on a red or orange limit or on a major hazard 一/二级 wants a change ticket, a reason and a second person, who
//! confirms with a login of their own at a tier above; everything else applies at once. What is refused leaves all as it is.

mod effects;
mod kept;
mod shown;
mod told;

pub use kept::Kept;
pub use shown::lines as shown_lines;

use crate::engine::{Change, EngineInput};
use config::{Difference, Direction, Files, Options};
use console::{
    Account, Accounts, ApplyRequestJson, ConfigJson, ConfirmRequestJson, FaultJson, FileJson, LiveView, PlanFuture, PlanJson,
    PlanRequestJson, Reshown, Role, TuningError, VersionJson,
};
use journal::Reader;
use model::{BodyId, Plant, Reading, Timestamp};
use rules::Reload;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Plans kept; the oldest make room.
const PLANS_MAX: usize = 16;
/// Lines and effects shown of one plan, and lines of it in the journal; more are counted.
const LINES_MAX: usize = 2_000;
/// Length of a ticket or a reason in characters.
const WORDS_MAX: usize = 500;
/// Who applied it, where it was no person: the program was started on it.
pub const BY_START: &str = "start";
/// Who applied it, where it was no person: the folder was read again.
pub const BY_SIGNAL: &str = "signal";

/// What the service is made of.
pub struct Parts {
    /// The engine's own configuration folder.
    pub dir: PathBuf,
    /// Configurations by content.
    pub kept: Kept,
    /// Those in force so far, the newest last.
    pub versions: Vec<VersionJson>,
    /// The engine's queue.
    pub queue: flume::Sender<EngineInput>,
    /// What the pages show, and with it the plant in force.
    pub view: Arc<LiveView>,
    /// Logins, to find the second person's.
    pub accounts: Accounts,
    /// The engine's state as committed.
    pub reader: Box<dyn Reader>,
    /// The engine's clock.
    pub clock: console::Clock,
}

/// Plans and applies configurations.
#[derive(Clone)]
pub struct Tuning(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    kept: Kept,
    queue: flume::Sender<EngineInput>,
    view: Arc<LiveView>,
    accounts: Accounts,
    reader: Mutex<Box<dyn Reader>>,
    clock: console::Clock,
    state: Mutex<State>,
    /// One change at a time.
    applying: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    versions: Vec<VersionJson>,
    /// Newest last.
    plans: Vec<Plan>,
    made: u64,
}

/// A plan with what it is to bring into force.
#[derive(Clone)]
struct Plan {
    json: PlanJson,
    files: Arc<Files>,
    /// None where it has faults.
    to: Option<Arc<Plant>>,
    difference: Arc<Difference>,
}

impl Tuning {
    /// Over a running engine.
    pub fn new(parts: Parts) -> Self {
        let Parts { dir, kept, versions, queue, view, accounts, reader, clock } = parts;
        let state = Mutex::new(State { versions, ..State::default() });
        let reader = Mutex::new(reader);
        Self(Arc::new(Inner { dir, kept, queue, view, accounts, reader, clock, state, applying: tokio::sync::Mutex::default() }))
    }

    /// Reads the engine's own folder again and applies it unless it wants a ticket; then it waits as a plan. A folder with faults changes
    /// nothing and says where they are.
    pub async fn read_folder_again(&self, by: &str) {
        let author =
            Account { username: by.to_owned(), role: Role::Admin, body: None, person: by.into(), enabled: true, stamp: String::new() };
        let plan = match self.make(PlanRequestJson::default(), &author).await {
            Ok(plan) => plan,
            Err(error) => return tracing::error!(%error, "the configuration folder could not be read again"),
        };
        for fault in &plan.faults {
            tracing::error!(place = fault.place, "{} · {}", fault.text_zh, fault.text_en);
        }
        match plan.status.as_str() {
            "refused" => tracing::error!(faults = plan.faults.len(), "the configuration is refused; the one in force stays"),
            _ if plan.needs_ticket => tracing::warn!(
                plan = plan.id,
                looser = plan.looser,
                "the configuration loosens what wants a change ticket and a second person; it waits as a plan and is not in force"
            ),
            _ if plan.from == plan.to => tracing::info!("the configuration folder holds what is in force"),
            _ => match self.take_into_force(&plan.id, &author.person.to_string()).await {
                Ok(plan) => tracing::info!(version = plan.to, "the configuration folder is in force"),
                Err(error) => tracing::error!(%error, "the configuration could not be applied; the one in force stays"),
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_force(&self) -> String {
        self.state().versions.last().map(|version| version.version.clone()).unwrap_or_default()
    }

    fn find(&self, id: &str) -> Result<Plan, TuningError> {
        self.state().plans.iter().find(|plan| plan.json.id == id).cloned().ok_or(TuningError::NoSuchPlan)
    }

    fn set(&self, id: &str, change: impl FnOnce(&mut PlanJson)) -> PlanJson {
        let mut state = self.state();
        match state.plans.iter_mut().find(|plan| plan.json.id == id) {
            Some(plan) => {
                change(&mut plan.json);
                plan.json.clone()
            }
            None => PlanJson::default(),
        }
    }

    async fn make(&self, request: PlanRequestJson, by: &Account) -> Result<PlanJson, TuningError> {
        if !matches!(by.role, Role::Admin | Role::Enterprise) {
            return Err(TuningError::Forbidden);
        }
        let files = self.files(request)?;
        let (this, person) = (self.clone(), by.person.to_string());
        let made = tokio::task::spawn_blocking(move || this.compare(files, person)).await.map_err(|_| TuningError::Busy)?;
        if by.role == Role::Enterprise && !made.json.faults.is_empty() {
            // The faults of a county's files are not an enterprise's to read; its own list it checks with `check`.
            let own = by.body.as_ref().map(|body| format!("enterprises/{body}.")).unwrap_or_default();
            if !made.json.faults.iter().all(|fault| fault.place.contains(&own)) {
                return Err(TuningError::Forbidden);
            }
        }
        if made.to.is_some() && !touches_only_own(by, &made.json.enterprises) {
            return Err(TuningError::Forbidden);
        }
        let mut state = self.state();
        state.made += 1;
        let mut plan = made;
        plan.json.id = format!("{}-{}", plan.json.to, state.made);
        let json = plan.json.clone();
        if state.plans.len() == PLANS_MAX {
            state.plans.remove(0);
        }
        state.plans.push(plan);
        Ok(json)
    }

    fn files(&self, request: PlanRequestJson) -> Result<Files, TuningError> {
        if let Some(version) = request.rollback {
            let version = if version.is_empty() { self.version_before().ok_or(TuningError::NoSuchPlan)? } else { version };
            return self.0.kept.files(&version).ok_or(TuningError::NoSuchPlan);
        }
        let Some(sent) = request.files else { return Ok(Files::read(&self.0.dir)) };
        let mut files = Vec::new();
        for (path, file) in sent {
            // Names become file names in the data folder.
            let plain = Path::new(&path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !plain || path.is_empty() {
                return Err(TuningError::Unreadable);
            }
            let bytes = match file {
                FileJson::Text(text) => text.into_bytes(),
                FileJson::Bytes { base64 } => {
                    use base64::Engine as _;
                    base64::engine::general_purpose::STANDARD.decode(base64).map_err(|_| TuningError::Unreadable)?
                }
            };
            files.push((path, bytes));
        }
        Ok(Files::from_memory(files))
    }

    /// The version in force before the present one that differs from it.
    fn version_before(&self) -> Option<String> {
        let state = self.state();
        let now = &state.versions.last()?.version;
        state.versions.iter().rev().find(|version| version.version != *now).map(|version| version.version.clone())
    }

    /// Loads, checks, compares, and tries on a copy. Takes its time; nothing waits for it.
    fn compare(&self, files: Files, author: String) -> Plan {
        let from = self.0.view.plant();
        let mut json = PlanJson {
            status: "planned".to_owned(),
            from: self.in_force(),
            to: files.digest(),
            made: (self.0.clock)().as_millis(),
            author,
            ..PlanJson::default()
        };
        let nothing = Difference { from: from.version.clone(), to: from.version.clone(), lines: Vec::new() };
        let environment = |name: &str| std::env::var(name).ok();
        let today = Some(crate::commands::check::civil_date((self.0.clock)()));
        let loaded = match config::load_files(&files, &Options { today, environment: &environment }) {
            Ok(loaded) => loaded,
            Err(faults) => {
                json.status = "refused".to_owned();
                json.faults = faults.faults().iter().filter(|fault| fault.severity == config::Severity::Error).map(shown::fault).collect();
                return Plan { json, files: Arc::new(files), to: None, difference: Arc::new(nothing) };
            }
        };
        if loaded.plant.channels != from.channels {
            json.status = "refused".to_owned();
            json.faults = vec![FaultJson {
                place: "server.toml:1:1".to_owned(),
                text_zh: "通道有改动;通道在启动时打开,请重启程序".to_owned(),
                text_en: "channels differ; they are opened at the start, so restart the program".to_owned(),
            }];
            return Plan { json, files: Arc::new(files), to: None, difference: Arc::new(nothing) };
        }
        let to = Arc::new(loaded.plant);
        let difference = Difference::between(&from, &to);
        json.enterprises = difference.enterprises().map(|list| list.iter().map(ToString::to_string).collect());
        json.looser = difference.count(Direction::Looser) + difference.count(Direction::Unclear);
        json.tighter = difference.count(Direction::Tighter);
        json.needs_ticket = difference.needs_ticket();
        (json.lines, json.lines_left_off) = shown::lines(&difference, LINES_MAX);
        match self.effects(&from, &to) {
            Ok(mut effects) => {
                json.effects_left_off = effects.len().saturating_sub(LINES_MAX);
                effects.truncate(LINES_MAX);
                json.effects = effects;
            }
            Err(error) => tracing::error!(error, "what a plan would do to the running state is not known"),
        }
        Plan { json, files: Arc::new(files), to: Some(to), difference: Arc::new(difference) }
    }

    fn effects(&self, from: &Arc<Plant>, to: &Arc<Plant>) -> Result<Vec<console::PlanEffectJson>, String> {
        let rows = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).state("rules/").map_err(|error| error.to_string())?;
        let rows: Vec<_> = rows.into_iter().filter_map(|(key, bytes)| Some((key.strip_prefix("rules/")?.to_owned(), bytes))).collect();
        let newest = |tag| {
            let live = self.0.view.value(from, tag)?;
            Some(Reading {
                tag,
                source_time: live.source_time,
                receive_time: live.receive_time,
                value: live.value.unwrap_or(f64::NAN),
                quality: live.quality,
                sequence: None,
            })
        };
        effects::of(from, to, &rows, &newest, (self.0.clock)())
    }

    /// Brings a plan into force. Goes on to its end where whoever asked goes away: what is in force must be known here.
    async fn take_into_force(&self, id: &str, author: &str) -> Result<PlanJson, TuningError> {
        let (this, id, author) = (self.clone(), id.to_owned(), author.to_owned());
        tokio::spawn(async move { this.bring_into_force(&id, &author).await }).await.map_err(|_| TuningError::Busy)?
    }

    async fn bring_into_force(&self, id: &str, author: &str) -> Result<PlanJson, TuningError> {
        let _one_at_a_time = self.0.applying.lock().await;
        let plan = self.find(id)?;
        let (Some(to), from) = (plan.to.clone(), self.0.view.plant()) else { return Err(TuningError::Refused) };
        let before = self.state().versions.clone();
        if plan.json.from != self.in_force() || plan.difference.from != from.version {
            self.set(id, |json| "stale".clone_into(&mut json.status));
            return Err(TuningError::Stale);
        }
        let version = VersionJson {
            version: plan.json.to.clone(),
            rules: to.version.to_string(),
            since: 0,
            author: author.to_owned(),
            ticket: plan.json.ticket.clone(),
            reason: plan.json.reason.clone(),
            second: plan.json.second.clone(),
            looser: plan.json.looser,
            tighter: plan.json.tighter,
        };
        let (reply, answer) = tokio::sync::oneshot::channel();
        let (this, at) = (self.clone(), (self.0.clock)());
        let prepare = move || -> std::io::Result<Change> {
            this.0.kept.keep(&plan.files)?;
            let entry = shown::journaled(&version, &plan.json, &plan.difference, LINES_MAX);
            let tell = told::of(&from, &plan.difference, &version, at);
            let (reload, reshown) = (Reload::prepare(&from, Arc::clone(&to)), Reshown::of(to));
            Ok(Change { reload, reshown, version, before, entry, tell, reply })
        };
        let change = tokio::task::spawn_blocking(prepare).await.map_err(|_| TuningError::Busy)?.map_err(|error| {
            tracing::error!(%error, "the configuration cannot be kept, so it does not come into force");
            TuningError::Busy
        })?;
        self.0.queue.send_async(EngineInput::Reload(Box::new(change))).await.map_err(|_| TuningError::Busy)?;
        match answer.await {
            Ok(Ok(versions)) => {
                self.0.kept.prune(&versions.iter().map(|version| version.version.as_str()).collect::<Vec<_>>());
                self.state().versions = versions;
                Ok(self.set(id, |json| "applied".clone_into(&mut json.status)))
            }
            Ok(Err(stale)) => {
                tracing::warn!(%stale);
                self.set(id, |json| "stale".clone_into(&mut json.status));
                Err(TuningError::Stale)
            }
            Err(_) => Err(TuningError::Busy),
        }
    }

    async fn ask_to_apply(&self, request: ApplyRequestJson, by: &Account) -> Result<PlanJson, TuningError> {
        let plan = self.find(&request.id)?;
        if !matches!(by.role, Role::Admin | Role::Enterprise) {
            return Err(TuningError::Forbidden);
        }
        // What has faults touches nothing that anybody could own.
        if plan.to.is_none() {
            return Err(TuningError::Refused);
        }
        if !touches_only_own(by, &plan.json.enterprises) {
            return Err(TuningError::Forbidden);
        }
        match plan.json.status.as_str() {
            "planned" | "waiting" => {}
            "applied" => return Err(TuningError::NothingToApply),
            _ => return Err(TuningError::Refused),
        }
        if plan.json.from != self.in_force() {
            self.set(&request.id, |json| "stale".clone_into(&mut json.status));
            return Err(TuningError::Stale);
        }
        if plan.json.from == plan.json.to {
            return Err(TuningError::NothingToApply);
        }
        let fits = |text: &str| text.chars().count() <= WORDS_MAX && !text.chars().any(char::is_control);
        let (ticket, reason) = (request.ticket.trim().to_owned(), request.reason.trim().to_owned());
        if !fits(&ticket) || !fits(&reason) {
            return Err(TuningError::Unreadable);
        }
        let second = request.second.filter(|second| !second.is_empty());
        if plan.json.needs_ticket {
            let (false, false, Some(second)) = (ticket.is_empty(), reason.is_empty(), second.as_deref()) else {
                return Err(TuningError::TicketNeeded);
            };
            if second == by.person.as_str() {
                return Err(TuningError::SamePerson);
            }
            if !self.0.accounts.list().iter().any(|account| account.person.as_str() == second && self.may_confirm(account, &plan.json)) {
                return Err(TuningError::SecondUnfit);
            }
        }
        let waits = plan.json.needs_ticket;
        let author = by.person.to_string();
        let json = self.set(&request.id, |json| {
            (json.ticket, json.reason, json.author) = (ticket, reason, author.clone());
            json.second = second.filter(|_| waits);
            if waits {
                "waiting".clone_into(&mut json.status);
            }
        });
        if waits { Ok(json) } else { self.take_into_force(&request.id, &author).await }
    }

    /// A township or county login that oversees everything the plan touches.
    fn may_confirm(&self, account: &Account, plan: &PlanJson) -> bool {
        let plant = self.0.view.plant();
        let Some(body) = account.body.as_ref() else { return false };
        let oversees = match &plan.enterprises {
            Some(enterprises) => enterprises.iter().all(|enterprise| plant.oversees(body, &BodyId::new(enterprise))),
            None => account.role == Role::County,
        };
        account.enabled && matches!(account.role, Role::Township | Role::County) && account.misfit(&plant).is_none() && oversees
    }

    async fn answer(&self, request: ConfirmRequestJson, by: &Account) -> Result<PlanJson, TuningError> {
        let plan = self.find(&request.id)?;
        match plan.json.status.as_str() {
            "waiting" => {}
            "applied" => return Err(TuningError::NothingToApply),
            _ => return Err(TuningError::Refused),
        }
        if by.person.as_str() == plan.json.author {
            return Err(TuningError::SamePerson);
        }
        if plan.json.second.as_deref() != Some(by.person.as_str()) || !self.may_confirm(by, &plan.json) {
            return Err(TuningError::NotTheSecond);
        }
        if !request.agree {
            tracing::warn!(plan = plan.json.id, second = %by.person, "the second person declined a change of the configuration");
            return Ok(self.set(&request.id, |json| "declined".clone_into(&mut json.status)));
        }
        self.take_into_force(&request.id, &plan.json.author).await
    }

    /// Whether a login may see a plan: who may make it, and who may confirm it.
    fn may_see(&self, by: &Account, plan: &PlanJson) -> bool {
        by.role == Role::Admin
            || (by.role == Role::Enterprise && touches_only_own(by, &plan.enterprises) && plan.faults.is_empty())
            || self.may_confirm(by, plan)
    }
}

/// An admin may touch everything, an enterprise only its own.
fn touches_only_own(by: &Account, enterprises: &Option<Vec<String>>) -> bool {
    match (by.role, &by.body, enterprises) {
        (Role::Admin, ..) => true,
        (Role::Enterprise, Some(own), Some(touched)) => touched.iter().all(|enterprise| enterprise == own.as_str()),
        _ => false,
    }
}

impl console::Tuning for Tuning {
    fn overview(&self, by: &Account) -> ConfigJson {
        let (versions, plans) = {
            let state = self.state();
            (state.versions.clone(), state.plans.iter().rev().map(|plan| plan.json.clone()).collect::<Vec<_>>())
        };
        ConfigJson { versions, plans: plans.into_iter().filter(|plan| self.may_see(by, plan)).collect() }
    }
    fn plan(&self, request: PlanRequestJson, by: Account) -> PlanFuture<'_> {
        Box::pin(async move { self.make(request, &by).await })
    }
    fn apply(&self, request: ApplyRequestJson, by: Account) -> PlanFuture<'_> {
        Box::pin(async move { self.ask_to_apply(request, &by).await })
    }
    fn confirm(&self, request: ConfirmRequestJson, by: Account) -> PlanFuture<'_> {
        Box::pin(async move { self.answer(request, &by).await })
    }
}

/// The configuration to start on: the one in force where there is one, else the folder. The folder's own comes into force afterwards, the
/// way every change does, so that a restart loosens nothing in silence.
pub struct Start {
    /// What to run on.
    pub loaded: config::Loaded,
    /// Those in force so far.
    pub versions: Vec<VersionJson>,
    /// The store knows of none yet: these are to be put on record.
    pub first: bool,
    /// The folder differs and is to be read again once the engine runs.
    pub differs: bool,
}

impl Start {
    /// Decides, from the folder and from what the store's `rows` say was in force.
    pub fn of(dir: &Path, kept: &Kept, rows: &[(String, Vec<u8>)], now: Timestamp) -> anyhow::Result<Result<Self, config::Faults>> {
        let files = Files::read(dir);
        let recorded = rows.iter().find(|(key, _)| key == crate::engine::VERSIONS).map(|(_, bytes)| serde_json::from_slice(bytes));
        let versions: Vec<VersionJson> = recorded.transpose()?.unwrap_or_default();
        let environment = |name: &str| std::env::var(name).ok();
        let options = Options { today: Some(crate::commands::check::civil_date(now)), environment: &environment };
        if let Some(last) = versions.last()
            && files.digest() != last.version
        {
            match kept.files(&last.version) {
                Some(before) => match with_ways_of(&files, &before, &options)
                    .map_or_else(|| config::load_files(&before, &options).map(|loaded| (before, loaded)), Ok)
                {
                    Ok((taken, loaded)) => {
                        let folder = files.digest();
                        // What was in force before is no news: a restart must not take back what was applied since.
                        let is_old = versions.iter().any(|version| version.version == folder);
                        let differs = folder != taken.digest() && !is_old;
                        if is_old {
                            tracing::warn!(
                                folder,
                                in_force = taken.digest(),
                                "the folder holds a configuration that was in force before; the one applied since stays. Write it into the folder, or take the folder with SIGHUP"
                            );
                        }
                        return Ok(Ok(Self::on(&taken, loaded, versions, differs, kept, now)?));
                    }
                    Err(faults) => tracing::error!("the configuration in force cannot be read any more: {faults}"),
                },
                None => tracing::error!(version = last.version, "the configuration in force is not kept any more; the folder is taken"),
            }
        }
        let loaded = match config::load_files(&files, &options) {
            Ok(loaded) => loaded,
            Err(faults) => return Ok(Err(faults)),
        };
        Ok(Ok(Self::on(&files, loaded, versions, false, kept, now)?))
    }

    /// Starts on these files and puts them on record where they are not those that were in force.
    fn on(
        files: &Files,
        loaded: config::Loaded,
        mut versions: Vec<VersionJson>,
        differs: bool,
        kept: &Kept,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let version = kept.keep(files)?;
        let first = versions.last().is_none_or(|last| last.version != version);
        if first {
            let rules = loaded.plant.version.to_string();
            versions.push(VersionJson { version, rules, since: now.as_millis(), author: BY_START.to_owned(), ..VersionJson::default() });
        }
        Ok(Self { loaded, versions, first, differs })
    }
}

/// The files in force with the folder's way to brokers and people, where that differs and the whole is without faults: it holds no
/// limit, and it can only be opened at a start. `people.toml` comes along where channels were named anew.
fn with_ways_of(folder: &Files, before: &Files, options: &Options<'_>) -> Option<(Files, config::Loaded)> {
    const WAYS: [&str; 2] = ["server.toml", "people.toml"];
    if folder.get(Path::new(WAYS[0])) == before.get(Path::new(WAYS[0])) {
        return None;
    }
    (1..=WAYS.len()).find_map(|count| {
        let mut files = Files::from_memory(before.iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())));
        for name in &WAYS[..count] {
            files.set(*name, folder.get(Path::new(name))?.to_vec());
        }
        config::load_files(&files, options).ok().map(|loaded| (files, loaded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_takes_the_folders_channels_and_leaves_its_limits_to_a_plan() {
        let environment = |_: &str| None;
        let options = Options { today: None, environment: &environment };
        let folder = Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config")));
        let text = |files: &Files, name: &str| String::from_utf8(files.get(Path::new(name)).expect("there").to_vec()).expect("text");
        let list = "enterprises/hongxin.csv";
        let mut next = folder.clone();
        next.set(
            "server.toml",
            format!(
                "{}\n[channels.spare]\nkind = \"sms\"\nurl = \"http://127.0.0.1:9/sms\"\ntemplate = \"short\"\n",
                text(&folder, "server.toml")
            )
            .into_bytes(),
        );
        next.set(list, text(&folder, list).replacen(",80,90,95,", ",85,90,95,", 1).into_bytes());
        assert_ne!(text(&next, list), text(&folder, list));
        let (taken, loaded) = with_ways_of(&next, &folder, &options).expect("the channels are fine");
        assert!(loaded.plant.channel(&"spare".into()).is_some());
        assert_eq!(text(&taken, list), text(&folder, list), "a limit is no channel");
        assert!(with_ways_of(&folder, &folder, &options).is_none(), "nothing to take");
        next.set("server.toml", b"nonsense".to_vec());
        assert!(with_ways_of(&next, &folder, &options).is_none(), "with a fault the ones in force stay");
    }
}
