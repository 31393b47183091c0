//! The way from a source into the engine's queue, with back-pressure that never stops a keep-alive.
//!
//! The engine reads one bounded queue. A task that polls an MQTT client must not wait for it: while it waits no ping is
//! answered and the broker hangs up. So a poll task puts what the engine cannot take yet into a hand-off of its own, and
//! back-pressure reaches the broker as acks that do not come.

use crate::SourceEvent;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// The engine's queue as a source sees it. Cheap to clone.
#[derive(Clone)]
pub struct Sink(Arc<dyn Deliver>);

impl Sink {
    /// Feeds `queue`, whose own input type `convert` makes from an event.
    pub fn new<T: Send + 'static>(queue: flume::Sender<T>, convert: impl Fn(SourceEvent) -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(Queue { queue, convert }))
    }
    /// Hands an event over at once, or says how to wait for room.
    pub(crate) fn offer(&self, event: SourceEvent) -> Offer {
        self.0.offer(event)
    }
    /// Hands an event over, waiting for room; false when the engine is gone.
    pub(crate) async fn send(&self, event: SourceEvent) -> bool {
        match self.offer(event) {
            Offer::Taken => true,
            Offer::Full(waiting) => waiting.await,
            Offer::Gone => false,
        }
    }
}

/// Resolves to false when the engine is gone.
type Waiting = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The answer to [`Sink::offer`].
pub(crate) enum Offer {
    /// The engine has it.
    Taken,
    /// The queue is full; the event is in the future.
    Full(Waiting),
    /// The engine is gone.
    Gone,
}

trait Deliver: Send + Sync {
    fn offer(&self, event: SourceEvent) -> Offer;
}

struct Queue<T, F> {
    queue: flume::Sender<T>,
    convert: F,
}

impl<T: Send + 'static, F: Fn(SourceEvent) -> T + Send + Sync> Deliver for Queue<T, F> {
    fn offer(&self, event: SourceEvent) -> Offer {
        match self.queue.try_send((self.convert)(event)) {
            Ok(()) => Offer::Taken,
            Err(flume::TrySendError::Full(input)) => {
                let sending = self.queue.clone().into_send_async(input);
                Offer::Full(Box::pin(async move { sending.await.is_ok() }))
            }
            Err(flume::TrySendError::Disconnected(_)) => Offer::Gone,
        }
    }
}

/// Events that may wait between one source and the engine. There are only 65,535 packet ids, so a broker's unacknowledged
/// messages always fit and the poll task waits here only in a flood of QoS 0 or of huge messages.
const HANDOFF_EVENTS_MAX: usize = 65_536;
/// Bytes that may wait there.
const HANDOFF_BYTES_MAX: usize = 64 << 20;
/// What a waiting event weighs beside its topic and payload.
const EVENT_BYTES: usize = 256;

/// One source's events on their way to the engine, in order. Pushed by one task only.
pub(crate) struct Handoff {
    sink: Sink,
    queue: flume::Sender<(Held, u32)>,
    /// Events in `queue` or in the forwarder's hand.
    held: Arc<AtomicUsize>,
    room: Arc<Semaphore>,
}

enum Held {
    Event(SourceEvent),
    Sending(Waiting),
}

impl Handoff {
    /// Spawns the forwarder on the current runtime; it ends when this is dropped and everything was handed over, or when the
    /// engine is gone.
    pub(crate) fn new(sink: Sink) -> Self {
        let (queue, held_events) = flume::bounded::<(Held, u32)>(HANDOFF_EVENTS_MAX);
        let held = Arc::new(AtomicUsize::new(0));
        let room = Arc::new(Semaphore::new(HANDOFF_BYTES_MAX));
        let forwarder = (sink.clone(), held.clone(), room.clone());
        tokio::spawn(async move {
            let (sink, held, room) = forwarder;
            while let Ok((event, weight)) = held_events.recv_async().await {
                let taken = match event {
                    Held::Event(event) => sink.send(event).await,
                    Held::Sending(waiting) => waiting.await,
                };
                if !taken {
                    room.close();
                    return;
                }
                held.fetch_sub(1, Ordering::Release);
                room.add_permits(weight as usize);
            }
        });
        Self { sink, queue, held, room }
    }
    /// Passes an event on: straight to the engine while nothing older waits, so that a quiet plant pays no extra wake-up.
    /// False when the engine is gone.
    pub(crate) async fn push(&self, event: SourceEvent) -> bool {
        let weight = weight(&event);
        let event = if self.held.load(Ordering::Acquire) == 0 {
            match self.sink.offer(event) {
                Offer::Taken => return true,
                Offer::Gone => return false,
                Offer::Full(waiting) => Held::Sending(waiting),
            }
        } else {
            Held::Event(event)
        };
        match self.room.acquire_many(weight).await {
            Ok(permit) => permit.forget(),
            Err(_) => return false,
        }
        self.held.fetch_add(1, Ordering::Release);
        self.queue.send_async((event, weight)).await.is_ok()
    }
}

fn weight(event: &SourceEvent) -> u32 {
    let bytes = match event {
        SourceEvent::Message(item) => item.payload.len() + item.topic.len() + EVENT_BYTES,
        SourceEvent::Up { .. } | SourceEvent::Down { .. } => EVENT_BYTES,
    };
    // One message never asks for more room than there is.
    bytes.min(HANDOFF_BYTES_MAX) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceId;

    #[tokio::test]
    async fn events_keep_their_order_when_the_engine_is_slow_and_the_pusher_never_waits_for_it() {
        let (queue, engine) = flume::bounded(2);
        let handoff = Handoff::new(Sink::new(queue, |event| event));
        let pushed = async {
            for at in 0..1_000 {
                assert!(handoff.push(SourceEvent::Down { source: SourceId(0), reason: at.to_string() }).await);
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), pushed).await.expect("pushing waits for no reader");
        drop(handoff);
        let mut next = 0;
        while let Ok(SourceEvent::Down { reason, .. }) = engine.recv_async().await {
            assert_eq!(reason, next.to_string());
            next += 1;
        }
        assert_eq!(next, 1_000);
    }

    #[tokio::test]
    async fn a_pusher_learns_that_the_engine_is_gone() {
        let (queue, engine) = flume::bounded::<SourceEvent>(1);
        let handoff = Handoff::new(Sink::new(queue, |event| event));
        drop(engine);
        assert!(!handoff.push(SourceEvent::Up { source: SourceId(0), session_present: false }).await);
    }
}
