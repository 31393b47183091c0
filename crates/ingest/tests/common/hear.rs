//! An engine that only listens.
#![allow(dead_code)]

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
    async fn find<T>(&self, wanted: impl Fn(SourceEvent) -> Result<T, SourceEvent>) -> T {
        let search = async {
            loop {
                match wanted(self.next().await) {
                    Ok(found) => return found,
                    Err(SourceEvent::Message(item)) => self.passed.lock().unwrap().push_back(item),
                    Err(_) => {}
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
            None => {
                self.find(|event| match event {
                    SourceEvent::Message(item) => Ok(item),
                    other => Err(other),
                })
                .await
            }
        }
    }
    /// Waits for `Up`.
    pub async fn up(&self) -> bool {
        self.find(|event| match event {
            SourceEvent::Up { session_present, .. } => Ok(session_present),
            other => Err(other),
        })
        .await
    }
    /// Waits for `Down`.
    pub async fn down(&self) -> String {
        self.find(|event| match event {
            SourceEvent::Down { reason, .. } => Ok(reason),
            other => Err(other),
        })
        .await
    }
    /// Whether nothing waits to be read.
    pub fn is_idle(&self) -> bool {
        self.events.is_empty() && self.passed.lock().unwrap().is_empty()
    }
}
