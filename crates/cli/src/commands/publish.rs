//! `watchfire publish`: replays a recorded file to any broker.
//!
//! QoS 1, and done only when every message has its PUBACK: a replay that says it is complete was taken by the broker whole.

use anyhow::{Context, bail};
use config::{ColumnRef, Format, Replay};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Duration, TagId, Timestamp};
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Messages on their way without a PUBACK.
const IN_FLIGHT_MAX: u16 = 500;
/// No PUBACK and no progress for this long ends the replay with an error.
const STALLED_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// Arguments of `watchfire publish`.
#[derive(clap::Args, Debug)]
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
    #[arg(long, default_value_t = 1, value_name = "N")]
    times: u32,
    /// Rewrite every source time to the time of sending
    #[arg(long)]
    now: bool,
    /// Only the first N rows of the file
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
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
            Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Speed::Times(factor)),
            _ => Err(format!("`{number}` is neither `real`, `max` nor a number above 0")),
        },
    }
}

/// One message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Source time.
    pub at: Timestamp,
    /// MQTT topic.
    pub topic: String,
    /// Value in the tag's unit.
    pub value: f64,
}

/// Reads a recorded file by its mapping. The error names file and line.
pub fn read(file: &Path, replay: &Replay, rows_max: Option<usize>) -> anyhow::Result<Vec<Vec<Message>>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut rows = Vec::new();
    let mut head: Option<Vec<String>> = None;
    for (line, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let cells: Vec<&str> = match &replay.format {
            Format::Whitespace => text.split_whitespace().collect(),
            Format::Csv { delimiter, .. } => text.split(char::from(*delimiter)).map(str::trim).collect(),
        };
        if matches!(replay.format, Format::Csv { header: true, .. }) && head.is_none() {
            head = Some(cells.iter().map(|cell| (*cell).to_owned()).collect());
            continue;
        }
        if rows_max.is_some_and(|max| rows.len() >= max) {
            break;
        }
        let at = replay.start + replay.interval.times(i64::try_from(rows.len())?);
        let mut row = Vec::with_capacity(replay.columns.len());
        for column in &replay.columns {
            let index = match &column.column {
                ColumnRef::Number(number) => number - 1,
                ColumnRef::Name(name) => head
                    .iter()
                    .flatten()
                    .position(|cell| cell == name)
                    .with_context(|| format!("{}: the head line has no column `{name}`", file.display()))?,
            };
            let Some(cell) = cells.get(index) else {
                bail!("{}:{}: no column {} in this row of {} columns", file.display(), line + 1, index + 1, cells.len());
            };
            let value: f64 =
                cell.parse().with_context(|| format!("{}:{}: `{cell}` in column {} is no number", file.display(), line + 1, index + 1))?;
            row.push(Message {
                at,
                topic: ingest::topic::of_tag(&TagId::new(replay.enterprise.clone(), &column.tag)),
                value: value * column.scale + column.offset,
            });
        }
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("{} holds no rows", file.display());
    }
    Ok(rows)
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let replay = config::load_replay(&args.map).map_err(|faults| anyhow::anyhow!("{}", faults.render(crate::lang::lang(), false)))?;
    let rows = read(&args.file, &replay, args.rows)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(publish(args, &replay, &rows))?;
    if args.json {
        println!("{}", serde_json::json!({ "messages": sent.messages, "rows": rows.len() * args.times as usize, "seconds": sent.seconds }));
    } else {
        println!(
            "{} messages in {:.1} s ({:.0}/s), every one acknowledged by the broker",
            sent.messages,
            sent.seconds,
            sent.messages as f64 / sent.seconds.max(1e-9)
        );
    }
    Ok(())
}

struct Sent {
    messages: u64,
    seconds: f64,
}

async fn publish(args: &Args, replay: &Replay, rows: &[Vec<Message>]) -> anyhow::Result<Sent> {
    let mut options = MqttOptions::parse_url(format!("{}?client_id=watchfire-publish-{}", args.mqtt, std::process::id()))
        .with_context(|| format!("`{}` is no broker address; write mqtt://host:port", args.mqtt))?;
    options.set_keep_alive(std::time::Duration::from_secs(5)).set_inflight(IN_FLIGHT_MAX);
    let (client, mut connection) = AsyncClient::new(options, usize::from(IN_FLIGHT_MAX));
    let mut network = connection.network_options();
    network.set_tcp_nodelay(true);
    connection.set_network_options(network);

    let acknowledged = Arc::new(AtomicU64::new(0));
    let counter = acknowledged.clone();
    let broker = args.mqtt.clone();
    // The poll task only counts; it ends with the first error, because a second connection could not say what the first one delivered.
    let poll = tokio::spawn(async move {
        loop {
            match connection.poll().await {
                Ok(Event::Incoming(Packet::PubAck(_))) => {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(anyhow::anyhow!("connection to {broker}: {error}")),
            }
        }
    });

    let total: u64 = rows.iter().map(|row| row.len() as u64).sum::<u64>() * u64::from(args.times);
    let bar = progress(total, args.json);
    let began = Instant::now();
    let mut sent = 0_u64;
    let span = replay.interval.times(i64::try_from(rows.len())?);
    let mut row_number = 0_i64;
    'all: for run in 0..args.times {
        for row in rows {
            if let Speed::Times(factor) = args.speed {
                let due = replay.interval.times(row_number).as_secs_f64() / factor;
                tokio::time::sleep_until((began + std::time::Duration::from_secs_f64(due)).into()).await;
            }
            row_number += 1;
            for message in row {
                let at = if args.now { crate::clock::Scale::REAL.wall() } else { message.at + span.times(i64::from(run)) };
                let payload = payload(at, message.value);
                if client.publish(&message.topic, QoS::AtLeastOnce, false, payload).await.is_err() || poll.is_finished() {
                    break 'all;
                }
                sent += 1;
                bar.set_position(acknowledged.load(Ordering::Relaxed));
            }
        }
    }
    let mut last = (acknowledged.load(Ordering::Relaxed), Instant::now());
    while acknowledged.load(Ordering::Relaxed) < total && !poll.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let now = acknowledged.load(Ordering::Relaxed);
        bar.set_position(now);
        if now > last.0 {
            last = (now, Instant::now());
        } else if last.1.elapsed() > STALLED_AFTER {
            bail!("the broker acknowledged {now} of {sent} messages and then nothing for {} s", STALLED_AFTER.as_secs());
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    if acknowledged.load(Ordering::Relaxed) < total {
        poll.await??;
        bail!("the connection ended early");
    }
    bar.finish_and_clear();
    let _ = client.disconnect().await;
    Ok(Sent { messages: total, seconds })
}

/// A reading in the native format.
pub fn payload(at: Timestamp, value: f64) -> Vec<u8> {
    // Milliseconds are what the format has; a source time in microseconds is rounded down.
    serde_json::json!({ "ts": at.as_millis(), "value": value, "quality": "good" }).to_string().into_bytes()
}

fn progress(total: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}").expect("a valid template");
    ProgressBar::new(total).with_style(style)
}

/// The length of a replay, for tests that compare source times.
pub fn source_time(replay: &Replay, row: usize) -> Timestamp {
    replay.start + Duration(replay.interval.0 * row as i64)
}
