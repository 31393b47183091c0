//! The notifier as the engine sees it: notifications in, attempts out.

use crate::NotifierError;
use crate::channel::ChannelConfig;
use crate::contacts::Contacts;
use crate::facts::Facts;
use crate::queue::Job;
use crate::words::{Templates, Words};
use crate::worker::{Channel, Shared, failure};
use model::{Attempt, AttemptResult, CaseId, ChannelId, Duration, Notification, NotificationKey, PersonId, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The engine's `now`.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Takes every attempt, on a thread of the notifier's own: it may block while the engine's queue is full.
pub type Report = Arc<dyn Fn(Attempt) + Send + Sync>;

/// Attempts waiting to be reported; workers wait while it is full.
const REPORTS_MAX: usize = 8_192;
/// What goes to the reporting thread.
pub(crate) enum Reported {
    /// For the engine.
    Attempt(Attempt),
    /// Everything before this has been reported once it is answered.
    Flush(tokio::sync::oneshot::Sender<()>),
}

/// What stopping waits for calls under way; each has a limit of its own well below.
const STOP_WAIT: std::time::Duration = std::time::Duration::from_secs(20);

/// What the notifier needs to know.
pub struct NotifierConfig {
    /// Its channels.
    pub channels: Vec<ChannelConfig>,
    /// Who is reached at which number.
    pub contacts: Contacts,
    /// Message templates that replace built-in ones.
    pub templates: Templates,
    /// 【演示】 comes first in every message.
    pub demo: bool,
    /// Where the pages are reached from outside, such as `https://fire.example.gov.cn`; none means messages without a link.
    pub public_url: Option<String>,
    /// Civil time is UTC plus this.
    pub utc_offset: Duration,
    /// The engine's `now`.
    pub clock: Clock,
    /// How many times faster than the wall the clock runs (a demonstration's); 1 in a plant. Waits are divided by it, limits of
    /// calls are not: networks do not run faster.
    pub time_scale: f64,
}

impl NotifierConfig {
    /// Only the page, Chinese civil time, the wall clock's pace.
    pub fn new(clock: Clock) -> Self {
        Self {
            channels: vec![ChannelConfig::platform("platform", crate::Lang::Zh)],
            contacts: Contacts::default(),
            templates: Templates::default(),
            demo: false,
            public_url: None,
            utc_offset: Duration::from_secs(8 * 3600),
            clock,
            time_scale: 1.0,
        }
    }
}

/// How one channel does, for metrics and the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStatus {
    /// Which.
    pub id: ChannelId,
    /// Messages waiting.
    pub waiting: usize,
    /// Calls under way.
    pub under_way: usize,
    /// Messages taken by the gateway.
    pub accepted: u64,
    /// Attempts that failed and were to be made again.
    pub retried: u64,
    /// Messages given up on this channel.
    pub failed: u64,
    /// Messages passed on because the callee's budget was spent.
    pub over_budget: u64,
    /// Messages passed on because the queue was full.
    pub queue_full: u64,
}

/// Sends what the engine committed. A clone is the same notifier.
#[derive(Clone)]
pub struct Notifier {
    inner: Arc<Inner>,
}

