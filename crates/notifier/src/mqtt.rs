//! The sirens' own broker connection (MQTT 3.1.1), apart from the readings': a stalled reading must not hold up a siren.
//!
//! Every connection is made new from nothing and thrown away at the first sign of trouble: no session, no queue and no packet id
//! outlives it, so what a broken connection left behind can neither be sent late nor stop the next one. The driver sends the
//! whole wanted state on every connect, which is all that a queue could have saved. A change goes to the socket whatever is under
//! way; repeats go one at a time, and only while nothing else is.

use crate::NotifierError;
use crate::siren::{SirenCommand, SirenPublish, Urgency};
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, QoS};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A dead peer is found after two of these.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// For TCP, TLS and the broker's answer.
const CONNECT_TIMEOUT_SECS: u64 = 5;
/// Nothing at all from the client for this long, not even a ping, means that it hangs.
const WATCHDOG: Duration = Duration::from_secs(12);
/// A command must be acknowledged within this.
const ACK_WITHIN: Duration = Duration::from_secs(5);
/// Commands under way at most. Changes are few; a broker that owes so many acks is not alive.
const UNDER_WAY_MAX: u16 = 64;
/// Wait before the first new connection; doubles up to the longest.
const RECONNECT_FIRST: Duration = Duration::from_millis(100);
/// The longest wait before a new connection.
const RECONNECT_MAX: Duration = Duration::from_secs(2);

/// Publishes siren commands to a broker. Works on a thread of its own until dropped.
pub struct MqttSirenPublisher {
    link: Arc<Link>,
    stop: CancellationToken,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Link {
    state: Mutex<State>,
    on_connect: Mutex<Option<Hook>>,
}

#[derive(Default)]
struct State {
    /// Only while connected.
    client: Option<AsyncClient>,
    /// Handed to the client and not yet acknowledged, since when.
    under_way: VecDeque<Instant>,
    /// Repeats that wait for the way to be free, at most one per topic.
    repeats: VecDeque<SirenCommand>,
}

impl MqttSirenPublisher {
    /// Connects to the broker, again and again where need be. `options` says where it is and how to get in; session, keep-alive
    /// and window are set here. The client id must not be used by anything else at that broker.
    pub fn connect(mut options: MqttOptions) -> Result<Self, NotifierError> {
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(true).set_inflight(UNDER_WAY_MAX);
        let link = Arc::new(Link::default());
        let stop = CancellationToken::new();
        let (working, stopped) = (Arc::clone(&link), stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("siren-mqtt".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = keep_connected(&working, &options) => {}
                }
            });
        })?;
        Ok(Self { link, stop })
    }
}

impl Drop for MqttSirenPublisher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl SirenPublish for MqttSirenPublisher {
    fn publish(&self, command: SirenCommand, urgency: Urgency) -> bool {
        let mut state = self.link.state();
        if state.client.is_none() {
            return false;
        }
        // Whatever waited for this zone is older.
        state.repeats.retain(|waiting| waiting.topic != command.topic);
        match urgency {
            Urgency::Change => state.hand_over(command),
            Urgency::Repeat => {
                state.repeats.push_back(command);
                state.hand_over_repeat();
                true
            }
        }
    }
    fn on_connect(&self, connected: Hook) {
        *self.link.on_connect.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&connected));
        // It may have connected before anybody asked to be told.
        if self.is_connected() {
            connected();
        }
    }
    fn is_connected(&self) -> bool {
        self.link.state().client.is_some()
    }
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn connected(&self, client: AsyncClient) {
        *self.state() = State { client: Some(client), ..State::default() };
        let hook = self.on_connect.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook();
        }
    }
    fn acknowledged(&self) {
        let mut state = self.state();
        state.under_way.pop_front();
        state.hand_over_repeat();
    }
    /// Since when the oldest command waits for its ack.
    fn waits_since(&self) -> Option<Instant> {
        self.state().under_way.front().copied()
    }
    fn lost(&self) {
        *self.state() = State::default();
    }
}

