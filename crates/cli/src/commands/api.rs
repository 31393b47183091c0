//! The engine as the console sees it: acts go into its queue, answers come back after the commit.

use crate::allowed::Allowed;
use crate::engine::EngineInput;
use crate::metrics::Metrics;
use console::{ActFuture, Engine, EngineBusy, LiveView, Readiness};
use model::{Act, Actor, Case};
use std::sync::Arc;

/// A handle on the engine's queue.
pub struct EngineApi {
    queue: flume::Sender<EngineInput>,
    view: Arc<LiveView>,
    allowed: Arc<Allowed>,
    metrics: Arc<Metrics>,
}

impl EngineApi {
    /// Over the engine's queue and what it shows.
    pub fn new(queue: flume::Sender<EngineInput>, view: Arc<LiveView>, allowed: Arc<Allowed>, metrics: Arc<Metrics>) -> Self {
        Self { queue, view, allowed, metrics }
    }
}

impl Engine for EngineApi {
    fn act(&self, act: Act) -> ActFuture<'_> {
        Box::pin(async move {
            let (reply, answer) = tokio::sync::oneshot::channel();
            self.queue.send_async(EngineInput::Act { act, reply }).await.map_err(|_| EngineBusy)?;
            answer.await.map_err(|_| EngineBusy)
        })
    }
    fn may(&self, case: &Case, actor: &Actor) -> Vec<String> {
        self.allowed.of(case, actor)
    }
    fn ready(&self) -> Readiness {
        let mut reasons = Vec::new();
        if self.queue.is_disconnected() {
            reasons.push("the engine has stopped".to_owned());
        }
        if self.metrics.commits_failing.get() != 0 {
            reasons.push("the store does not take commits".to_owned());
        }
        if self.metrics.link_up.get() == 0 {
            let down: Vec<String> = self.view.links().into_iter().filter(|(_, up, _)| !up).map(|(source, ..)| source).collect();
            reasons.push(format!("not subscribed{}{}", if down.is_empty() { "" } else { ": " }, down.join(", ")));
        }
        Readiness { ready: reasons.is_empty(), reasons }
    }
}
