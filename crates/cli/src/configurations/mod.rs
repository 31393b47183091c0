//! Changes of the configuration: planned, confirmed, applied, taken back.
//!
//! Files come from the engine's own folder (a signal, a start), from the API, or from a version that was in force. They are loaded and
//! checked here, compared with what is in force, and run against a copy of the present state; the engine's thread gets only what is
//! ready to be swapped. 放宽 on a red or orange limit or on a major hazard 一/二级 wants a change ticket, a reason and a second person, who
//! confirms with a login of their own at a tier above; everything else applies at once. What is refused leaves all as it is.

mod effects;
mod kept;
mod opened;
mod shown;
mod start;
mod told;
mod trials;
mod ways;

pub use kept::Kept;
pub use opened::Opened;
pub use shown::{fault as shown_fault, lines as shown_lines};
pub use start::Start;
pub use ways::Ways;

use crate::engine::{Change, EngineInput};
use config::{Difference, Direction, Files, Options};
use console::{
    Account, Accounts, ApplyRequestJson, BacktestJson, BacktestRequestJson, ConfigChangeJson, ConfigJson, ConfirmRequestJson, FaultJson,
    FileJson, LiveView, PlanFuture, PlanJson, PlanRequestJson, Reshown, Role, SecondPerson, TuningError, VersionJson,
};
use ingest::Decoder;
use journal::{EntryKind, Reader};
use model::{BodyId, Plant, Reading};
use rules::Reload;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Plans kept; the oldest make room.
const PLANS_MAX: usize = 16;
/// Lines and effects shown of one plan, and lines of it in the journal; more are counted.
const LINES_MAX: usize = 2_000;
/// Journal rows of configurations read in one go: each may have that many lines.
const CHANGES_PAGE: usize = 8;
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
    /// What was opened at the start and stays as it is until the next.
    pub opened: Opened,
    /// What the command line says of it.
    pub ways: Ways,
    /// The data folder.
    pub data: PathBuf,
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
    opened: Opened,
    ways: Ways,
    kept: Kept,
    queue: flume::Sender<EngineInput>,
    view: Arc<LiveView>,
    accounts: Accounts,
    reader: Mutex<Box<dyn Reader>>,
    clock: console::Clock,
    trials: trials::Trials,
    state: Mutex<State>,
    /// One change at a time.
    applying: tokio::sync::Mutex<()>,
}

struct State {
    versions: Vec<VersionJson>,
    /// What the files in force want opened at a start.
    wanted: Arc<Opened>,
    /// Of that, what the next start will do.
    at_next_start: Vec<FaultJson>,
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
    to: Option<Target>,
    difference: Arc<Difference>,
    /// It was asked for as a way back.
    is_back: bool,
}

/// What a plan leads to.
#[derive(Clone)]
struct Target {
    /// On the channels that are open.
    plant: Arc<Plant>,
    /// What the files want opened at a start.
    wanted: Arc<Opened>,
}

