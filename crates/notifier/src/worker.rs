//! One channel at work: takes the next from its queue, words it, sends it, says what came of it.

use crate::budget::{Allowance, Spent};
use crate::channel::{ChannelConfig, Driver};
use crate::contacts::Contacts;
use crate::facts::{Facts, MessageFacts};
use crate::notifier::{ChannelStatus, Clock, Reported};
use crate::queue::{Job, Next, Place, Queue};
use crate::webhook::{Body, Outcome, Webhook, key_hash, key_text};
use crate::words::{Setting, Words};
use model::{Attempt, AttemptResult, CaseId, Duration, Level, NotificationKey, Timestamp, plant::ChannelKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Calls under way per channel.
const FLYING_MAX: usize = 32;
/// Of these, so many for every level; the rest is kept for red, so that a gateway that hangs on others takes it at once.
const FLYING_ANY_MAX: usize = 16;
/// Two requests to one callee are at least this far apart: carriers block both otherwise.
const CALLEE_SPACING: std::time::Duration = std::time::Duration::from_secs(1);
/// The longest a gateway may make us wait by `Retry-After` before its recipient's next channel is the better way.
const RETRY_AFTER_MAX: std::time::Duration = std::time::Duration::from_secs(10);
/// How far a wait is stretched or shrunk at random, so that a gateway that comes back is not met by all at once.
const JITTER: std::ops::Range<f64> = 0.8..1.2;

/// What all channels share.
pub(crate) struct Shared {
    pub(crate) contacts: Contacts,
    pub(crate) words: Words,
    pub(crate) demo: bool,
    pub(crate) public_url: Option<String>,
    pub(crate) utc_offset: Duration,
    pub(crate) clock: Clock,
    pub(crate) time_scale: f64,
    pub(crate) facts: Arc<dyn Facts>,
    pub(crate) reports: flume::Sender<Reported>,
}

impl Shared {
    fn scaled(&self, wait: std::time::Duration) -> std::time::Duration {
        wait.div_f64(self.time_scale)
    }
    async fn report(&self, attempt: Attempt) {
        // The receiver lives until every worker has ended.
        let _ = self.reports.send_async(Reported::Attempt(attempt)).await;
    }
}

/// One channel.
pub(crate) struct Channel {
    pub(crate) config: ChannelConfig,
    webhook: Option<Webhook>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    queue: Queue,
    spent: Spent,
    /// Found no room; still to be reported.
    refused: Vec<Job>,
    counts: Counts,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    accepted: u64,
    retried: u64,
    failed: u64,
    over_budget: u64,
    queue_full: u64,
}

/// What is to be done about one job.
enum Step {
    Attempt(Place, Box<Job>),
    Refuse(Box<Job>, &'static str),
    /// It waits now; look for another.
    Again,
    Wait(Option<Instant>),
}

impl Channel {
    /// Checks the channel's configuration.
    pub(crate) fn new(config: ChannelConfig) -> Result<Self, crate::NotifierError> {
        let webhook = match &config.driver {
            Driver::Platform => None,
            Driver::Webhook(webhook) => Some(Webhook::new(&config.id, webhook)?),
        };
        Ok(Self { config, webhook, state: Mutex::default(), changed: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not silence the channel: the queue is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Takes one; never blocks. One that finds no room is reported by the worker.
    pub(crate) fn push(&self, job: Job) {
        let mut state = self.state();
        if let Some(refused) = state.queue.push(job) {
            state.refused.push(refused);
        }
        drop(state);
        self.changed.notify_one();
    }
    /// Nothing more of this case.
    pub(crate) fn supersede(&self, case: &CaseId) {
        self.state().queue.supersede(case);
        self.changed.notify_one();
    }
    /// Counts a call made by an earlier run of the engine.
    pub(crate) fn note_spent(&self, callee: &str, at: Timestamp) {
        self.state().spent.spend(callee, at);
    }
    /// How it does.
    pub(crate) fn status(&self) -> ChannelStatus {
        let state = self.state();
        let (waiting, under_way) = state.queue.load();
        let Counts { accepted, retried, failed, over_budget, queue_full } = state.counts;
        ChannelStatus { id: self.config.id.clone(), waiting, under_way, accepted, retried, failed, over_budget, queue_full }
    }

    /// Works until told to stop; what is under way then still ends.
    pub(crate) async fn run(self: Arc<Self>, shared: Arc<Shared>, stop: CancellationToken) {
        let mut flying: JoinSet<()> = JoinSet::new();
        while !stop.is_cancelled() {
            let step = if flying.len() >= FLYING_MAX { Step::Wait(None) } else { self.step(&shared, flying.len()) };
            match step {
                Step::Attempt(place, job) => {
                    let (channel, shared) = (Arc::clone(&self), Arc::clone(&shared));
                    flying.spawn(async move { channel.attempt(place, *job, &shared).await });
                }
                Step::Again => {}
                Step::Refuse(job, reason) => shared.report(failure(job.notification.key, job.attempts, reason)).await,
                Step::Wait(until) => {
                    let timer = async {
                        match until {
                            Some(until) => tokio::time::sleep_until(until).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = self.changed.notified() => {}
                        () = timer => {}
                        Some(ended) = flying.join_next() => {
                            if let Err(error) = ended {
                                tracing::error!(channel = %self.config.id, %error, "a message's task broke off");
                            }
                        }
                    }
                }
            }
        }
        while flying.join_next().await.is_some() {}
    }

    fn step(&self, shared: &Shared, flying: usize) -> Step {
        let mut state = self.state();
        if let Some(job) = state.refused.pop() {
            state.counts.queue_full += 1;
            return Step::Refuse(Box::new(job), "queue full");
        }
        let least = if flying < FLYING_ANY_MAX { Level::Blue } else { Level::Red };
        match state.queue.next(Instant::now(), shared.scaled(CALLEE_SPACING), least) {
            Next::Wait(until) => Step::Wait(Some(until)),
            Next::Idle => Step::Wait(None),
            Next::Send(place, mut job) => {
                let rings = matches!(self.config.kind, ChannelKind::Sms | ChannelKind::Voice) && self.webhook.is_some();
                if rings && shared.contacts.phone(&job.notification.key.recipient).is_none() {
                    state.queue.done(place);
                    state.counts.failed += 1;
                    return Step::Refuse(job, "no telephone number for this person");
                }
                if let Some(budget) = &self.config.budget {
                    let now = (shared.clock)();
                    match state.spent.allows(budget, &job.callee, job.notification.level, now) {
                        Allowance::Now => {}
                        Allowance::At(free) if job.may_wait(free, now) => {
                            state.queue.done(place);
                            job.not_before = Instant::now() + shared.scaled(free.since(now).to_std());
                            state.queue.again(place, *job);
                            return Step::Again;
                        }
                        Allowance::At(_) | Allowance::Spent => {
                            state.queue.done(place);
                            state.counts.over_budget += 1;
                            return Step::Refuse(job, "budget");
                        }
                    }
                    state.spent.spend(&job.callee, now);
                    job.spent_at = Some(now);
                }
                Step::Attempt(place, job)
            }
        }
    }

    async fn attempt(&self, place: Place, mut job: Job, shared: &Shared) {
        let (words, outcome) = self.send(&job, shared).await;
        job.attempts += 1;
        job.attempts_here += 1;
        let (key, number) = (job.notification.key.clone(), job.attempts);
        let mut wait = None;
        let (result, answer) = {
            let mut state = self.state();
            if let (Outcome::Unreached(_), Some(at)) = (&outcome, job.spent_at) {
                state.spent.refund(&job.callee, at);
            }
            let more = job.attempts_here < self.config.retry.attempts && !state.queue.is_superseded(place);
            match outcome {
                Outcome::Accepted(answer) => {
                    state.counts.accepted += 1;
                    (AttemptResult::Accepted, answer)
                }
                Outcome::Retry(answer, after) if more && after.is_none_or(|after| after <= RETRY_AFTER_MAX) => {
                    state.counts.retried += 1;
                    wait = Some(after.unwrap_or_default());
                    (AttemptResult::Retrying, answer)
                }
                Outcome::Unreached(answer) if more => {
                    state.counts.retried += 1;
                    wait = Some(std::time::Duration::ZERO);
                    (AttemptResult::Retrying, answer)
                }
                Outcome::Retry(answer, _) | Outcome::Unreached(answer) | Outcome::Refused(answer) => {
                    state.counts.failed += 1;
                    (AttemptResult::Failed, answer)
                }
            }
        };
        if result == AttemptResult::Failed {
            tracing::warn!(channel = %self.config.id, %key, number, answer, "message failed on this channel");
        }
        // Reported before the callee is free again: attempts are reported in the order in which they were made.
        shared.report(Attempt { key, number, result, words, answer }).await;
        let mut state = self.state();
        let superseded = state.queue.done(place);
        if let Some(asked) = wait
            && !superseded
        {
            let jitter = JITTER.start + fastrand::f64() * (JITTER.end - JITTER.start);
            let back_off = shared.scaled(self.config.retry.wait(job.attempts_here).mul_f64(jitter));
            // What the gateway asks for is real time, whatever our clock does.
            job.not_before = Instant::now() + back_off.max(asked);
            state.queue.again(place, job);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Words the message with the value of this moment and sends it.
    async fn send(&self, job: &Job, shared: &Shared) -> (String, Outcome) {
        let notification = &job.notification;
        let now = (shared.clock)();
        let facts = shared.facts.facts(notification).unwrap_or_else(|| MessageFacts::bare(notification));
        let setting = Setting { now, utc_offset: shared.utc_offset, demo: shared.demo, public_url: shared.public_url.clone() };
        let (words, message) = shared.words.compose(notification, &facts, &setting, self.config.lang, self.config.form);
        let Some(webhook) = &self.webhook else { return (words, Outcome::Accepted("shown".to_owned())) };
        let phone = shared.contacts.phone(&notification.key.recipient);
        let body = Body {
            text: &words,
            phone: phone.map(crate::Phone::expose).unwrap_or_default(),
            recipient: notification.key.recipient.as_str(),
            key: &key_text(&notification.key),
            key_hash: &key_hash(&notification.key),
            level: notification.level.name(),
            purpose: notification.key.purpose.name(),
            number: &facts.number,
            channel: self.config.id.as_str(),
            kind: kind_name(self.config.kind),
            attempt: job.attempts + 1,
            sent: now.as_millis(),
            demo: shared.demo,
            message: &message,
        };
        let outcome = webhook.call(&body, phone).await;
        (words, outcome)
    }
}

/// A failure without a call, after `made` of them: whoever counts by number counts calls.
pub(crate) fn failure(key: NotificationKey, made: u32, reason: &str) -> Attempt {
    Attempt { key, number: made, result: AttemptResult::Failed, words: String::new(), answer: reason.to_owned() }
}

fn kind_name(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Platform => "platform",
        ChannelKind::App => "app",
        ChannelKind::Sms => "sms",
        ChannelKind::Voice => "voice",
        ChannelKind::Webhook => "webhook",
    }
}
