//! Backtests asked for over the API: the very command, as a process of its own.
//!
//! Its memory, its processor time and its mistakes are not the engine's: it is the same program with less right to the processor, one at
//! a time, bounded in time, and gone with the engine.

use super::{Kept, Plan};
use console::{BacktestJson, BacktestRequestJson, TuningError};
use model::Timestamp;
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
}

/// What a backtest is of.
pub(super) struct Asked {
    pub(super) request: BacktestRequestJson,
    pub(super) plan: Plan,
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

    /// How far one is, and the plan that it is of.
    pub(super) fn find(&self, id: &str) -> Result<(BacktestJson, Plan), TuningError> {
        let list = self.list();
        let found = list.iter().find(|trial| trial.json.id == id).ok_or(TuningError::NoSuchPlan)?;
        Ok((found.json.clone(), found.plan.clone()))
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
        list.push_back(Trial { json: json.clone(), plan: asked.plan.clone() });
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
        for enterprise in asked.plan.json.enterprises.iter().flatten() {
            command.arg("--enterprise").arg(enterprise);
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
