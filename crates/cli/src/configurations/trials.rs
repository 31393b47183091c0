//! Backtests asked for over the API: the very command, as a process of its own.
//!
//! Its memory, its processor time and its mistakes are not the engine's: it is the same program with less right to the processor, one at
//! a time, bounded in time, and gone with the engine.

use super::{Kept, Plan};
use console::{Account, BacktestJson, BacktestRequestJson, PlanJson, Role, TuningError};
use model::{BodyId, Plant, Timestamp};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Backtests whose results are kept; the oldest make room.
const KEPT_MAX: usize = 8;
/// A backtest that takes longer is ended: it is asked for again with a shorter span.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The longest result that is taken.
const RESULT_BYTES_MAX: u64 = 32 << 20;
/// What is kept of its complaints.
const WORDS_MAX: usize = 4_096;

/// Backtests, running and done.
#[derive(Clone)]
pub(super) struct Trials {
    data: PathBuf,
    list: Arc<Mutex<VecDeque<Trial>>>,
}

struct Trial {
    json: BacktestJson,
    plan: Plan,
    of: Reach,
}

/// Whose readings a backtest is of, and so whose tags and people its result names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reach {
    County,
    Enterprises(Vec<BodyId>),
}

impl Reach {
    /// An enterprise tries on its own readings, whatever the plan touches: one that changes nothing touches nobody. None where a login of
    /// no enterprise asks as one.
    pub(super) fn of(by: &Account, plan: &PlanJson) -> Option<Self> {
        let touched = plan.enterprises.as_deref().filter(|touched| !touched.is_empty());
        match (by.role, &by.body) {
            (Role::Enterprise, own) => own.clone().map(|own| Self::Enterprises(vec![own])),
            _ => Some(touched.map_or(Self::County, |touched| Self::Enterprises(touched.iter().map(BodyId::new).collect()))),
        }
    }

    /// Whether a login may read such a result: its own, or of those below it; the county's is the county's.
    pub(super) fn may_be_read_by(&self, by: &Account, plant: &Plant) -> bool {
        match (by.role, self, &by.body) {
            (Role::Admin, ..) => true,
            (role, Self::County, _) => role == Role::County,
            (_, Self::Enterprises(enterprises), Some(body)) => enterprises.iter().all(|enterprise| plant.oversees(body, enterprise)),
            (_, Self::Enterprises(_), None) => false,
        }
    }
}

/// What a backtest is of.
pub(super) struct Asked {
    pub(super) request: BacktestRequestJson,
    pub(super) plan: Plan,
    pub(super) of: Reach,
    /// Folder of the configuration in force.
    pub(super) against: PathBuf,
    pub(super) by: String,
    pub(super) now: Timestamp,
}

impl Trials {
    pub(super) fn of(data: &Path) -> Self {
        Self { data: data.to_owned(), list: Arc::default() }
    }

    fn list(&self) -> MutexGuard<'_, VecDeque<Trial>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far one is, the plan that it is of, and whose readings.
    pub(super) fn find(&self, id: &str) -> Result<(BacktestJson, Plan, Reach), TuningError> {
        let list = self.list();
        let found = list.iter().find(|trial| trial.json.id == id).ok_or(TuningError::NoSuchPlan)?;
        Ok((found.json.clone(), found.plan.clone(), found.of.clone()))
    }

    /// Begins one, unless one is running.
    pub(super) fn begin(&self, asked: Asked) -> Result<BacktestJson, TuningError> {
        let mut list = self.list();
        if list.iter().any(|trial| trial.json.status == "running") {
            return Err(TuningError::BacktestRuns);
        }
        let json = BacktestJson {
            id: format!("{}-{}", asked.plan.json.id, asked.now.as_millis()),
            plan: asked.plan.json.id.clone(),
            status: "running".to_owned(),
            began: asked.now.as_millis(),
            by: asked.by.clone(),
            ..BacktestJson::default()
        };
        if list.len() == KEPT_MAX {
            list.pop_front();
        }
        list.push_back(Trial { json: json.clone(), plan: asked.plan.clone(), of: asked.of.clone() });
        drop(list);
        let (this, id) = (self.clone(), json.id.clone());
        tokio::spawn(async move {
            let result = match tokio::time::timeout(LONGEST, this.run(&id, asked)).await {
                Ok(result) => result,
                Err(_) => Err(format!("it took longer than {} minutes; ask for a shorter span", LONGEST.as_secs() / 60)),
            };
            this.set(&id, |json| match result {
                Ok(result) => (json.status, json.percent, json.result) = ("done".to_owned(), 100, Some(result)),
                Err(error) => (json.status, json.error) = ("failed".to_owned(), Some(error)),
            });
        });
        Ok(json)
    }

    fn set(&self, id: &str, change: impl FnOnce(&mut BacktestJson)) {
        if let Some(trial) = self.list().iter_mut().find(|trial| trial.json.id == id) {
            change(&mut trial.json);
        }
    }

    async fn run(&self, id: &str, asked: Asked) -> Result<serde_json::Value, String> {
        let files = Arc::clone(&asked.plan.files);
        let scratch = Kept::beside(&self.data, "backtests");
        let tried = tokio::task::spawn_blocking(move || {
            // One at a time: whatever lies there is of an earlier one.
            scratch.prune(&[]);
            scratch.keep(&files).map(|version| scratch.folder(&version))
        });
        let tried = tried.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let child = self.command(&asked, &tried).spawn().map_err(|error| error.to_string())?;
        self.follow(id, child).await
    }

