//! Counters the engine keeps, resolved once so that the hot path only adds.

use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// What every metric's name begins with.
const PREFIX: &str = "watchfire_";

/// All of the engine's metrics, prefix `watchfire_`.
pub struct Metrics {
    /// The registry that `/metrics` shows.
    pub registry: Registry,
    /// Messages received from brokers.
    pub messages: IntCounter,
    /// Messages of QoS 0, which nobody can redeliver.
    pub qos0: IntCounter,
    /// Readings evaluated.
    pub readings: IntCounter,
    /// Alarm transitions by condition and change.
    pub transitions: IntCounterVec,
    /// Human acts by kind.
    pub acts: IntCounterVec,
    /// Attempts to send by channel and result.
    pub attempts: IntCounterVec,
    /// Quarantined payloads by reason.
    pub quarantined: IntCounterVec,
    /// Durable commits.
    pub commits: IntCounter,
    /// Tries of a commit that failed and were repeated.
    pub commit_retries: IntCounter,
    /// Length of a commit in seconds.
    pub commit_seconds: Histogram,
    /// Identities that came twice with different content.
    pub key_conflicts: IntCounter,
    /// Open cases found without a next action.
    pub audit_violations: IntCounter,
    /// Readings that the history lost.
    pub history_lost: IntCounter,
    /// 1 while commits fail: nothing is acknowledged then.
    pub commits_failing: IntGauge,
    /// Commits that are durable and not yet in the database.
    pub store_behind: IntGauge,
    /// 1 while rows of the journal past their retention cannot be deleted.
    pub journal_uncut: IntGauge,
    /// 1 while at least one source is subscribed.
    pub link_up: IntGauge,
    /// How long the last change of configuration held readings back, in seconds.
    pub reload_seconds: Gauge,
}

impl Metrics {
    /// Registers everything.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(format!("{PREFIX}{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let family = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let family = IntCounterVec::new(Opts::new(format!("{PREFIX}{name}"), help), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok(family)
        };
        let commit_seconds = Histogram::with_opts(
            HistogramOpts::new(format!("{PREFIX}commit_seconds"), "Length of a durable commit")
                .buckets(prometheus::exponential_buckets(50e-6, 2.0, 16)?),
        )?;
        registry.register(Box::new(commit_seconds.clone()))?;
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(format!("{PREFIX}{name}"), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let reload_seconds = Gauge::new(format!("{PREFIX}reload_seconds"), "How long the last change of configuration held readings back")?;
        registry.register(Box::new(reload_seconds.clone()))?;
        Ok(Self {
            messages: counter("messages_total", "Messages received from brokers")?,
            qos0: counter("qos0_messages_total", "Messages that nobody can redeliver")?,
            readings: counter("readings_total", "Readings evaluated")?,
            transitions: family("transitions_total", "Alarm transitions", &["condition", "change"])?,
            acts: family("acts_total", "Human acts", &["act"])?,
            attempts: family("attempts_total", "Attempts to send", &["channel", "result"])?,
            quarantined: family("quarantined_total", "Payloads in quarantine", &["reason"])?,
            commits: counter("commits_total", "Durable commits")?,
            commit_retries: counter("commit_retries_total", "Failed tries of a commit")?,
            key_conflicts: counter("key_conflicts_total", "Identities that came twice with different content")?,
            audit_violations: counter("audit_violations_total", "Open cases without a next action")?,
            history_lost: counter("history_lost_total", "Readings that the history lost")?,
            commit_seconds,
            commits_failing: gauge("store_failing", "1 while commits fail: nothing is acknowledged then")?,
            store_behind: gauge("store_behind", "Commits that are durable and not yet in the database")?,
            journal_uncut: gauge("journal_uncut", "1 while rows of the journal past their retention cannot be deleted")?,
            link_up: gauge("link_up", "1 while at least one source is subscribed")?,
            reload_seconds,
            registry,
        })
    }
}
