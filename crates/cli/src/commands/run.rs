//! `watchfire run`: the engine, its broker connection, its pages and its messages.

use crate::alive::{Heartbeat, WhileAlive, tell_service_manager};
use crate::allowed::Allowed;
use crate::clock::{EngineClock, Scale};
use crate::configurations::{BY_SIGNAL, BY_START, Kept, Opened, Start, Tuning, Ways};
use crate::engine::{Engine, EngineInput, Guard, Outlets, Parts};
use crate::facts::LiveFacts;
use crate::lang::{lang, say};
use crate::metrics::Metrics;
use crate::records::JournalRecords;
use anyhow::Context;
use config::{Loaded, Server};
use console::{Accounts, LiveView};
use ingest::{BrokerAddress, EmbeddedBroker, EmbeddedConfig, MqttSettings, MqttSource, Sink, Source, SourceId};
use journal::history::{HistoryWriter, Retention};
use journal::{AheadStore, OutboxFilter, OutboxStatus, Reader, SqliteReader, Store, StoreError};
use model::{CaseId, Notification, Siren, Timestamp, bounds};
use notifier::{Contacts, Notifier, SirenConfig, SirenDriver};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, RwLock};
use tokio_util::sync::CancellationToken;

/// Arguments of `watchfire run`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration folder
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    pub config: PathBuf,
    /// Where journal and state are kept
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    pub data: PathBuf,
    /// An external broker (mqtt:// or mqtts://) instead of the built-in one
    #[arg(long, env = "WATCHFIRE_MQTT", value_name = "URL")]
    pub mqtt: Option<String>,
    /// MQTT version spoken to the external broker: 3.1.1 or 5
    #[arg(long, value_name = "VERSION", value_parser = ["3.1.1", "5"])]
    pub mqtt_version: Option<String>,
    /// Where the built-in broker listens
    #[arg(long, env = "WATCHFIRE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where the pages and the API listen
    #[arg(long, env = "WATCHFIRE_HTTP", value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
    /// What links in messages begin with, such as https://watchfire.example.gov.cn
    #[arg(long, env = "WATCHFIRE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// A proxy before the pages whose `X-Forwarded-For` names the real client; may be given more than once
    #[arg(long, env = "WATCHFIRE_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    pub trusted_proxy: Vec<std::net::IpAddr>,
    /// File with phone numbers by person, kept outside the configuration and outside git
    #[arg(long, env = "WATCHFIRE_CONTACTS", value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// File with the user name and secret of each gateway, for a built-in broker beyond this machine
    #[arg(long, env = "WATCHFIRE_GATEWAYS", value_name = "FILE")]
    pub gateways: Option<PathBuf>,
    /// Mark every page and message as a demonstration
    #[arg(long, hide = true)]
    pub demo: bool,
    /// Run the clock this many times as fast since `--time-epoch`
    #[arg(long, hide = true, default_value_t = 1.0)]
    pub time_factor: f64,
    /// Epoch in microseconds at which fast and real time agree
    #[arg(long, hide = true, default_value_t = 0)]
    pub time_epoch: i64,
}

/// At a stop, calls to channels that are under way may take this long; what is cut off is sent again after the start.
const CALLS_END_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
/// What a start took up is kept so long after it.
const KEEP_START_AFTER: std::time::Duration = std::time::Duration::from_secs(1);
/// Messages of the last day looked through at a start.
const SPENT_ROWS_MAX: usize = 10_000;

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    start_log();
    // One TLS provider; a second call by a library is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Nothing is made on disk for a configuration that cannot run.
    if !SqliteReader::exists(&args.data)
        && let Err(faults) = config::load(&args.config)
    {
        eprint!("{}", faults.render(lang(), crate::lang::is_colored(&std::io::stderr())));
        return Ok(ExitCode::from(1));
    }
    let mut store = open_store(&args.data)?;
    let contradiction = store.contradiction();
    let snapshot = store.load().context("the store cannot be read")?;
    let kept = Kept::of(&args.data);
    let ways = ways(args);
    let opens = |loaded: &Loaded| {
        crate::commands::channels::try_out(loaded)?;
        ways.try_open(&loaded.server, &loaded.plant, None)
    };
    let start = match Start::of(&args.config, &kept, &snapshot.hard, crate::clock::Scale::REAL.wall(), &opens)? {
        Ok(start) => start,
        Err(faults) => {
            eprint!("{}", faults.render(lang(), crate::lang::is_colored(&std::io::stderr())));
            return Ok(ExitCode::from(1));
        }
    };
    if let Some(instead) = &start.instead {
        println!("{instead}");
    }
    let stored = Stored { store, snapshot, contradiction, kept };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(serve(args, start, stored));
    // Whatever still runs (a slow page, a hanging gateway) must not hold the end up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result.map(|()| ExitCode::SUCCESS)
}

