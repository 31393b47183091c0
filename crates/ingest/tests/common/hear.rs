//! An engine that only listens.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and may panic where its helpers do")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use watchfire_ingest::{Clock, Item, Sink, SourceEvent};

/// Longer than anything here takes on a busy machine; only a failing test waits this long.
pub const LONG: Duration = Duration::from_secs(30);

pub struct Engine {
    events: flume::Receiver<SourceEvent>,
    /// Messages passed over in search of something else: letting go of them would ask the broker for them again.
    passed: Mutex<VecDeque<Item>>,
}

pub fn engine() -> (Sink, Engine) {
    let (queue, events) = flume::bounded(16_384);
    (Sink::new(queue, |event| event), Engine { events, passed: Mutex::default() })
}

pub fn clock() -> Clock {
    Arc::new(|| super::RECEIVED)
}

impl Engine {
    pub async fn next(&self) -> SourceEvent {
        tokio::time::timeout(LONG, self.events.recv_async()).await.expect("something happens").expect("the source lives")
    }
    async fn find(&self, wanted: impl Fn(&SourceEvent) -> bool) -> SourceEvent {
        let search = async {
            loop {
                match self.next().await {
                    event if wanted(&event) => return event,
                    SourceEvent::Message(item) => self.passed.lock().unwrap().push_back(item),
                    SourceEvent::Up { .. } | SourceEvent::Down { .. } => {}
                }
            }
        };
        tokio::time::timeout(LONG, search).await.expect("what is waited for comes")
    }
    /// The next message.
    pub async fn message(&self) -> Item {
        let passed = self.passed.lock().unwrap().pop_front();
        match passed {
            Some(item) => item,
            None => match self.find(|event| matches!(event, SourceEvent::Message(_))).await {
                SourceEvent::Message(item) => item,
                other => unreachable!("{other:?}"),
            },
        }
    }
    /// Waits for `Up`; whether the session was kept.
    pub async fn up(&self) -> bool {
        match self.find(|event| matches!(event, SourceEvent::Up { .. })).await {
            SourceEvent::Up { session_present, .. } => session_present,
            other => unreachable!("{other:?}"),
        }
    }
    /// Waits for `Down`; the reason told.
    pub async fn down(&self) -> String {
        match self.find(|event| matches!(event, SourceEvent::Down { .. })).await {
            SourceEvent::Down { reason, .. } => reason,
            other => unreachable!("{other:?}"),
        }
    }
    /// Whether nothing waits to be read.
    pub fn is_idle(&self) -> bool {
        self.events.is_empty() && self.passed.lock().unwrap().is_empty()
    }
}
