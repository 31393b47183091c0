//! MQTT 5 by rumqttc. Beside 3.1.1 it tells the broker our limits, and takes topics as bytes.

use crate::ack::AckWriter;
use crate::client::{Connect, Fault, Heard, Wire};
use crate::wire_v4::{OUR_INFLIGHT, REQUESTS_MAX, least};
use bytes::Bytes;
use model::bounds::PAYLOAD_BYTES_MAX;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Filter, Packet, Publish, RetainForwardRule, SubscribeReasonCode};
use rumqttc::v5::mqttbytes::{Error, QoS};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError};
use rumqttc::{NetworkOptions, TlsConfiguration, Transport};

/// The broker keeps our session, and the messages in it, this long after we vanished.
const SESSION_EXPIRY_SECS: u32 = 7 * 24 * 3600;
/// Messages the broker may have in flight to us. The rate is at most this many per commit.
const RECEIVE_MAXIMUM: u16 = 1_000;
/// Announced to the broker, which must drop what is larger; a payload of the allowed size fits with its topic and properties.
const PACKET_BYTES_MAX: u32 = (PAYLOAD_BYTES_MAX + (128 << 10)) as u32;

pub(crate) struct WireV5 {
    client: AsyncClient,
    eventloop: EventLoop,
    fault: Option<Fault>,
}

struct Acks(AsyncClient);

impl AckWriter for Acks {
    fn write(&self, packet_id: u16, qos: u8) -> bool {
        let qos = if qos == 1 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        let message =
            Publish { dup: false, qos, retain: false, topic: Bytes::new(), pkid: packet_id, payload: Bytes::new(), properties: None };
        self.0.try_ack(&message).is_ok()
    }
}

impl Wire for WireV5 {
    fn open(settings: &Connect, discard: bool) -> (Self, impl AckWriter) {
        let Connect { address, tls, client_id, timing, .. } = settings;
        let mut options = MqttOptions::new(client_id, &address.host, address.port);
        let properties = ConnectProperties {
            session_expiry_interval: Some(SESSION_EXPIRY_SECS),
            receive_maximum: Some(RECEIVE_MAXIMUM),
            max_packet_size: Some(PACKET_BYTES_MAX),
            // No topic aliases: the library resolves them only after it has queued the message.
            topic_alias_max: None,
            ..ConnectProperties::new()
        };
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options
            .set_clean_start(discard)
            .set_manual_acks(true)
            .set_keep_alive(timing.keep_alive)
            .set_connection_timeout(timing.connect.as_secs().max(1))
            .set_outgoing_inflight_upper_limit(OUR_INFLIGHT)
            .set_connect_properties(properties)
            .set_network_options(network);
        if let Some((user, password)) = &address.login {
            options.set_credentials(user, password.expose());
        }
        if let Some(tls) = tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        }
        let (client, eventloop) = AsyncClient::new(options, REQUESTS_MAX);
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
            Event::Incoming(Packet::Publish(Publish { dup, qos, retain, topic, pkid, payload, .. })) => {
                Heard::Message { topic, payload, packet_id: pkid, qos: qos as u8, retained: retain, duplicate: dup }
            }
            Event::Incoming(Packet::ConnAck(answer)) => Heard::Connected { session_present: answer.session_present },
            Event::Incoming(Packet::SubAck(answer)) => {
                let grants = answer.return_codes.iter().map(|code| match code {
                    SubscribeReasonCode::Success(qos) => Ok(*qos as u8),
                    refused => Err(format!("{refused:?}")),
                });
                Heard::Granted(least(grants))
            }
            Event::Incoming(_) | Event::Outgoing(_) => Heard::Nothing,
        })
    }

    fn subscribe(&self, filters: &[String]) -> bool {
        let filters = filters.iter().map(|path| Filter {
            path: path.clone(),
            qos: QoS::AtLeastOnce,
            nolocal: false,
            preserve_retain: true,
            // Stored values come with a new subscription only, not with every reconnect.
            retain_forward_rule: RetainForwardRule::OnNewSubscribe,
        });
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