fn ways(args: &Args) -> Ways {
    Ways { mqtt: args.mqtt.clone(), listen: args.listen, http: args.http, gateways: args.gateways.clone() }
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("WATCHFIRE_LOG").unwrap_or_else(|_| "info,rumqttc=warn,mqtt5=warn".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() { log.try_init() } else { log.json().try_init() };
    // Only a second start in one process fails, and then a log is there.
    drop(started);
}

struct Out {
    heartbeat: Heartbeat,
    sirens: SirenDriver,
    notifier: Arc<Notifier>,
}

impl Outlets for Out {
    fn siren(&mut self, siren: &Siren) {
        self.sirens.set(siren);
    }
    fn notify(&mut self, notification: &Notification, attempts: u32) {
        self.notifier.send(notification.clone(), attempts);
    }
    fn supersede(&mut self, case: &CaseId) {
        self.notifier.supersede(case);
    }
    fn sirens_connected(&self) -> bool {
        self.sirens.is_connected()
    }
    fn alive(&self) {
        self.heartbeat.beat();
    }
}

/// What the data folder holds.
struct Stored {
    store: AheadStore,
    snapshot: journal::Snapshot,
    contradiction: Option<String>,
    kept: Kept,
}

async fn serve(args: &Args, start: Start, stored: Stored) -> anyhow::Result<()> {
    let Stored { store, snapshot, contradiction, kept } = stored;
    let scale = Scale { epoch: Timestamp(args.time_epoch), factor: args.time_factor };
    let clock = Arc::new(EngineClock::start(scale, snapshot.last_now));
    let (opened, taken) = (Opened::by(&start.loaded), start.record(clock.now()));
    let Start { loaded: Loaded { plant, mut server, .. }, versions, unasked, shut, differs, .. } = start;
    let ways = ways(args);
    let plant = Arc::new(plant);
    if let Some(url) = &args.public_url {
        server.http.public_url = url.trim_end_matches('/').to_owned();
    }
    let now: Arc<dyn Fn() -> Timestamp + Send + Sync> = {
        let clock = clock.clone();
        Arc::new(move || clock.now())
    };
    let metrics = Arc::new(Metrics::new()?);
    let view = Arc::new(LiveView::new(plant.clone()));
    let (queue, inbox) = flume::bounded::<EngineInput>(bounds::ENGINE_QUEUE_MAX);
    let shutdown = CancellationToken::new();

    let contacts = Contacts::load_with_env(args.contacts.as_deref())?;
    let http = ways.http(&server);
    let listener = tokio::net::TcpListener::bind(http).await.with_context(|| {
        format!(
            "{http} {}",
            say("端口被占用或不可用;用 --http 指定另一个地址", "is taken or cannot be used; choose another address with --http")
        )
    })?;

    let source_name = ways.mqtt(&server).map(str::to_owned);
    let name = match source_name.as_deref() {
        Some(url) => BrokerAddress::parse(url)?.to_string(),
        None => "built-in broker".to_owned(),
    };
    let sink = Sink::new(queue.clone(), EngineInput::Source);
    let broker = Broker::open(args, &ways, &server, &now, &plant)?;

    let phones = masked_phones(&plant, &contacts);
    let report_queue = queue.clone();
    let notifier = Arc::new(Notifier::start(
        crate::commands::channels::notifier_config(&server, contacts, now.clone(), &plant, args.demo, args.time_factor)?,
        Arc::new(LiveFacts::new(view.clone())),
        // Blocks one of the notifier's tasks while the engine's queue is full: back-pressure, never a lost answer.
        Arc::new(move |attempt| {
            let _ = report_queue.send(EngineInput::Attempt(attempt));
        }),
    )?);

    let embedded = broker.start(sink)?;
    let publish = embedded.siren_publisher(args, &server)?;
    let heartbeat = Heartbeat::default();
    let publish = Arc::new(WhileAlive { inner: publish, heartbeat: heartbeat.clone() });
    tell_service_manager(heartbeat.clone())?;
    let sirens = SirenDriver::start(
        SirenConfig {
            publish,
            resend_every: SirenConfig::RESEND_EVERY.div_f64(args.time_factor),
            expiry: plant.policies.siren_expiry,
            clock: now.clone(),
        },
        [],
    )?;
    let allowed = Arc::new(Allowed::default());
    let retention = Retention(server.history.readings);
    let (history_writer, history) = HistoryWriter::start(&args.data, plant.clone(), retention, clock.now())?;
    // A new store has no end behind it.
    let guard = Guard::open(&args.data, snapshot.clean_stop || snapshot.last_seq == 0);
    let (reader, for_tuning) = (store.reader()?, store.reader()?);
    // Nothing of a journal that is not what it was is deleted: it is evidence.
    let past = match contradiction {
        None => Some(crate::retention::JournalRetention::new(Arc::new(store.reader()?), server.history.alarms, clock.clone(), scale)),
        Some(_) => None,
    };
    let parts = Parts {
        plant: plant.clone(),
        store: Box::new(store),
        clock: clock.clone(),
        view: view.clone(),
        outlets: Box::new(Out { heartbeat, sirens, notifier: notifier.clone() }),
        metrics: metrics.clone(),
        guard,
        sources: vec![name],
        allowed: allowed.clone(),
        built_in_broker: matches!(embedded, Running::BuiltIn(_)),
        taken,
        history,
    };
    note_spent(&reader, &notifier, clock.now());
    let records = Arc::new(JournalRecords::new(reader, &args.data));
    let engine = Engine::start(parts, &snapshot)?;
    keep_start(&args.data, snapshot, clock.now() - server.history.readings)?;
    if let Some(detail) = &contradiction {
        // Cut off, edited, or an old copy put back: people are told, and the engine goes on.
        tracing::error!(detail, "the journal contradicts its anchor");
    }
    let complaints: Vec<String> = contradiction.into_iter().chain(unasked).chain(shut).collect();
    tokio::spawn(crate::storage::tell_start(complaints, queue.clone()));
    tokio::spawn(crate::storage::watch(args.data.clone(), queue.clone(), shutdown.clone()));
    if let Some(past) = past {
        tokio::spawn(past.watch(queue.clone(), shutdown.clone()));
    }
    let (ended, mut engine_end) = tokio::sync::oneshot::channel::<Result<(), StoreError>>();
    let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
        let result = engine.run(&inbox);
        let _ = ended.send(result);
    })?;

    let scene = Arc::new(RwLock::new(None));
    if args.demo {
        tokio::spawn(crate::commands::demo::follow_scene(args.data.clone(), scene.clone(), shutdown.clone()));
    }
    let accounts = Accounts::open(&args.data)?;
    let tuning = Tuning::new(crate::configurations::Parts {
        dir: args.config.clone(),
        data: args.data.clone(),
        opened,
        ways,
        kept,
        versions,
        queue: queue.clone(),
        view: view.clone(),
        accounts: accounts.clone(),
        reader: Box::new(for_tuning),
        clock: now.clone(),
    });
    tokio::spawn(reread(tuning.clone(), differs, shutdown.clone()));
    let settings = console::Settings {
        tuning: Some(Arc::new(tuning)),
        demo: args.demo,
        time_factor: args.time_factor,
        scene,
        phones,
        cookie_secure: server.http.public_url.starts_with("https://"),
        trusted_proxies: args.trusted_proxy.clone(),
        public_url: Some(server.http.public_url.clone()),
        ..console::Settings::new(http, now)
    };
    let api = Arc::new(crate::commands::api::EngineApi::new(queue.clone(), view.clone(), allowed, metrics.clone()));
    let pages = tokio::spawn(console::serve_on(
        listener,
        settings,
        view.clone(),
        api,
        records,
        accounts,
        metrics.registry.clone(),
        shutdown.clone(),
    ));
    tracing::info!(%http, data = %args.data.display(), rules = %plant.version, "running");

    let outcome = tokio::select! {
        () = stop_signal() => Ok(()),
        result = &mut engine_end => result.context("the engine thread ended")?.context("the store failed"),
    };
    // First the sources fall silent, then calls under way end and are reported, then the engine commits what it has.
    embedded.stop().await;
    let _ = tokio::time::timeout(CALLS_END_WITHIN, Notifier::clone(&notifier).stop()).await;
    let _ = queue.send_async(EngineInput::Stop).await;
    let stopped = match outcome {
        Ok(()) => engine_end.await.context("the engine thread ended")?.context("the store failed"),
        failed => failed,
    };
    shutdown.cancel();
    let _ = thread.join();
    // After the engine, so that its last readings are written, and off the threads that must not wait.
    let _ = tokio::task::spawn_blocking(move || drop(history_writer)).await;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), pages).await;
    stopped
}

