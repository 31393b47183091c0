//! MQTT 3.1.1 by rumqttc.

use crate::ack::AckWriter;
use crate::client::{Connect, Fault, Heard, Wire};
use bytes::Bytes;
use rumqttc::mqttbytes::Error;
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, NetworkOptions, Packet, Publish, QoS, SubscribeFilter};
use rumqttc::{StateError, SubscribeReasonCode};

/// Largest packet taken. 3.1.1 has no way to tell the broker a limit, and a packet beyond ours would end every connection it
/// is sent on, so it lies well above what brokers are configured to take in (their own limit should be 1 MiB).
const PACKET_BYTES_MAX: usize = 16 << 20;
/// Requests that may wait to be written: an ack for every packet id there is, and some for SUBSCRIBE and DISCONNECT. A queue,
/// not an array: it costs what is in it.
pub(crate) const REQUESTS_MAX: usize = 65_535 + 16;
/// We publish nothing, so no publish of ours is ever in flight.
pub(crate) const OUR_INFLIGHT: u16 = 10;

pub(crate) struct WireV4 {
    client: AsyncClient,
    eventloop: EventLoop,
    fault: Option<Fault>,
}

struct Acks(AsyncClient);

impl AckWriter for Acks {
    fn write(&self, packet_id: u16, qos: u8) -> bool {
        let qos = if qos == 1 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        // The library asks for the whole message and uses its packet id and QoS.
        self.0.try_ack(&Publish { dup: false, qos, retain: false, topic: String::new(), pkid: packet_id, payload: Bytes::new() }).is_ok()
    }
}

impl Wire for WireV4 {
    fn open(settings: &Connect, discard: bool) -> (Self, impl AckWriter) {
        let Connect { address, tls, client_id, timing, .. } = settings;
        let mut options = address.options_over(tls.clone(), client_id);
        options
            .set_clean_session(discard)
            .set_manual_acks(true)
            .set_keep_alive(timing.keep_alive)
            .set_inflight(OUR_INFLIGHT)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        let (client, mut eventloop) = AsyncClient::new(options, REQUESTS_MAX);
        let mut network = NetworkOptions::new();
        // Otherwise Nagle's algorithm holds every ack back until the one before it is confirmed.
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(timing.connect.as_secs().max(1));
        eventloop.set_network_options(network);
        (Self { client: client.clone(), eventloop, fault: None }, Acks(client))
    }

    async fn poll(&mut self) -> Result<Heard, Fault> {
        let event = match self.fault.take() {
            None => match self.eventloop.poll().await {
                Ok(event) => event,
                Err(error) => {
                    self.fault = Some(fault(&error));
                    return Ok(Heard::Nothing);
                }
            },
            // The library reads ahead; what it read before the fault is in its buffer.
            Some(fault) => match self.eventloop.state.events.pop_front() {
                Some(event) => {
                    self.fault = Some(fault);
                    event
                }
                None => return Err(fault),
            },
        };
        Ok(match event {
            Event::Incoming(Packet::Publish(Publish { dup, qos, retain, topic, pkid, payload })) => {
                Heard::Message { topic: Bytes::from(topic), payload, packet_id: pkid, qos: qos as u8, retained: retain, duplicate: dup }
            }
            Event::Incoming(Packet::ConnAck(answer)) => Heard::Connected { session_present: answer.session_present },
            Event::Incoming(Packet::SubAck(answer)) => {
                let grants = answer.return_codes.iter().map(|code| match code {
                    SubscribeReasonCode::Success(qos) => Ok(*qos as u8),
                    SubscribeReasonCode::Failure => Err("not allowed by the broker".to_owned()),
                });
                Heard::Granted(least(grants))
            }
            Event::Incoming(_) | Event::Outgoing(_) => Heard::Nothing,
        })
    }

    fn subscribe(&self, filters: &[String]) -> bool {
        let filters = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).is_ok()
    }

    fn disconnect(&self) -> bool {
        self.client.try_disconnect().is_ok()
    }
}

fn fault(error: &ConnectionError) -> Fault {
    let unreadable = match error {
        ConnectionError::MqttState(StateError::Deserialization(why)) => {
            !matches!(why, Error::Io(_) | Error::InsufficientBytes(_) | Error::OutgoingPacketTooLarge { .. })
        }
        _ => false,
    };
    Fault { reason: error.to_string(), unreadable }
}

/// The least QoS of a SUBACK, or its first refusal.
pub(crate) fn least(mut grants: impl Iterator<Item = Result<u8, String>>) -> Result<u8, String> {
    let first = grants.next().unwrap_or_else(|| Err("the SUBACK grants nothing".to_owned()))?;
    grants.try_fold(first, |least, grant| grant.map(|grant| grant.min(least)))
}