impl Tuning {
    /// Over a running engine.
    pub fn new(parts: Parts) -> Self {
        let Parts { dir, data, opened, ways, kept, versions, queue, view, accounts, reader, clock } = parts;
        // A start opens what the files in force want.
        let wanted = Arc::new(opened.clone());
        let state = Mutex::new(State { versions, wanted, at_next_start: Vec::new(), plans: Vec::new(), made: 0 });
        let reader = Mutex::new(reader);
        Self(Arc::new(Inner {
            dir,
            opened,
            ways,
            kept,
            queue,
            view,
            accounts,
            reader,
            clock,
            trials: trials::Trials::of(&data),
            state,
            applying: tokio::sync::Mutex::default(),
        }))
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
        for waits in &plan.at_next_start {
            tracing::warn!(place = waits.place, "{} · {}", waits.text_zh, waits.text_en);
        }
        match plan.status.as_str() {
            "refused" => tracing::error!(faults = plan.faults.len(), "the configuration is refused; the one in force stays"),
            _ if plan.needs_ticket => tracing::warn!(
                plan = plan.id,
                looser = plan.looser,
                "the configuration loosens what wants a change ticket and a second person; it waits as a plan and is not in force"
            ),
            _ if plan.from == plan.to => tracing::info!("the configuration folder holds what is in force"),
            _ => match self.take_into_force(&plan, &author.person.to_string()).await {
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
        let (is_back, sent) = (request.rollback.is_some(), request.files.is_some());
        let files = self.files(request)?;
        let (this, person) = (self.clone(), by.person.to_string());
        let mut made = tokio::task::spawn_blocking(move || this.compare(files, person)).await.map_err(|_| TuningError::Busy)?;
        made.is_back = is_back;
        if by.role == Role::Enterprise && !made.json.faults.is_empty() {
            // The faults of a county's files are not an enterprise's to read; its own list it checks with `check`.
            let own = by.body.as_ref().map(|body| format!("enterprises/{body}.")).unwrap_or_default();
            if !made.json.faults.iter().all(|fault| fault.place.contains(&own)) {
                return Err(TuningError::Forbidden);
            }
        }
        if made.to.is_some() && !touches_only_own(by, &made.json.enterprises) {
            // Whoever sent the files may know where they differ; what lies on the server is not theirs to know.
            let is_other = |enterprise: &String| by.body.as_ref().is_none_or(|own| own.as_str() != enterprise);
            let others = || made.json.enterprises.iter().flatten().filter(|one| is_other(one)).cloned().collect();
            return Err(if sent { TuningError::NotOwn(others()) } else { TuningError::Forbidden });
        }
        if by.role == Role::Enterprise {
            made.json.at_next_start.clear();
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
            let version =
                if version.is_empty() { version_before(&self.state().versions).ok_or(TuningError::NothingBefore)? } else { version };
            return self.0.kept.files(&version).ok_or(TuningError::NoSuchPlan);
        }
        let Some(sent) = request.files else { return Ok(Files::read(&self.0.dir)) };
        let mut files = Vec::new();
        for (path, file) in sent {
            // Names become file names in the data folder.
            let plain = Path::new(&path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !plain || path.is_empty() {
                return Err(TuningError::BadPath);
            }
            let bytes = match file {
                FileJson::Text(text) => text.into_bytes(),
                FileJson::Bytes { base64 } => {
                    use base64::Engine as _;
                    base64::engine::general_purpose::STANDARD.decode(base64).map_err(|_| TuningError::BadBase64)?
                }
            };
            files.push((path, bytes));
        }
        Ok(Files::from_memory(files))
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
        let refused = |mut json: PlanJson, files, faults| {
            "refused".clone_into(&mut json.status);
            json.faults = faults;
            Plan { json, files: Arc::new(files), to: None, difference: Arc::new(nothing), is_back: false }
        };
        let environment = |name: &str| std::env::var(name).ok();
        let today = Some(crate::commands::check::civil_date((self.0.clock)()));
        let loaded = match config::load_files(&files, &Options { today, environment: &environment }) {
            Ok(loaded) => loaded,
            Err(faults) => {
                let errors = faults.faults().iter().filter(|fault| fault.severity == config::Severity::Error);
                return refused(json, files, errors.map(shown::fault).collect());
            }
        };
        let wanted = Opened::by(&loaded);
        let known = Arc::clone(&self.state().wanted);
        // Nothing comes into force that the next start could not open, unless it could not open what is in force either.
        let tried = if wanted.server == known.server { Ok(()) } else { crate::commands::channels::try_out(&loaded) };
        let try_open = |server, plant| self.0.ways.try_open(server, plant, Some(&self.0.opened.server));
        let opens = try_open(&wanted.server, &loaded.plant).or_else(|error| try_open(&known.server, &from).map_or(Ok(()), |()| Err(error)));
        if let Err(error) = tried.and(opens) {
            return refused(json, files, vec![opened::would_not_start(&error)]);
        }
        json.at_next_start = self.0.opened.waits(&wanted, &files);
        let to = Arc::new(self.0.opened.keep_open(loaded.plant, &from));
        let unreached = opened::unreached(&to, &files);
        if !unreached.is_empty() {
            return refused(json, files, unreached);
        }
        let difference = Difference::between(&from, &to);
        // The way to brokers and people is everybody's.
        let touched = if wanted == *known { difference.enterprises() } else { None };
        json.enterprises = touched.map(|list| list.iter().map(ToString::to_string).collect());
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
        let to = Some(Target { plant: to, wanted: Arc::new(wanted) });
        Plan { json, files: Arc::new(files), to, difference: Arc::new(difference), is_back: false }
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

    /// Brings a plan into force as it was seen. Goes on to its end where whoever asked goes away: what is in force must be known here.
    async fn take_into_force(&self, seen: &PlanJson, author: &str) -> Result<PlanJson, TuningError> {
        let (this, author, plan) = (self.clone(), author.to_owned(), self.claim(seen)?);
        tokio::spawn(async move { this.bring_into_force(plan, &author).await }).await.map_err(|_| TuningError::Busy)?
    }

    /// Has a plan come into force just as it was looked at: nobody else can change, decline or apply it from here on.
    fn claim(&self, seen: &PlanJson) -> Result<Plan, TuningError> {
        let mut state = self.state();
        let plan = state.plans.iter_mut().find(|plan| plan.json.id == seen.id).ok_or(TuningError::NoSuchPlan)?;
        if plan.json.status != seen.status {
            return Err(over(&plan.json.status));
        }
        let now = &plan.json;
        if (&now.ticket, &now.reason, &now.author, &now.second) != (&seen.ticket, &seen.reason, &seen.author, &seen.second) {
            return Err(TuningError::Busy);
        }
        let claimed = plan.clone();
        "applying".clone_into(&mut plan.json.status);
        Ok(claimed)
    }

    /// A plan that was claimed.
    async fn bring_into_force(&self, plan: Plan, author: &str) -> Result<PlanJson, TuningError> {
        let (id, before) = (plan.json.id.clone(), plan.json.status.clone());
        let _one_at_a_time = self.0.applying.lock().await;
        let done = self.bring_alone_into_force(&id, plan, author).await;
        if done.is_err() {
            self.set(&id, |json| {
                if json.status == "applying" {
                    json.status = before;
                }
            });
        }
        done
    }

    /// While no other change is on its way.
    async fn bring_alone_into_force(&self, id: &str, plan: Plan, author: &str) -> Result<PlanJson, TuningError> {
        let (Some(Target { plant: to, wanted }), from) = (plan.to.clone(), self.0.view.plant()) else { return Err(TuningError::Refused) };
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
            is_back: Some(plan.is_back),
        };
        let at_next_start = plan.json.at_next_start.clone();
        let (reply, answer) = tokio::sync::oneshot::channel();
        let (this, at) = (self.clone(), (self.0.clock)());
        let prepare = move || -> std::io::Result<(Change, Vec<pipeline::Row>)> {
            this.0.kept.keep(&plan.files)?;
            let entry = shown::journaled(&version, &plan.json, &plan.difference, LINES_MAX);
            let tell = told::of(&from, &plan.difference, &version, at);
            let decoder = Decoder::new(&to);
            let (mut reload, reshown) = (Reload::prepare(&from, Arc::clone(&to)), Reshown::of(to));
            let rows = pipeline::rows_of(&mut reload, u64::try_from(at.0).unwrap_or(0));
            Ok((Change { reload, reshown, decoder, version, before, entry, tell, reply }, rows))
        };
        let (change, rows) = tokio::task::spawn_blocking(prepare).await.map_err(|_| TuningError::Busy)?.map_err(|error| {
            tracing::error!(%error, "the configuration cannot be kept, so it does not come into force");
            TuningError::Busy
        })?;
        let keys: Vec<_> = rows.iter().map(|(key, _)| key.clone()).collect();
        for (at, row) in rows.into_iter().enumerate() {
            if let Err(error) = self.keep_row(row).await {
                // Without the change they are nothing; a start would delete them too.
                let rows = keys.into_iter().take(at + 1).map(|key| (key, None)).collect();
                self.write(rows).await?;
                return Err(error);
            }
        }
        self.0.queue.send_async(EngineInput::Reload(Box::new(change))).await.map_err(|_| TuningError::Busy)?;
        match answer.await {
            Ok(Ok(versions)) => {
                self.0.kept.prune(&versions.iter().map(|version| version.version.as_str()).collect::<Vec<_>>());
                {
                    let mut state = self.state();
                    (state.versions, state.wanted, state.at_next_start) = (versions, wanted, at_next_start);
                }
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

    /// Has the engine write a row of a change that is to come. The log of commits is left to alarms: the next one waits until the database
    /// has this one, and none follows where it does not take it.
    async fn keep_row(&self, (key, bytes): pipeline::Row) -> Result<(), TuningError> {
        self.write(vec![(key.clone(), Some(bytes))]).await?;
        let this = self.clone();
        let is_there = move || {
            let reader = this.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.state(&key).is_ok_and(|rows| rows.iter().any(|(there, _)| *there == key))
        };
        if tokio::task::spawn_blocking(is_there).await.map_err(|_| TuningError::Busy)? {
            return Ok(());
        }
        tracing::error!("the database takes no rows, so the configuration does not come into force; it can be applied again");
        Err(TuningError::Busy)
    }

    /// Has the engine write rows, and waits for their commit.
    async fn write(&self, rows: Vec<(String, Option<Vec<u8>>)>) -> Result<(), TuningError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.0.queue.send_async(EngineInput::Rows { rows, reply }).await.map_err(|_| TuningError::Busy)?;
        answer.await.map_err(|_| TuningError::Busy)
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
            status => return Err(over(status)),
        }
        let is_waiting = plan.json.status == "waiting";
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
            return Err(TuningError::WordsTooLong);
        }
        let mut second = request.second.map(|second| second.trim().to_owned()).filter(|second| !second.is_empty());
        if plan.json.needs_ticket {
            let (false, false, Some(named)) = (ticket.is_empty(), reason.is_empty(), second.as_deref()) else {
                return Err(TuningError::TicketNeeded);
            };
            second = Some(self.second_person(named, by, &plan.json)?);
        }
        let waits = plan.json.needs_ticket;
        if is_waiting {
            // Whoever is asked to agree agrees to these words.
            let is_same = (&plan.json.ticket, &plan.json.reason, &plan.json.second) == (&ticket, &reason, &second);
            return if is_same { Ok(plan.json) } else { Err(TuningError::Waits) };
        }
        let author = by.person.to_string();
        let json = {
            let mut state = self.state();
            let plan = state.plans.iter_mut().find(|one| one.json.id == request.id).ok_or(TuningError::NoSuchPlan)?;
            if plan.json.status != "planned" {
                return Err(over(&plan.json.status));
            }
            (plan.json.ticket, plan.json.reason, plan.json.author) = (ticket, reason, author.clone());
            plan.json.second = second.filter(|_| waits);
            if waits {
                "waiting".clone_into(&mut plan.json.status);
            }
            plan.json.clone()
        };
        if waits { Ok(json) } else { self.take_into_force(&json, &author).await }
    }

    /// The person who is meant as the second one, by id or by the name of a login of theirs.
    fn second_person(&self, named: &str, by: &Account, plan: &PlanJson) -> Result<String, TuningError> {
        let mut fit = self.0.accounts.list();
        fit.retain(|account| self.may_confirm(account, plan));
        let is_fit = |person: &str| fit.iter().any(|account| account.person.as_str() == person);
        let login = || self.0.accounts.find(named).map(|account| account.person.to_string());
        let person = Some(named).filter(|named| is_fit(named)).map(str::to_owned).or_else(login).unwrap_or_else(|| named.to_owned());
        if person == by.person.as_str() || named == by.person.as_str() {
            return Err(TuningError::SamePerson);
        }
        if is_fit(&person) {
            return Ok(person);
        }
        let plant = self.0.view.plant();
        let others = fit.into_iter().filter(|account| account.person != by.person);
        let named = others.map(|account| SecondPerson {
            name: plant.person(&account.person).map_or_else(|| account.person.to_string(), |person| person.name.clone()),
            person: account.person.to_string(),
            // The names of logins are the admin's to give out.
            login: (by.role == Role::Admin).then_some(account.username),
        });
        let mut named: Vec<_> = named.collect();
        named.sort_by(|a, b| (&a.person, &a.login).cmp(&(&b.person, &b.login)));
        named.dedup();
        Err(TuningError::SecondUnfit(named))
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
            status => return Err(over(status)),
        }
        if by.person.as_str() == plan.json.author {
            return Err(TuningError::SamePerson);
        }
        if plan.json.second.as_deref() != Some(by.person.as_str()) || !self.may_confirm(by, &plan.json) {
            return Err(TuningError::NotTheSecond);
        }
        if !request.agree {
            tracing::warn!(plan = plan.json.id, second = %by.person, "the second person declined a change of the configuration");
            let json = self.set(&request.id, |json| {
                if json.status == "waiting" {
                    "declined".clone_into(&mut json.status);
                }
            });
            return if json.status == "declined" { Ok(json) } else { Err(TuningError::Busy) };
        }
        self.take_into_force(&plan.json, &plan.json.author).await
    }

    /// What a version in the list changed, from the journal's entry.
    fn change_of(&self, version: &str, since: Option<i64>, by: &Account) -> Result<ConfigChangeJson, TuningError> {
        let is_it = |one: &&VersionJson| one.version == version && since.is_none_or(|since| since == one.since);
        // A start's entry is a little later than its version; what is later still is of the next one.
        let (version, until) = {
            let state = self.state();
            let at = state.versions.iter().rposition(|one| is_it(&one)).ok_or(TuningError::NoSuchPlan)?;
            (state.versions[at].clone(), state.versions.get(at + 1).map_or(i64::MAX, |next| next.since))
        };
        let plant = self.0.view.plant();
        let sees = |line: &config::Line| match (&by.body, &line.enterprise) {
            _ if by.role == Role::Admin => true,
            (Some(body), Some(enterprise)) => plant.oversees(body, enterprise),
            _ => by.role == Role::County,
        };
        // The key ends with the time in microseconds, which the list does not have.
        let key = format!("config:{}!", version.version);
        let mut before = None;
        loop {
            let page = {
                let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
                reader.newest(&[EntryKind::Config], before, CHANGES_PAGE)
            };
            let page = page.map_err(|error| {
                tracing::error!(%error, "the journal's entry of a configuration cannot be read");
                TuningError::Unreadable
            })?;
            for row in &page.rows {
                if row.at.as_millis() < version.since {
                    return Ok(ConfigChangeJson { version, ..ConfigChangeJson::default() });
                }
                if row.at.as_millis() < until && row.key.as_ref().is_some_and(|of| of.starts_with(&key)) {
                    let change = shown::of_journal(&row.bytes, sees).map_err(|error| {
                        tracing::error!(%error, seq = row.seq, "the journal's entry of a configuration cannot be read");
                        TuningError::Unreadable
                    })?;
                    return Ok(ConfigChangeJson { version, ..change });
                }
            }
            before = match page.next {
                Some(next) => Some(next),
                None => return Ok(ConfigChangeJson { version, ..ConfigChangeJson::default() }),
            };
        }
    }

    /// Whether a login may see a plan: who may make it, and who may confirm it.
    fn may_see(&self, by: &Account, plan: &PlanJson) -> bool {
        by.role == Role::Admin
            || (by.role == Role::Enterprise && touches_only_own(by, &plan.enterprises) && plan.faults.is_empty())
            || self.may_confirm(by, plan)
    }
}

/// The version before the one in force. A way back leads on from where it led to: going back twice is two steps back.
fn version_before(versions: &[VersionJson]) -> Option<String> {
    let mut path: Vec<&str> = Vec::new();
    for VersionJson { version, is_back, .. } in versions {
        // Where it is not said, what returns to the step before is one.
        let is_back = is_back.unwrap_or_else(|| path.iter().nth_back(1).is_some_and(|earlier| earlier == version));
        match path.iter().rposition(|earlier| earlier == version) {
            Some(at) if is_back => path.truncate(at + 1),
            // It led back to before what is still listed.
            None if is_back => path = vec![version],
            _ => path.push(version),
        }
    }
    let now = path.pop()?;
    path.into_iter().rfind(|earlier| *earlier != now).map(str::to_owned)
}

/// Why a plan of this status is not to be applied or confirmed any more.
fn over(status: &str) -> TuningError {
    match status {
        "applied" => TuningError::NothingToApply,
        "applying" => TuningError::Busy,
        "stale" => TuningError::Stale,
        "declined" => TuningError::Declined,
        "waiting" => TuningError::Waits,
        _ => TuningError::Refused,
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
        let state = self.state();
        let plans = state.plans.iter().rev().filter(|plan| self.may_see(by, &plan.json)).map(|plan| plan.json.clone()).collect();
        let at_next_start = if by.role == Role::Admin { state.at_next_start.clone() } else { Vec::new() };
        ConfigJson { versions: state.versions.clone(), plans, at_next_start }
    }
    fn change(&self, version: &str, since: Option<i64>, by: &Account) -> Result<ConfigChangeJson, TuningError> {
        self.change_of(version, since, by)
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
    fn backtest(&self, request: BacktestRequestJson, by: &Account) -> Result<BacktestJson, TuningError> {
        if !matches!(by.role, Role::Admin | Role::Enterprise) {
            return Err(TuningError::Forbidden);
        }
        let plan = self.find(&request.plan)?;
        if !self.may_see(by, &plan.json) {
            return Err(TuningError::NoSuchPlan);
        }
        if plan.to.is_none() {
            return Err(TuningError::Refused);
        }
        let of = trials::Reach::of(by, &plan.json).ok_or(TuningError::Forbidden)?;
        let against = self.0.kept.folder(&self.in_force());
        let (by, now) = (by.person.to_string(), (self.0.clock)());
        self.0.trials.begin(trials::Asked { request, plan, of, against, by, now })
    }
    fn backtest_of(&self, id: &str, by: &Account) -> Result<BacktestJson, TuningError> {
        let (json, plan, of) = self.0.trials.find(id)?;
        if self.may_see(by, &plan.json) && of.may_be_read_by(by, &self.0.view.plant()) { Ok(json) } else { Err(TuningError::NoSuchPlan) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: &str, is_back: bool) -> VersionJson {
        VersionJson { version: version.to_owned(), is_back: Some(is_back), ..VersionJson::default() }
    }

    #[test]
    fn going_back_twice_is_two_steps_back() {
        let mut versions = vec![version("one", false), version("two", false), version("three", false)];
        assert_eq!(version_before(&versions).as_deref(), Some("two"));
        versions.push(version("two", true));
        assert_eq!(version_before(&versions).as_deref(), Some("one"));
        versions.push(version("one", true));
        assert_eq!(version_before(&versions), None, "there is nothing before the first");
        versions.push(version("four", false));
        assert_eq!(version_before(&versions).as_deref(), Some("one"));
        // Applied again, it is a change like every other.
        versions.extend([version("two", false), version("two", false)]);
        assert_eq!(version_before(&versions).as_deref(), Some("four"));
    }

    #[test]
    fn a_way_back_never_leads_forward() {
        // Where it led to is so long ago that it is not listed any more.
        let mut versions = vec![version("two", false), version("three", false), version("one", true)];
        assert_eq!(version_before(&versions), None);
        versions.push(version("four", false));
        assert_eq!(version_before(&versions).as_deref(), Some("one"));
        // An older store does not say what was a way back.
        let older = r#"["one", "two", "three", "two"]"#;
        let older: Vec<String> = serde_json::from_str(older).expect("a list");
        let entry =
            |version: String| serde_json::from_value(serde_json::json!({ "version": version, "rules": "", "since": 0, "author": "" }));
        let older: Vec<VersionJson> = older.into_iter().map(entry).collect::<Result<_, _>>().expect("versions of an older store");
        assert_eq!(version_before(&older).as_deref(), Some("one"));
        // What was there before and is applied again by a plan of its own is a step forward.
        let again = [version("one", false), version("two", false), version("one", false)];
        assert_eq!(version_before(&again).as_deref(), Some("two"));
    }
}
