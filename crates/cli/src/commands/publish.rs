//! `watchfire publish`: replays a recorded file to any broker.
//!
//! QoS 1, and done only when every message has its PUBACK: a replay that says it is complete was taken by the broker whole.

use crate::lang::{is_colored, lang, say};
use anyhow::{Context, anyhow, bail};
use config::{ColumnRef, Format, Lang, Replay};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::BrokerAddress;
use model::{Quality, TagId, Timestamp};
use rumqttc::{AsyncClient, Event, Outgoing, Packet, QoS};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Messages on their way without a PUBACK.
const IN_FLIGHT_MAX: u16 = 500;
/// No PUBACK for this long, with messages on their way, ends the replay with an error.
const STALLED_AFTER: Duration = Duration::from_secs(30);
/// Slowest and fastest factor; beyond them a number is a slip.
const SPEED_BOUNDS: (f64, f64) = (0.001, 1_000_000.0);

const EXAMPLES: &str = "Examples:
  watchfire publish d06_te.dat --map config/tep/replay.toml                  as fast as the broker takes it
  watchfire publish d06_te.dat --map config/tep/replay.toml --speed real     at the recorded interval
  watchfire publish d06_te.dat --map config/tep/replay.toml --speed 60 --now as if it happened now, a minute per second
  watchfire publish day.csv --map day.toml --mqtt mqtts://user:secret@broker.plant --times 3

A mapping file of a CSV with a head line:
  enterprise = \"acme\"
  format = \"csv\"
  header = true
  start = \"2025-01-06T08:00:00+08:00\"
  interval = \"5s\"
  [[column]]
  head = \"TI-101 (degF)\"
  tag = \"TI-101\"
  scale = 0.5556
  offset = -17.78

Exit status: 0 every message was acknowledged by the broker, 2 could not (nothing is sent before the whole file was read).";

/// Arguments of `watchfire publish`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The recorded file: a table of columns without or with a head line
    file: PathBuf,
    /// Mapping file: columns to tags, units, start time, interval (see config/tep/replay.toml)
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Broker to publish to
    #[arg(long, env = "WATCHFIRE_MQTT", default_value = "mqtt://127.0.0.1:1883", value_name = "URL")]
    mqtt: String,
    /// How fast: `real` keeps the recorded interval, `max` goes as fast as the broker takes it, a number is that many times real
    #[arg(long, default_value = "max", value_parser = parse_speed, value_name = "SPEED")]
    speed: Speed,
    /// Replay the file this many times, each run following the last in time
    #[arg(long, default_value = "1", value_name = "N")]
    times: NonZeroU32,
    /// Rewrite every source time to the time of sending
    #[arg(long)]
    now: bool,
    /// Only the first N rows of the file
    #[arg(long, value_name = "N")]
    rows: Option<NonZeroUsize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// How fast a file is replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As the broker takes it.
    Max,
    /// So many times the recorded speed.
    Times(f64),
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    match text {
        "max" => Ok(Speed::Max),
        "real" => Ok(Speed::Times(1.0)),
        number => match number.parse::<f64>() {
            Ok(factor) if (SPEED_BOUNDS.0..=SPEED_BOUNDS.1).contains(&factor) => Ok(Speed::Times(factor)),
            _ => Err(format!("`{number}` is neither `real`, `max` nor a number from {} to {}", SPEED_BOUNDS.0, SPEED_BOUNDS.1)),
        },
    }
}

/// One message to publish.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// Source time.
    pub(super) at: Timestamp,
    /// MQTT topic.
    topic: String,
    /// Value in the tag's unit.
    pub(super) value: f64,
}

