//! `watchfire demo`: everything on one machine, with a simulated county and a scripted three minutes.
//!
//! The engine is a child process, because the script kills it with -9. Everything else is as in a plant: gateways publish
//! over the socket, messages leave by HTTP, people act through the API with their own logins.

use crate::clock::Scale;
use crate::folder::{make_private, write_private};
use crate::lang::say;
use anyhow::{Context, bail};
use console::{Accounts, Role};
use model::{Plant, Tier, Timestamp};
use simulator::{County, Fleet, Phones, SimulatedClock};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, RwLock};
use tokio::io::AsyncBufReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

mod script;

/// File in the data folder that says which scene plays.
const SCENE_FILE: &str = "scene";
/// How long the engine may take to become ready.
const READY_MAX: std::time::Duration = std::time::Duration::from_secs(30);

/// How often it is looked whether the engine still runs.
const LOOKS_EVERY: std::time::Duration = std::time::Duration::from_millis(100);

/// Arguments of `watchfire demo`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration folder of the county
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
    /// Where journal and state are kept; starting again on the same folder continues where it was
    #[arg(long, default_value = "watchfire-demo", value_name = "DIR")]
    data: PathBuf,
    /// Where the pages listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    http: SocketAddr,
    /// Where the built-in MQTT broker listens
    #[arg(long, default_value = "127.0.0.1:1883", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the simulated phones listen
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    phones: SocketAddr,
    /// Plant time runs this many times as fast
    #[arg(long, default_value_t = 10.0, value_name = "N")]
    factor: f64,
    /// Leave the answers to you: nobody in the county acts
    #[arg(long)]
    by_hand: bool,
    /// End after the script instead of going on until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Seed of the simulated plant
    #[arg(long, default_value_t = 20_220_715, value_name = "N")]
    seed: u64,
    /// Write the logins of this run to a file (for a program that drives the pages)
    #[arg(long, hide = true, value_name = "FILE")]
    logins: Option<PathBuf>,
}

/// A login of this run.
struct Login {
    username: &'static str,
    role: Role,
    person: &'static str,
    title_zh: &'static str,
    title_en: &'static str,
    shown: bool,
}

/// The three logins a visitor gets, and those of the county's simulated people.
const LOGINS: [Login; 4] = [
    Login {
        username: "zhongkong",
        role: Role::Enterprise,
        person: "hongxin-op1",
        title_zh: "中控操作员",
        title_en: "control-room operator",
        shown: true,
    },
    Login {
        username: "zhenjie",
        role: Role::Township,
        person: "linjiang-duty",
        title_zh: "镇街值班",
        title_en: "township duty officer",
        shown: true,
    },
    Login {
        username: "xianju",
        role: Role::County,
        person: "qingxi-duty",
        title_zh: "县局值班",
        title_en: "county duty officer",
        shown: true,
    },
    Login {
        username: "fuhe",
        role: Role::Enterprise,
        person: "hongxin-op2",
        title_zh: "企业复核人",
        title_en: "second operator",
        shown: false,
    },
];

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plant = match config::load(&args.config) {
        Ok(loaded) => Arc::new(loaded.plant),
        Err(faults) => {
            eprint!("{}", faults.render(crate::lang::lang(), crate::lang::is_colored(&std::io::stderr())));
            return Ok(ExitCode::from(1));
        }
    };
    if !args.factor.is_finite() || !(1.0..=60.0).contains(&args.factor) {
        bail!("{}", say("--factor 取 1 到 60", "--factor takes 1 to 60"));
    }
    check_port(args.http, "--http")?;
    check_port(args.listen, "--listen")?;
    check_port(args.phones, "--phones")?;
    make_private(&args.data).with_context(|| {
        format!(
            "{}: {}",
            args.data.display(),
            say("不能写入;用 --data 指定另一个目录", "cannot be written; choose another folder with --data")
        )
    })?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(play(args, plant))?;
    Ok(ExitCode::SUCCESS)
}

fn check_port(address: SocketAddr, option: &str) -> anyhow::Result<()> {
    TcpListener::bind(address).map(drop).with_context(|| {
        format!(
            "{address} {}: {option} {}",
            say("端口被占用或不可用,改用", "is taken or cannot be used; choose another with"),
            say("指定另一个地址", "ADDRESS")
        )
    })
}

/// The engine as a child that can be killed and started again.
struct EngineChild {
    command: Vec<String>,
    log: PathBuf,
    child: Child,
    base: String,
    phones: String,
}

