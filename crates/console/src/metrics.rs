//! What the console counts, under `watchfire_http_`.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Counters of one console.
pub(crate) struct Metrics {
    /// Requests by method, route and status.
    pub requests: IntCounterVec,
    /// Logins by result.
    pub logins: IntCounterVec,
    /// Open event streams.
    pub streams: IntGauge,
    /// Streams told to fetch everything again because they were too slow.
    pub resyncs: IntCounter,
}

impl Metrics {
    pub fn new(registry: &Registry) -> Self {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            register(registry, IntCounterVec::new(Opts::new(name, help), labels).expect("a constant name with distinct labels is valid"))
        };
        let gauge = |name: &str, help: &str| register(registry, IntGauge::new(name, help).expect("a constant name is valid"));
        Self {
            requests: counters("watchfire_http_requests_total", "HTTP requests answered", &["method", "route", "status"]),
            logins: counters("watchfire_http_logins_total", "Logins tried, by result", &["result"]),
            streams: gauge("watchfire_http_streams", "Open event streams"),
            resyncs: register(
                registry,
                IntCounter::new("watchfire_http_resyncs_total", "Event streams told to fetch everything again")
                    .expect("a constant name is valid"),
            ),
        }
    }
}

/// A second console on one registry counts for itself only; that is worth a word, not a refusal to show alarms.
fn register<C: prometheus::core::Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    if let Err(error) = registry.register(Box::new(collector.clone())) {
        tracing::warn!(%error, "a metric is not exported");
    }
    collector
}
