//! An engine that only listens.
#![allow(dead_code)]

use std::sync::Arc;
use std::time::Duration;
use watchfire_ingest::{Clock, Item, Sink, SourceEvent};

/// Longer than anything here takes on a busy machine; only a failing test waits this long.
pub const LONG: Duration = Duration::from_secs(30);

pub struct Engine(flume::Receiver<SourceEvent>);

pub fn engine() -> (Sink, Engine) {
    let (queue, events) = flume::bounded(16_384);
    (Sink::new(queue, |event| event), Engine(events))
}

pub fn clock() -> Clock {
    Arc::new(|| super::RECEIVED)
}

impl Engine {
    pub async fn next(&self) -> SourceEvent {
        tokio::time::timeout(LONG, self.0.recv_async()).await.expect("something happens").expect("the source lives")
    }
    /// The next message; other events on the way are skipped.
    pub async fn message(&self) -> Item {
        loop {
            if let SourceEvent::Message(item) = self.next().await {
                return item;
            }
        }
    }
    /// Waits for `Up`, skipping others.
    pub async fn up(&self) -> bool {
        loop {
            if let SourceEvent::Up { session_present, .. } = self.next().await {
                return session_present;
            }
        }
    }
    /// Waits for `Down`, skipping others.
    pub async fn down(&self) -> String {
        loop {
            if let SourceEvent::Down { reason, .. } = self.next().await {
                return reason;
            }
        }
    }
    /// Whether nothing waits to be read.
    pub fn is_idle(&self) -> bool {
        self.0.is_empty()
    }
}