impl State {
    fn hand_over(&mut self, command: SirenCommand) -> bool {
        let Some(client) = &self.client else { return false };
        // Wakes the connection's thread, which writes it at once; fails only where the client's whole queue is owed.
        match client.try_publish(command.topic, QoS::AtLeastOnce, false, command.payload) {
            Ok(()) => {
                self.under_way.push_back(Instant::now());
                true
            }
            Err(error) => {
                tracing::error!(%error, "siren command not taken by the connection");
                false
            }
        }
    }
    fn hand_over_repeat(&mut self) {
        if self.under_way.is_empty()
            && let Some(command) = self.repeats.pop_front()
        {
            self.hand_over(command);
        }
    }
}

async fn keep_connected(link: &Link, options: &MqttOptions) {
    let mut wait = RECONNECT_FIRST;
    loop {
        let (client, mut eventloop) = AsyncClient::new(options.clone(), usize::from(UNDER_WAY_MAX));
        let mut network = eventloop.network_options();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_TIMEOUT_SECS);
        eventloop.set_network_options(network);
        let was_connected = serve(link, client, &mut eventloop).await;
        link.lost();
        // Dropping the loop closes the socket: what it still held must never be sent on another connection.
        drop(eventloop);
        if was_connected {
            wait = RECONNECT_FIRST;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RECONNECT_MAX);
    }
}

/// Serves one connection to its end. True where it ever was one.
async fn serve(link: &Link, client: AsyncClient, eventloop: &mut EventLoop) -> bool {
    let mut client = Some(client);
    loop {
        let patience = match link.waits_since() {
            Some(since) => (since + ACK_WITHIN).saturating_duration_since(Instant::now()).min(WATCHDOG),
            None => WATCHDOG,
        };
        match tokio::time::timeout(patience, eventloop.poll()).await {
            Ok(Ok(Event::Incoming(Incoming::ConnAck(_)))) => {
                tracing::info!("connected to the sirens' broker");
                if let Some(client) = client.take() {
                    link.connected(client);
                }
            }
            Ok(Ok(Event::Incoming(Incoming::PubAck(_)))) => link.acknowledged(),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "connection to the sirens' broker lost");
                return client.is_none();
            }
            Err(_) => {
                tracing::warn!("the sirens' broker does not answer, connecting anew");
                return client.is_none();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(topic: &str) -> SirenCommand {
        SirenCommand { topic: topic.to_owned(), payload: Vec::new() }
    }

    #[test]
    fn repeats_go_one_at_a_time_and_a_change_at_once() {
        // Never polled: what is handed over stays unacknowledged.
        let (client, _eventloop) = AsyncClient::new(MqttOptions::new("id", "127.0.0.1", 1), usize::from(UNDER_WAY_MAX));
        let publisher = MqttSirenPublisher { link: Arc::default(), stop: CancellationToken::new() };
        assert!(!publisher.publish(command("a"), Urgency::Change), "nothing is taken without a connection");
        publisher.link.connected(client);
        for topic in ["a", "b", "c"] {
            assert!(publisher.publish(command(topic), Urgency::Repeat));
        }
        let load = || {
            let state = publisher.link.state();
            (state.under_way.len(), state.repeats.iter().map(|command| command.topic.clone()).collect::<Vec<_>>())
        };
        assert_eq!(load(), (1, vec!["b".to_owned(), "c".to_owned()]));
        assert!(publisher.publish(command("b"), Urgency::Change));
        assert_eq!(load(), (2, vec!["c".to_owned()]), "handed over at once, and its older repeat is not sent after it");
        publisher.link.acknowledged();
        assert_eq!(load(), (1, vec!["c".to_owned()]));
        publisher.link.acknowledged();
        assert_eq!(load(), (1, Vec::new()));
        publisher.link.lost();
        assert!(!publisher.is_connected());
    }
}
