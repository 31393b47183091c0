//! What a source hands to the engine.

use crate::{AckHandle, Sink};
use bytes::Bytes;
use model::{BodyId, Timestamp};
use std::fmt;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Gives the receive time of a message. The engine's clock, so that receive times and `now` agree.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Which source: a small number the engine uses as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u8);

/// A way in for messages. One implementation per kind of broker; the engine sees only [`SourceEvent`]s.
pub trait Source: Send {
    /// Its number.
    fn id(&self) -> SourceId;
    /// Its name in logs, metrics and system alarms; holds no password.
    fn name(&self) -> &str;
    /// Runs it on the current tokio runtime until `shutdown`. It reconnects by itself for as long as it runs; the handle ends
    /// once the last acks have been written out, or at the latest after [`crate::Timing::farewell`].
    fn start(self: Box<Self>, sink: Sink, shutdown: CancellationToken) -> JoinHandle<()>;
}

/// What happens at a source, in order.
#[derive(Debug)]
pub enum SourceEvent {
    /// The broker has granted every subscription at QoS 1 or better: from here on silence is the gateways', not ours.
    Up {
        /// Which source.
        source: SourceId,
        /// Whether the broker kept our session, and so the messages of the time we were away.
        session_present: bool,
    },
    /// We are blind on this source. Sent when a connection ends, and again only when the reason changes.
    Down {
        /// Which source.
        source: SourceId,
        /// Why, for the operator; holds no password.
        reason: String,
    },
    /// A message.
    Message(Item),
}

/// One message as it came.
#[derive(Debug)]
pub struct Item {
    /// From which source.
    pub source: SourceId,
    /// The topic's bytes; not always UTF-8.
    pub topic: Bytes,
    /// The payload.
    pub payload: Bytes,
    /// When we received it.
    pub received: Timestamp,
    /// At which quality of service. A QoS 0 message cannot be redelivered and has nothing to acknowledge.
    pub qos: u8,
    /// The broker had it in store: an old value sent to a new subscriber, not a fresh reading.
    pub retained: bool,
    /// The sender marked it as a repeat (MQTT DUP).
    pub duplicate: bool,
    /// Who published it, where the source knows (the embedded broker does).
    pub publisher: Option<Publisher>,
    /// The publisher had no right to this topic: a gateway spoke for another enterprise, or for the engine. To be quarantined,
    /// never evaluated.
    pub forged: bool,
    /// To be called once the message's effects are durable.
    pub ack: AckHandle,
}

/// An authenticated gateway.
#[derive(Clone, PartialEq, Eq)]
pub struct Publisher {
    /// Its user name.
    pub username: Arc<str>,
    /// The one enterprise it may speak for; none where it is not bound (loopback without credentials).
    pub enterprise: Option<BodyId>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.enterprise {
            Some(enterprise) => write!(f, "{}@{enterprise}", self.username),
            None => f.write_str(&self.username),
        }
    }
}
