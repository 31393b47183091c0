//! What the broker asks us about every PUBLISH, before it answers the sender.

use super::auth::Door;
use super::{ENGINE_USER, may_publish};
use crate::{AckHandle, Clock, Item, Publisher, Sink, SourceEvent, SourceId, topic};
use bytes::Bytes;
use mqtt5::broker::{BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, ClientPublishEvent, PublishAction};
use mqtt5::packet::publish::PublishPacket;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An item the engine let go of without acknowledging is offered again after this pause.
const OFFER_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Hook {
    source: SourceId,
    clock: Clock,
    sink: Sink,
    door: Arc<Door>,
}

impl Hook {
    pub(super) fn new(source: SourceId, clock: Clock, sink: Sink, door: Arc<Door>) -> Self {
        Self { source, clock, sink, door }
    }

    /// Returns once the engine has acknowledged the message. It has no other way out: whatever it returned would be answered
    /// with a PUBACK.
    async fn publish(&self, event: ClientPublishEvent) -> PublishAction {
        let user = event.user_id.clone().unwrap_or_else(|| Arc::from(""));
        if *user == *ENGINE_USER {
            return PublishAction::Continue;
        }
        let enterprise = self.door.enterprise(&user).cloned();
        let forged = !may_publish(enterprise.as_ref(), &event.topic);
        let publisher = Publisher { username: user, enterprise };
        let received = (self.clock)();
        let topic = Bytes::copy_from_slice(event.topic.as_bytes());
        let qos = event.qos as u8;
        let mut duplicate = false;
        loop {
            let (ack, acknowledged) = AckHandle::waiter();
            let (ack, acknowledged) = if qos == 0 { (AckHandle::none(), None) } else { (ack, Some(acknowledged)) };
            let item = Item {
                source: self.source,
                topic: topic.clone(),
                payload: event.payload.clone(),
                received,
                qos,
                // Retain is a wish to the broker here, which is not granted; the reading itself is fresh.
                retained: false,
                duplicate,
                publisher: Some(publisher.clone()),
                forged,
                ack,
            };
            if !self.sink.send(SourceEvent::Message(item)).await {
                // The engine is gone, and with it soon this broker.
                return std::future::pending().await;
            }
            match acknowledged {
                None => break,
                Some(acknowledged) => {
                    if acknowledged.await.is_ok() {
                        break;
                    }
                }
            }
            duplicate = true;
            tokio::time::sleep(OFFER_AGAIN).await;
        }
        // Only readings where they belong reach subscribers; a siren never hears a forged command.
        if forged || topic::parse(&topic).is_none() {
            return PublishAction::Handled;
        }
        if !event.retain {
            return PublishAction::Continue;
        }
        let mut message = PublishPacket::new(&*event.topic, event.payload, event.qos);
        message.packet_id = event.packet_id;
        PublishAction::Transform(message)
    }
}

impl BrokerEventHandler for Hook {
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Answer<'a, PublishAction> {
        Box::pin(self.publish(event))
    }
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Answer<'a, ()> {
        self.door.entered(&event.client_id, event.user_id.as_deref().unwrap_or_default());
        Box::pin(std::future::ready(()))
    }
    fn on_client_disconnect<'a>(&'a self, event: ClientDisconnectEvent) -> Answer<'a, ()> {
        self.door.left(&event.client_id);
        Box::pin(std::future::ready(()))
    }
}