/// Reads a recorded file by its mapping, the whole of it before anything is sent. The error names file and line. The messages of a row
/// are in the order of the mapping's columns.
pub(super) fn read(file: &Path, replay: &Replay, rows_max: Option<NonZeroUsize>) -> anyhow::Result<Vec<Vec<Message>>> {
    let table = Table::read(file, &replay.format)?;
    let columns = replay.columns.iter().map(|column| table.index(&column.column)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    for (number, (line, cells)) in table.rows.iter().enumerate().take(rows_max.map_or(usize::MAX, NonZeroUsize::get)) {
        let at = replay.start + replay.interval.times(i64::try_from(number)?);
        let mut row = Vec::with_capacity(columns.len());
        for (column, index) in replay.columns.iter().zip(&columns) {
            let place = || format!("{}:{line}", file.display());
            let Some(cell) = cells.get(*index) else {
                let (want, have) = (index + 1, cells.len());
                let (zh, en) = (format!("没有第 {want} 列,这一行只有 {have} 列"), format!("no column {want}: this row has {have}"));
                bail!("{}: {}", place(), say(&zh, &en));
            };
            let Some(value) = cell.trim().parse::<f64>().ok().filter(|value| value.is_finite()) else {
                let want = index + 1;
                let (zh, en) = (format!("第 {want} 列的 `{cell}` 不是数"), format!("`{cell}` in column {want} is no number"));
                bail!("{}: {}", place(), say(&zh, &en));
            };
            row.push(Message {
                at,
                topic: ingest::topic::of_tag(&TagId::new(replay.enterprise.clone(), &column.tag)),
                value: value * column.scale + column.offset,
            });
        }
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("{}: {}", file.display(), say("没有数据行", "no rows of data"));
    }
    Ok(rows)
}

/// A recorded file as text.
struct Table<'f> {
    file: &'f Path,
    heads: Option<Vec<String>>,
    /// With the line on which each begins.
    rows: Vec<(u64, Vec<String>)>,
}

impl<'f> Table<'f> {
    fn read(file: &'f Path, format: &Format) -> anyhow::Result<Self> {
        let unreadable = || format!("{}: {}", file.display(), say("不能读取", "cannot be read"));
        let text = std::fs::read_to_string(file).with_context(unreadable)?;
        let text = text.trim_start_matches('\u{feff}');
        let Format::Csv { delimiter, header } = format else {
            let split = |(line, text): (usize, &str)| (line as u64 + 1, text.split_whitespace().map(str::to_owned).collect());
            let rows = text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()).map(split).collect();
            return Ok(Self { file, heads: None, rows });
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(*delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.with_context(unreadable)?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record.iter().map(str::to_owned).collect()));
        }
        let heads = if *header && !rows.is_empty() { Some(rows.remove(0).1) } else { None };
        Ok(Self { file, heads, rows })
    }

    fn index(&self, column: &ColumnRef) -> anyhow::Result<usize> {
        let name = match column {
            ColumnRef::Number(number) => return Ok(number - 1),
            ColumnRef::Name(name) => name,
        };
        let heads = self.heads.as_deref().unwrap_or_default();
        let mut found = heads.iter().enumerate().filter(|(_, head)| *head == name).map(|(at, _)| at);
        let file = self.file.display();
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => bail!("{file}:1: {}", say(&format!("有两列叫 `{name}`"), &format!("two columns are called `{name}`"))),
            (None, _) => {
                let heads = heads.join(", ");
                bail!("{file}:1: {}", say(&format!("没有列 `{name}`;有 {heads}"), &format!("no column `{name}`; there are {heads}")))
            }
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let replay = config::load_replay(&args.map).map_err(|faults| anyhow!("{}", faults.render(lang(), is_colored(&std::io::stderr()))))?;
    let broker = BrokerAddress::parse(&args.mqtt).context("--mqtt")?;
    let rows = read(&args.file, &replay, args.rows)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bar = progress(rows.iter().map(|row| row.len() as u64).sum::<u64>() * u64::from(args.times.get()), args.json);
    let began = Instant::now();
    runtime.block_on(publish(args, &broker, &replay, &rows, &bar))?;
    let (seconds, messages) = (began.elapsed().as_secs_f64(), bar.position());
    bar.finish_and_clear();
    let rate = messages as f64 / seconds.max(1e-9);
    if args.json {
        let rows = rows.len() as u64 * u64::from(args.times.get());
        println!("{}", serde_json::json!({ "broker": broker.to_string(), "messages": messages, "rows": rows, "seconds": seconds }));
    } else {
        match lang() {
            Lang::Zh => println!("{seconds:.1} s 内 {messages} 条消息({rate:.0}/s),broker 已逐条确认"),
            Lang::En => println!("{messages} messages in {seconds:.1} s ({rate:.0}/s), every one acknowledged by the broker"),
        }
    }
    Ok(())
}