struct Inner {
    channels: BTreeMap<ChannelId, Arc<Channel>>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    runtime: tokio::runtime::Handle,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Notifier {
    /// Checks channels and templates and begins to work on the tokio runtime it is called in (it panics outside of one).
    pub fn start(config: NotifierConfig, facts: Arc<dyn Facts>, report: Report) -> Result<Self, NotifierError> {
        let (reports, reported) = flume::bounded::<Reported>(REPORTS_MAX);
        let shared = Arc::new(Shared {
            contacts: config.contacts,
            words: Words::new(&config.templates)?,
            demo: config.demo,
            public_url: config.public_url,
            utc_offset: config.utc_offset,
            clock: config.clock,
            time_scale: if config.time_scale.is_finite() && config.time_scale > 0.0 { config.time_scale } else { 1.0 },
            facts,
            reports,
        });
        let mut channels = BTreeMap::new();
        for config in config.channels {
            let id = config.id.clone();
            if channels.insert(id.clone(), Arc::new(Channel::new(config)?)).is_some() {
                return Err(NotifierError::Channel { channel: id, reason: "configured twice".to_owned() });
            }
        }
        // A thread of its own: the engine's queue may be full, and a blocked report must hold up neither calls nor timers.
        std::thread::Builder::new().name("notifier-reports".to_owned()).spawn(move || {
            for reported in reported {
                match reported {
                    Reported::Attempt(attempt) => report(attempt),
                    // Nobody waits any more: nothing is lost by that.
                    Reported::Flush(done) => drop(done.send(())),
                }
            }
        })?;
        let stop = CancellationToken::new();
        let workers = channels.values().map(|channel| tokio::spawn(Arc::clone(channel).run(Arc::clone(&shared), stop.clone()))).collect();
        Ok(Self {
            inner: Arc::new(Inner { channels, shared, stop, runtime: tokio::runtime::Handle::current(), workers: Mutex::new(workers) }),
        })
    }

    /// Takes a committed notification; never blocks. `attempts_so_far` are those the journal knows of, so that numbers go on
    /// where they ended. The same key is taken again only after its last attempt was reported.
    pub fn send(&self, notification: Notification, attempts_so_far: u32) {
        let key = &notification.key;
        let Some(channel) = self.inner.channels.get(&key.channel) else {
            tracing::error!(channel = %key.channel, "no such channel");
            let attempt = failure(key.clone(), attempts_so_far, "no such channel");
            let reports = self.inner.shared.reports.clone();
            self.inner.runtime.spawn(async move {
                // The receiver lives as long as any sender.
                let _ = reports.send_async(Reported::Attempt(attempt)).await;
            });
            return;
        };
        let callee = self.callee(&key.recipient);
        channel.push(Job {
            notification,
            attempts: attempts_so_far,
            attempts_here: 0,
            callee,
            not_before: Instant::now(),
            spent_at: None,
            waits_until: None,
        });
    }

    /// Forgets what has not been sent of this case; what is under way is its last attempt. Later notifications of it are sent.
    pub fn supersede(&self, case: &CaseId) {
        for channel in self.inner.channels.values() {
            channel.supersede(case);
        }
    }

    /// Takes a receipt: the person got it, or the channel says they never will. False where it could not be taken; the gateway
    /// should send it again.
    pub fn receipt(&self, key: NotificationKey, delivered: bool) -> bool {
        let (result, answer) =
            if delivered { (AttemptResult::Delivered, "receipt") } else { (AttemptResult::Failed, "receipt: not delivered") };
        self.try_report(Attempt { key, number: 1, result, words: String::new(), answer: answer.to_owned() })
    }

    /// Tells at boot of a call an earlier run made, so that budgets outlive a restart. Only the last 24 hours matter.
    pub fn note_spent(&self, channel: &ChannelId, recipient: &PersonId, at: Timestamp) {
        if let Some(channel) = self.inner.channels.get(channel) {
            channel.note_spent(&self.callee(recipient), at);
        }
    }

    /// How each channel does, by id.
    pub fn status(&self) -> Vec<ChannelStatus> {
        self.inner.channels.values().map(|channel| channel.status()).collect()
    }

    /// Ends what is under way and reports it; what only waits is the engine's to hand over at the next start. Reports must still
    /// be taken meanwhile.
    pub async fn stop(self) {
        self.inner.stop.cancel();
        let workers = std::mem::take(&mut *self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async {
            for worker in workers {
                let _ = worker.await;
            }
            let (done, flushed) = tokio::sync::oneshot::channel();
            if self.inner.shared.reports.send_async(Reported::Flush(done)).await.is_ok() {
                let _ = flushed.await;
            }
        };
        if tokio::time::timeout(STOP_WAIT, ended).await.is_err() {
            tracing::warn!("calls were still under way when the notifier stopped");
        }
    }

    fn callee(&self, recipient: &PersonId) -> String {
        // Two people behind one number share its budget, because the carrier counts numbers.
        self.inner.shared.contacts.phone(recipient).map_or_else(|| recipient.to_string(), |phone| phone.expose().to_owned())
    }
    fn try_report(&self, attempt: Attempt) -> bool {
        self.inner.shared.reports.try_send(Reported::Attempt(attempt)).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use model::*;

    /// An orange high-high of the standard's own example, announced to `recipient` on `channel`.
    pub(crate) fn notification(case: &str, recipient: &str, channel: &str) -> Notification {
        Notification {
            key: NotificationKey {
                case: case.into(),
                announcement: format!("high-high@xx/LIA-101!{case}/0"),
                tier: Tier::ENTERPRISE,
                purpose: Purpose::Announce,
                recipient: recipient.into(),
                channel: channel.into(),
                repeat: 0,
            },
            level: Level::Orange,
            alarm: AlarmId { tag: TagId::new("xx", "LIA-101"), condition: Condition::HighHigh },
            setpoint: Some(90.0),
            value: Some(90.6),
            // 2024-11-24 14:05:12 in China
            raised_at: Timestamp::from_secs(1_732_428_312),
            sign_by: Timestamp::from_secs(1_732_428_612),
            late: false,
            delayed_by_outage: false,
            audience: Default::default(),
            change: None,
            at: Timestamp::from_secs(1_732_428_312),
        }
    }
}