/// Keeps what the start took up, for `replay`: a moment later, when the start is over, and on a thread that nobody waits for.
fn keep_start(data: &Path, snapshot: journal::Snapshot, oldest: Timestamp) -> std::io::Result<()> {
    let data = data.to_owned();
    let keep = move || {
        std::thread::sleep(KEEP_START_AFTER);
        if let Err(error) = journal::keep_start(&data, snapshot, oldest) {
            tracing::warn!(%error, "the state of this start is not kept: `replay` cannot begin with it");
        }
    };
    std::thread::Builder::new().name("starts".to_owned()).spawn(keep).map(drop)
}

/// The folder is read again at a start where it differs from what was in force, and at every SIGHUP.
async fn reread(tuning: Tuning, differs: bool, shutdown: CancellationToken) {
    if differs {
        tuning.read_folder_again(BY_START).await;
    }
    let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else { return };
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            received = hangup.recv() => match received {
                Some(()) => tuning.read_folder_again(BY_SIGNAL).await,
                None => return,
            },
        }
    }
}

/// Budgets count over a day: what was sent before the restart still counts.
fn note_spent(reader: &SqliteReader, notifier: &Notifier, now: Timestamp) {
    let rows = match reader.outbox(&OutboxFilter::default(), SPENT_ROWS_MAX) {
        Ok(rows) => rows,
        Err(error) => return tracing::warn!(%error, "budgets begin anew: what was sent before the restart is not known"),
    };
    for record in rows.iter().filter(|record| {
        matches!(record.status, OutboxStatus::Accepted | OutboxStatus::Delivered)
            && now.since(record.updated) < model::Duration::from_mins(24 * 60)
    }) {
        if let Ok(notification) = serde_json::from_slice::<Notification>(&record.row.bytes) {
            notifier.note_spent(&notification.key.channel, &notification.key.recipient, record.updated);
        }
    }
}