/// Sends everything and waits for every PUBACK. The bar stands at what the broker acknowledged, not at what was handed to it.
async fn publish(args: &Args, broker: &BrokerAddress, replay: &Replay, rows: &[Vec<Message>], bar: &ProgressBar) -> anyhow::Result<()> {
    let (client, poll) = connect(broker, bar).context("--mqtt")?;
    let began = Instant::now();
    let span = replay.interval.times(i64::try_from(rows.len())?);
    let mut row_number = 0_i64;
    let mut watch = Watch { acknowledged: 0, since: began };
    'all: for run in 0..args.times.get() {
        for row in rows {
            if let Speed::Times(factor) = args.speed {
                let due = Duration::try_from_secs_f64(replay.interval.times(row_number).as_secs_f64() / factor)?;
                tokio::time::sleep_until((began + due).into()).await;
                watch = Watch { acknowledged: bar.position(), since: Instant::now() };
            }
            row_number += 1;
            for message in row {
                let at = if args.now { crate::clock::Scale::REAL.wall() } else { message.at + span.times(i64::from(run)) };
                let payload = payload(at, message.value, replay.quality);
                // Waits while too many are on their way, so a broker that acknowledges nothing shows here.
                let sending = client.publish(&message.topic, QoS::AtLeastOnce, false, payload);
                if !matches!(tokio::time::timeout(STALLED_AFTER, sending).await, Ok(Ok(()))) || poll.is_finished() {
                    break 'all;
                }
            }
        }
    }
    let total = bar.length().unwrap_or_default();
    while bar.position() < total && !poll.is_finished() && !watch.is_stalled(bar.position()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    if bar.position() >= total {
        let _ = client.disconnect().await;
        // Only politeness: everything is acknowledged.
        let _ = tokio::time::timeout(Duration::from_secs(1), poll).await;
        return Ok(());
    }
    let done = bar.position();
    bar.abandon();
    if poll.is_finished() {
        let reason = poll.await?.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
        let zh = format!("与 {broker} 的连接断了:{reason};broker 确认了 {total} 条中的 {done} 条。broker 在运行吗?用 --mqtt 指定地址");
        let en = format!(
            "connection to {broker}: {reason}; {done} of {total} messages were acknowledged. Is the broker running? Name it with --mqtt"
        );
        bail!("{}", say(&zh, &en));
    }
    let seconds = STALLED_AFTER.as_secs();
    let zh = format!("{broker} 确认了 {total} 条中的 {done} 条,然后 {seconds} s 没有回应");
    let en = format!("{broker} acknowledged {done} of {total} messages and then nothing for {seconds} s");
    bail!("{}", say(&zh, &en))
}

/// Since when the broker has acknowledged nothing more.
struct Watch {
    acknowledged: u64,
    since: Instant,
}

impl Watch {
    fn is_stalled(&mut self, acknowledged: u64) -> bool {
        if acknowledged > self.acknowledged {
            *self = Self { acknowledged, since: Instant::now() };
        }
        self.since.elapsed() > STALLED_AFTER
    }
}

/// Connects. The task that reads only counts; it ends with the first error, because a second connection could not say what the
/// first one delivered.
fn connect(broker: &BrokerAddress, bar: &ProgressBar) -> anyhow::Result<(AsyncClient, JoinHandle<Result<(), rumqttc::ConnectionError>>)> {
    let mut options = broker.client_options(format!("watchfire-publish-{}", std::process::id()))?;
    options.set_keep_alive(Duration::from_secs(5)).set_inflight(IN_FLIGHT_MAX);
    let (client, mut connection) = AsyncClient::new(options, usize::from(IN_FLIGHT_MAX));
    let mut network = connection.network_options();
    network.set_tcp_nodelay(true);
    connection.set_network_options(network);
    let bar = bar.clone();
    let poll = tokio::spawn(async move {
        loop {
            match connection.poll().await? {
                Event::Incoming(Packet::PubAck(_)) => bar.inc(1),
                Event::Outgoing(Outgoing::Disconnect) => return Ok(()),
                _ => {}
            }
        }
    });
    Ok((client, poll))
}

/// A reading in the native format.
fn payload(at: Timestamp, value: f64, quality: Quality) -> Vec<u8> {
    // Milliseconds are what the format has; a source time in microseconds is rounded down.
    serde_json::json!({ "ts": at.as_millis(), "value": value, "quality": quality }).to_string().into_bytes()
}

fn progress(total: u64, quiet: bool) -> ProgressBar {
    if quiet {
        // Counts, but does not show.
        return ProgressBar::with_draw_target(Some(total), indicatif::ProgressDrawTarget::hidden());
    }
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}").expect("a valid template");
    ProgressBar::new(total).with_style(style)
}