impl EngineChild {
    fn spawn(command: &[String], log: &Path, phones: &str) -> anyhow::Result<Child> {
        let file =
            std::fs::OpenOptions::new().create(true).append(true).open(log).with_context(|| format!("cannot write {}", log.display()))?;
        let program = std::env::current_exe()?;
        Ok(Command::new(program)
            .args(command)
            .env("WATCHFIRE_DEMO_PHONES", phones)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .map(tell_what_it_says)?)
    }
    /// Returns once the engine has ended without being told to, with what to say of it. The script's own kill has the engine to itself
    /// until the next one is ready.
    async fn ended(engine: &Mutex<Self>) -> anyhow::Error {
        loop {
            if let Err(error) = engine.lock().await.still_runs() {
                return error;
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }
    /// An error that says so where it does not; its process is then reaped.
    fn still_runs(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} {status}; {} {}; {}",
                say("引擎已退出:", "the engine ended:"),
                say("日志见", "see"),
                self.log.display(),
                say("再次启动将从此处继续", "starting again continues here")
            );
        }
        Ok(())
    }
    async fn start(command: Vec<String>, log: PathBuf, base: String, phones: String) -> anyhow::Result<Self> {
        let child = Self::spawn(&command, &log, &phones)?;
        let mut engine = Self { command, log, child, base, phones };
        engine.wait_ready().await?;
        Ok(engine)
    }
    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let http = reqwest::Client::builder().timeout(std::time::Duration::from_secs(2)).no_proxy().build()?;
        let began = std::time::Instant::now();
        while began.elapsed() < READY_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} {status}; {} {}", say("引擎已退出:", "the engine ended:"), say("日志见", "see"), self.log.display());
            }
            let answer = http.get(format!("{}/health/ready", self.base)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        bail!("{} {}", say("引擎没有就绪,日志见", "the engine did not become ready, see"), self.log.display())
    }
    /// kill -9 and start again.
    async fn crash(&mut self) -> anyhow::Result<std::time::Duration> {
        self.child.kill().await?;
        let began = std::time::Instant::now();
        self.child = Self::spawn(&self.command, &self.log, &self.phones)?;
        self.wait_ready().await?;
        Ok(began.elapsed())
    }
    async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id() {
            let asked = Command::new("kill").arg(pid.to_string()).status().await.is_ok_and(|status| status.success());
            if !asked {
                self.child.kill().await?;
            }
        }
        if tokio::time::timeout(std::time::Duration::from_secs(15), self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// The engine's own words go to the terminal: it says there what its log alone would not be read for.
fn tell_what_it_says(mut child: Child) -> Child {
    if let Some(said) = child.stdout.take() {
        tokio::spawn(async move {
            let mut lines = tokio::io::BufReader::new(said).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                println!("  {line}");
            }
        });
    }
    child
}

async fn play(args: &Args, plant: Arc<Plant>) -> anyhow::Result<()> {
    // A county that goes on where it was must not see its time run backwards.
    let epoch_file = args.data.join("epoch");
    let epoch = match std::fs::read_to_string(&epoch_file).ok().and_then(|text| text.trim().parse::<i64>().ok()) {
        Some(known) => Timestamp(known),
        None => Scale::REAL.wall(),
    };
    std::fs::write(&epoch_file, epoch.0.to_string()).with_context(|| format!("cannot write {}", epoch_file.display()))?;
    let scale = Scale { epoch, factor: args.factor };
    let passwords = logins(args, &plant)?;
    let contacts = contacts(args, &plant)?;
    set_scene(&args.data, "")?;
    let (phones, _) = Phones::start(args.phones).await.with_context(|| format!("phones at {}", args.phones))?;

    let base = format!("http://{}", args.http);
    let mut command: Vec<String> = vec!["--lang".into(), say("zh", "en").into(), "run".into()];
    for (option, value) in [
        ("--config", args.config.display().to_string()),
        ("--data", args.data.display().to_string()),
        ("--http", args.http.to_string()),
        ("--listen", args.listen.to_string()),
        ("--public-url", base.clone()),
        ("--contacts", contacts.display().to_string()),
        ("--time-factor", args.factor.to_string()),
        ("--time-epoch", epoch.0.to_string()),
    ] {
        command.extend([option.to_owned(), value]);
    }
    command.push("--demo".into());
    let engine = EngineChild::start(command, args.data.join("engine.log"), base.clone(), format!("http://{}", args.phones)).await?;

    let clock = SimulatedClock::new(Arc::new(move || scale.wall()), args.factor);
    let fleet = Fleet::start(County::new(plant.clone(), args.seed), &format!("mqtt://{}", args.listen), clock.clone(), &BTreeMap::new())?;
    greet(args, &plant, &base, &passwords);

    let engine = Arc::new(Mutex::new(engine));
    let stage = script::Stage {
        data: args.data.clone(),
        base,
        plant,
        fleet,
        phones,
        engine: engine.clone(),
        passwords,
        by_hand: args.by_hand,
        clock,
    };
    let result = tokio::select! {
        // Ctrl-C reaches the engine too, whose end is then no news.
        biased;
        () = crate::commands::run::stop_signal() => {
            println!("{}", say("正在停止;再次启动将从此处继续", "stopping; starting again continues here"));
            Ok(())
        }
        error = EngineChild::ended(&engine) => Err(error),
        // A scene fails on an engine that is gone, which is then what there is to say.
        result = script::run(stage, args.once) => match result {
            Ok(()) => Ok(()),
            Err(error) => engine.lock().await.still_runs().and(Err(error)),
        },
    };
    // Whatever ended the script, the engine ends in good order.
    engine.lock().await.stop().await?;
    result
}