    fn command(&self, asked: &Asked, tried: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "watchfire".into()));
        command
            .arg("backtest")
            .arg(tried)
            .arg("--against")
            .arg(&asked.against)
            .arg("--data")
            .arg(&self.data)
            .args(["--json", "--in-background"]);
        for (option, at) in [("--from", asked.request.from), ("--to", asked.request.to)] {
            if let Some(at) = at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()) {
                command.arg(option).arg(at.to_string());
            }
        }
        if let Reach::Enterprises(enterprises) = &asked.of {
            enterprises.iter().for_each(|enterprise| {
                command.arg("--enterprise").arg(enterprise.as_str());
            });
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Takes its progress from its standard error, a number a line, and its result from its standard output.
    async fn follow(&self, id: &str, mut child: Child) -> Result<serde_json::Value, String> {
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else { return Err("no pipes".to_owned()) };
        let complaints = async {
            let mut said = String::new();
            let mut lines = BufReader::new(err).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                match line.parse() {
                    Ok(percent) => self.set(id, |json| json.percent = percent),
                    Err(_) if said.len() + line.len() < WORDS_MAX => said = said + &line + "\n",
                    Err(_) => {}
                }
            }
            said
        };
        let mut result = Vec::new();
        let mut out = out.take(RESULT_BYTES_MAX);
        let (said, read) = tokio::join!(complaints, out.read_to_end(&mut result));
        read.map_err(|error| error.to_string())?;
        let status = child.wait().await.map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(said.trim().to_owned());
        }
        serde_json::from_slice(&result).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Difference, Files};

    fn login(role: Role, body: Option<&str>) -> Account {
        Account {
            username: "login".into(),
            role,
            body: body.map(BodyId::new),
            person: "person".into(),
            enabled: true,
            stamp: String::new(),
        }
    }

    fn touching(enterprises: Option<&[&str]>) -> PlanJson {
        let enterprises = enterprises.map(|list| list.iter().map(|one| (*one).to_owned()).collect());
        PlanJson { enterprises, ..PlanJson::default() }
    }

    /// The enterprises that the child is told to keep to.
    fn asked_for(of: Reach, json: PlanJson) -> Vec<String> {
        let nothing = Difference { from: "".into(), to: "".into(), lines: Vec::new() };
        let files = Arc::new(Files::from_memory(Vec::<(PathBuf, Vec<u8>)>::new()));
        let plan = Plan { json, files, to: None, difference: Arc::new(nothing), is_back: false };
        let request = BacktestRequestJson { plan: String::new(), from: None, to: None };
        let asked = Asked { request, plan, of, against: "in-force".into(), by: String::new(), now: Timestamp(0) };
        let command = Trials::of(Path::new("data")).command(&asked, Path::new("tried"));
        let words: Vec<_> = command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        words.windows(2).filter(|pair| pair[0] == "--enterprise").map(|pair| pair[1].clone()).collect()
    }

    #[test]
    fn an_enterprise_tries_on_its_own_readings_also_with_a_plan_that_changes_nothing() {
        let own = login(Role::Enterprise, Some("hongxin"));
        for plan in [touching(Some(&[])), touching(Some(&["hongxin"])), touching(None)] {
            let of = Reach::of(&own, &plan).expect("of an enterprise");
            assert_eq!(asked_for(of, plan), ["hongxin"]);
        }
        assert_eq!(Reach::of(&login(Role::Enterprise, None), &touching(Some(&[]))), None);
        let admin = login(Role::Admin, Some("county"));
        assert_eq!(Reach::of(&admin, &touching(Some(&[]))), Some(Reach::County));
        assert_eq!(asked_for(Reach::of(&admin, &touching(Some(&["a", "b"]))).expect("an admin"), touching(None)), ["a", "b"]);
    }

    #[test]
    fn nobody_outside_the_county_reads_the_result_of_another() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let plant = config::load(&folder).expect("the shipped configuration").plant;
        let hongxin = plant.bodies.iter().find(|body| body.id.as_str() == "hongxin").expect("a body");
        let above = hongxin.parent.clone().expect("a township").to_string();
        let (own, other) = (login(Role::Enterprise, Some("hongxin")), login(Role::Enterprise, Some("hengsu")));
        let (township, county) = (login(Role::Township, Some(&above)), login(Role::County, Some("county")));
        let admin = login(Role::Admin, None);
        let reads = |of: &Reach| [&own, &other, &township, &county, &admin].map(|by| of.may_be_read_by(by, &plant));
        let of_hongxin = Reach::Enterprises(vec!["hongxin".into()]);
        assert_eq!(reads(&of_hongxin)[..3], [true, false, true]);
        assert!(of_hongxin.may_be_read_by(&admin, &plant));
        assert_eq!(reads(&Reach::County), [false, false, false, true, true]);
        let both = Reach::Enterprises(vec!["hongxin".into(), "hengsu".into()]);
        assert_eq!(reads(&both)[..2], [false, false]);
    }
}