fn open_store(data: &Path) -> anyhow::Result<AheadStore> {
    crate::folder::make_private(data).with_context(|| {
        format!(
            "{}: {}",
            data.display(),
            say("不能创建数据目录;用 --data 指定另一个", "cannot make the data folder; choose another with --data")
        )
    })?;
    AheadStore::open(data).with_context(|| {
        format!(
            "{}: {}",
            data.display(),
            say("不能打开数据目录;用 --data 指定另一个", "cannot open the data folder; choose another with --data")
        )
    })
}

/// The broker side, external or built in.
enum Broker {
    External(Box<MqttSource>),
    BuiltIn(EmbeddedConfig),
}

/// The broker side, running.
enum Running {
    External { stop: CancellationToken, task: tokio::task::JoinHandle<()> },
    BuiltIn(Arc<EmbeddedBroker>),
}

impl Broker {
    fn open(args: &Args, ways: &Ways, server: &Server, clock: &ingest::Clock, plant: &model::Plant) -> anyhow::Result<Self> {
        let Some(url) = ways.mqtt(server) else {
            let credentials = ways.credentials(plant)?;
            let listen = ways.built_in(server).unwrap_or(server.embedded.listen);
            return Ok(Self::BuiltIn(EmbeddedConfig { source: SourceId(0), listen, credentials, clock: clock.clone() }));
        };
        let address = BrokerAddress::parse(url)?;
        let mut settings = MqttSettings::new(SourceId(0), address, server.mqtt.client_id.clone(), clock.clone());
        if !server.mqtt.subscribe.is_empty() {
            settings.filters.clone_from(&server.mqtt.subscribe);
        }
        settings.timing.keep_alive = server.mqtt.keep_alive.to_std();
        let version = args.mqtt_version.as_deref().unwrap_or(match server.mqtt.protocol {
            config::Protocol::V311 => "3.1.1",
            config::Protocol::V5 => "5",
        });
        let protocol = if version == "5" { ingest::Protocol::V5 } else { ingest::Protocol::V311 };
        Ok(Self::External(Box::new(MqttSource::new(settings, protocol)?)))
    }