/// Makes the logins of this run, with passwords nobody knew before.
fn logins(args: &Args, plant: &Plant) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let accounts = Accounts::open(&args.data)?;
    let mut passwords = BTreeMap::new();
    for login in &LOGINS {
        let person =
            plant.person(&login.person.into()).with_context(|| format!("no person {} in {}", login.person, args.config.display()))?;
        let password = console::random_password();
        if accounts.find(login.username).is_some() {
            accounts.set_password(login.username, &password)?;
        } else {
            accounts.add(login.username, login.role, Some(person.body.clone()), person.id.clone(), &password)?;
        }
        passwords.insert(login.username, password);
    }
    if let Some(file) = &args.logins {
        write_private(file, &serde_json::to_vec(&passwords)?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(passwords)
}

/// Numbers for the county's people that cannot be dialled: they begin with 1000.
fn contacts(args: &Args, plant: &Plant) -> anyhow::Result<PathBuf> {
    let file = args.data.join("contacts.toml");
    let mut text = String::from("[phones]\n");
    for (number, person) in plant.people.iter().enumerate() {
        text.push_str(&format!("\"{}\" = \"1000{number:07}\"\n", person.id));
    }
    write_private(&file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn greet(args: &Args, plant: &Plant, base: &str, passwords: &BTreeMap<&'static str, String>) {
    let enterprises =
        plant.bodies.iter().filter(|body| body.tier == Tier::ENTERPRISE && body.id.as_str() != model::SYSTEM_ENTERPRISE).count();
    let tags = plant.tags.iter().filter(|tag| tag.is_measured()).count();
    println!("{}", say("【演示】烽燧 Watchfire", "[DEMO] Watchfire 烽燧"));
    println!("  {}: {base}", say("页面", "pages"));
    println!("  MQTT: mqtt://{}", args.listen);
    println!(
        "  {enterprises} {}, {tags} {}, {} {}, {} x{}",
        say("家企业", "enterprises"),
        say("个位号", "tags"),
        plant.gateways.len(),
        say("台网关", "gateways"),
        say("时间", "time"),
        args.factor
    );
    println!("  {}", say("本次登录(每次启动重新生成):", "logins of this run (made anew at every start):"));
    for login in LOGINS.iter().filter(|login| login.shown) {
        println!("    {:<10} {}  {}", login.username, passwords[login.username], say(login.title_zh, login.title_en));
    }
    println!("  {}", say("Ctrl-C 停止", "Ctrl-C stops"));
}

fn set_scene(data: &Path, scene: &str) -> anyhow::Result<()> {
    let file = data.join(SCENE_FILE);
    // Whole or not at all: the engine reads it at any time.
    let new = data.join("scene.new");
    std::fs::write(&new, scene).and_then(|()| std::fs::rename(&new, &file)).with_context(|| format!("cannot write {}", file.display()))
}

/// In the engine: shows the scene that the demo's script writes down.
pub async fn follow_scene(data: PathBuf, scene: Arc<RwLock<Option<String>>>, shutdown: CancellationToken) {
    loop {
        let text = std::fs::read_to_string(data.join(SCENE_FILE)).ok().filter(|text| !text.is_empty());
        *scene.write().unwrap_or_else(std::sync::PoisonError::into_inner) = text;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_millis(500)) => {}
        }
    }
}
