//! Acknowledgements: scoped to one connection, released in order of arrival.
//!
//! A connection's packet ids mean nothing on the next one, where the broker may use the same number for another message. So
//! an ack holds its connection, not only a number, and a closed connection takes no acks. MQTT also wants PUBACKs in the
//! order of the PUBLISHes, while commits may finish in another: a finished ack waits here for the older ones.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Acknowledges one message. Dropped without [`AckHandle::ack`] the message counts as not acknowledged: the connection is given
/// up and made anew, so that the broker sends it again.
#[must_use = "a message whose handle is dropped is sent again"]
pub struct AckHandle(Kind);

enum Kind {
    /// Nothing to acknowledge, or done.
    None,
    /// A client's connection.
    Slot { acks: Arc<InOrder>, number: u64 },
    /// Somebody waits for it: the embedded broker, or a test.
    Waiter(oneshot::Sender<()>),
}

impl AckHandle {
    /// A handle with nothing behind it, for QoS 0.
    pub fn none() -> Self {
        Self(Kind::None)
    }
    /// A handle and the receiver that resolves on [`AckHandle::ack`] and fails when the handle is dropped.
    pub fn waiter() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Kind::Waiter(sender)), receiver)
    }
    /// Says that everything this message caused is durable. Never blocks. On a connection that has ended it does nothing: the
    /// broker sends the message again, and the engine knows it as a duplicate.
    pub fn ack(mut self) {
        match std::mem::replace(&mut self.0, Kind::None) {
            Kind::None => {}
            Kind::Slot { acks, number } => acks.done(number),
            // The receiver is gone with its connection: the gateway will send it again.
            Kind::Waiter(sender) => drop(sender.send(())),
        }
    }
}

impl Drop for AckHandle {
    fn drop(&mut self) {
        if let Kind::Slot { acks, .. } = &self.0 {
            acks.abandon();
        }
    }
}

impl fmt::Debug for AckHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::None => "AckHandle(nothing)",
            Kind::Slot { .. } => "AckHandle(client)",
            Kind::Waiter(_) => "AckHandle(waiter)",
        })
    }
}

/// Writes an ack to the connection's own outgoing queue. Must not block.
pub(crate) trait AckWriter: Send + 'static {
    /// False when the queue did not take it.
    fn write(&self, packet_id: u16, qos: u8) -> bool;
}

/// The messages of one connection that are not acknowledged yet, oldest first.
pub(crate) struct InOrder {
    state: Mutex<State>,
    abandoned: CancellationToken,
}

struct State {
    /// None once the connection has ended.
    writer: Option<Box<dyn AckWriter>>,
    /// Number of the front slot.
    first: u64,
    slots: VecDeque<Slot>,
}

struct Slot {
    packet_id: u16,
    qos: u8,
    done: bool,
}

impl InOrder {
    pub(crate) fn new(writer: impl AckWriter) -> Arc<Self> {
        let state = State { writer: Some(Box::new(writer)), first: 0, slots: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state), abandoned: CancellationToken::new() })
    }
    /// The next message of this connection.
    pub(crate) fn handle(self: &Arc<Self>, packet_id: u16, qos: u8) -> AckHandle {
        if qos == 0 {
            return AckHandle::none();
        }
        let mut state = self.lock();
        let number = state.first + state.slots.len() as u64;
        state.slots.push_back(Slot { packet_id, qos, done: false });
        AckHandle(Kind::Slot { acks: self.clone(), number })
    }
    /// Ends the connection's acks. After this returns none of its handles can write anything anywhere.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.writer = None;
        state.slots.clear();
    }
    /// Resolves when a message was given up: only a new connection brings it back.
    pub(crate) fn abandoned(&self) -> &CancellationToken {
        &self.abandoned
    }
    fn done(&self, number: u64) {
        let mut state = self.lock();
        let State { writer: Some(writer), first, slots } = &mut *state else { return };
        let Some(slot) = number.checked_sub(*first).and_then(|at| slots.get_mut(usize::try_from(at).ok()?)) else { return };
        slot.done = true;
        while let Some(Slot { packet_id, qos, .. }) = slots.pop_front_if(|slot| slot.done) {
            *first += 1;
            if !writer.write(packet_id, qos) {
                self.abandoned.cancel();
            }
        }
    }
    fn abandon(&self) {
        if self.lock().writer.is_some() {
            self.abandoned.cancel();
        }
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and a refused ack would only be a duplicate.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Log(Arc<Mutex<Vec<u16>>>);
    impl AckWriter for Log {
        fn write(&self, packet_id: u16, _: u8) -> bool {
            self.0.lock().unwrap().push(packet_id);
            true
        }
    }
    fn connection() -> (Arc<InOrder>, Arc<Mutex<Vec<u16>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        (InOrder::new(Log(written.clone())), written)
    }

    #[test]
    fn acks_leave_in_the_order_of_arrival() {
        let (acks, written) = connection();
        let [a, b, c] = [7, 3, 9].map(|id| acks.handle(id, 1));
        c.ack();
        b.ack();
        assert!(written.lock().unwrap().is_empty());
        a.ack();
        assert_eq!(*written.lock().unwrap(), [7, 3, 9]);
    }

    #[test]
    fn a_closed_connection_takes_no_acks() {
        let (acks, written) = connection();
        let late = acks.handle(1, 1);
        acks.close();
        late.ack();
        assert!(written.lock().unwrap().is_empty());
        assert!(!acks.abandoned().is_cancelled());
    }

    #[test]
    fn a_dropped_handle_gives_the_connection_up() {
        let (acks, written) = connection();
        let (lost, kept) = (acks.handle(1, 1), acks.handle(2, 1));
        drop(lost);
        kept.ack();
        assert!(acks.abandoned().is_cancelled());
        assert!(written.lock().unwrap().is_empty(), "nothing younger than the lost message is acknowledged");
    }

    #[test]
    fn qos_0_has_nothing_to_acknowledge() {
        let (acks, written) = connection();
        drop(acks.handle(0, 0));
        let kept = acks.handle(2, 1);
        kept.ack();
        assert!(!acks.abandoned().is_cancelled());
        assert_eq!(*written.lock().unwrap(), [2]);
    }
}