    fn start(self, sink: Sink) -> anyhow::Result<Running> {
        match self {
            Self::External(source) => {
                // Its own token: the sources stop before everything else does.
                let stop = CancellationToken::new();
                let task = (source as Box<dyn Source>).start(sink, stop.clone());
                Ok(Running::External { stop, task })
            }
            Self::BuiltIn(config) => Ok(Running::BuiltIn(Arc::new(EmbeddedBroker::start(config, sink)?))),
        }
    }
}

impl Running {
    fn siren_publisher(&self, args: &Args, server: &Server) -> anyhow::Result<Arc<dyn notifier::SirenPublish>> {
        match self {
            Self::External { .. } => {
                let url = args.mqtt.as_deref().or(server.mqtt.url.as_deref()).unwrap_or_default();
                let client_id = format!("{}-sirens", server.mqtt.client_id);
                let options = BrokerAddress::parse(url)?.client_options(client_id)?;
                Ok(Arc::new(notifier::MqttSirenPublisher::connect(options)?))
            }
            Self::BuiltIn(broker) => Ok(Arc::new(BuiltInSirens::new(broker.clone()))),
        }
    }
    async fn stop(&self) {
        match self {
            Self::External { stop, task, .. } => {
                stop.cancel();
                while !task.is_finished() {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
            // What arrives from here on is not acknowledged, and sent again to the next process.
            Self::BuiltIn(_) => {}
        }
    }
}

/// Commands on their way to sirens at the built-in broker; more are sent again by the driver.
const SIREN_COMMANDS_WAITING_MAX: usize = 1_024;

/// Sirens that are connected to the built-in broker. One task hands commands over, so they keep their order.
struct BuiltInSirens {
    commands: flume::Sender<notifier::SirenCommand>,
}

impl BuiltInSirens {
    fn new(broker: Arc<EmbeddedBroker>) -> Self {
        let (commands, waiting) = flume::bounded::<notifier::SirenCommand>(SIREN_COMMANDS_WAITING_MAX);
        tokio::spawn(async move {
            while let Ok(command) = waiting.recv_async().await {
                broker.publish(&command.topic, command.payload, 1, false).await;
            }
        });
        Self { commands }
    }
}

impl notifier::SirenPublish for BuiltInSirens {
    fn publish(&self, command: notifier::SirenCommand, _urgency: notifier::Urgency) -> bool {
        self.commands.try_send(command).is_ok()
    }
}

fn masked_phones(plant: &model::Plant, contacts: &Contacts) -> std::collections::BTreeMap<model::PersonId, String> {
    plant.people.iter().filter_map(|person| Some((person.id.clone(), contacts.phone(&person.id)?.masked()))).collect()
}

/// Ctrl-C or SIGTERM.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
