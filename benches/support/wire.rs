//! MQTT 3.1.1 at its plainest over a blocking socket: cheap enough not to be what is measured, and the write is ours to time.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const PINGREQ: u8 = 0xC0;
const PINGRESP: u8 = 0xD0;
/// Longest wait for a broker to take or answer anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a stream, cut into packets.
#[derive(Default)]
pub struct Packets {
    bytes: Vec<u8>,
    at: usize,
}

impl Packets {
    /// Reads once. False at the end of the stream.
    fn fill(&mut self, stream: &mut TcpStream) -> std::io::Result<bool> {
        self.bytes.drain(..self.at);
        self.at = 0;
        let have = self.bytes.len();
        self.bytes.resize(have + 65_536, 0);
        let read = stream.read(&mut self.bytes[have..]);
        self.bytes.truncate(have + *read.as_ref().unwrap_or(&0));
        read.map(|read| read > 0)
    }
    /// The next whole packet there is: its first byte and its body.
    fn next(&mut self) -> Option<(u8, &[u8])> {
        let bytes = &self.bytes[self.at..];
        let kind = *bytes.first()?;
        let (mut length, mut head) = (0_usize, 1);
        loop {
            let byte = *bytes.get(head)?;
            length |= usize::from(byte & 0x7F) << (7 * (head - 1));
            head += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let body = bytes.get(head..head + length)?;
        self.at += head + length;
        Some((kind, body))
    }
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length & 0x7F) as u8;
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            return;
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text.as_bytes());
}

fn put_publish(out: &mut Vec<u8>, topic: &str, packet_id: u16, payload: &[u8]) {
    out.push(PUBLISH | 0x02);
    put_length(out, 2 + topic.len() + 2 + payload.len());
    put_text(out, topic);
    out.extend(packet_id.to_be_bytes());
    out.extend(payload);
}

/// Connects, says CONNECT and waits for a good CONNACK.
fn connect(port: u16, client_id: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut packet = vec![CONNECT];
    put_length(&mut packet, 10 + 2 + client_id.len());
    put_text(&mut packet, "MQTT");
    // Version 4, clean session, no keep-alive.
    packet.extend([4, 0x02, 0, 0]);
    put_text(&mut packet, client_id);
    stream.write_all(&packet).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [CONNACK, 2, 0, 0], "the broker refuses {client_id}");
    stream
}

/// A gateway: publishes at QoS 1 and looks at its acks only when it has a reason to, so that they wake nobody.
pub struct Gateway {
    stream: TcpStream,
    packets: Packets,
    out: Vec<u8>,
    packet_id: u16,
    /// Readings written.
    pub sent: u64,
    /// Readings acknowledged.
    pub acked: u64,
}

impl Gateway {
    /// Connects.
    pub fn connect(port: u16, client_id: &str) -> Self {
        let stream = connect(port, client_id);
        stream.set_nonblocking(true).unwrap();
        Self { stream, packets: Packets::default(), out: Vec::new(), packet_id: 0, sent: 0, acked: 0 }
    }
    /// Queues one message for the next [`Gateway::flush`].
    pub fn push(&mut self, topic: &str, payload: &[u8]) {
        self.packet_id = self.packet_id.checked_add(1).unwrap_or(1);
        put_publish(&mut self.out, topic, self.packet_id, payload);
        self.sent += 1;
    }
    /// Writes what is queued.
    pub fn flush(&mut self) {
        let (mut written, began) = (0, Instant::now());
        while written < self.out.len() {
            match self.stream.write(&self.out[written..]) {
                Ok(some) => written += some,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(began.elapsed() < PATIENCE, "the broker takes nothing for {PATIENCE:?}");
                    self.take_acks();
                    std::thread::sleep(Duration::from_micros(50));
                }
                Err(error) => panic!("the broker hung up: {error}"),
            }
        }
        self.out.clear();
    }
    /// Counts the acks that are there.
    pub fn take_acks(&mut self) {
        loop {
            match self.packets.fill(&mut self.stream) {
                Ok(true) => {}
                Ok(false) => panic!("the broker hung up"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("the broker hung up: {error}"),
            }
            while let Some((kind, _)) = self.packets.next() {
                self.acked += u64::from(kind == PUBACK);
            }
        }
    }
    /// Readings written and not acknowledged.
    pub fn outstanding(&self) -> u64 {
        self.sent - self.acked
    }
}

/// A siren's controller: subscribes at QoS 1 and hands over every message with the time at which it had it. Ends with its broker.
pub fn subscribe(port: u16, filter: &str, mut heard: impl FnMut(&str, &[u8], Instant) + Send + 'static) {
    let mut stream = connect(port, "bench-sirens");
    let mut packet = vec![SUBSCRIBE];
    put_length(&mut packet, 2 + 2 + filter.len() + 1);
    packet.extend([0, 1]);
    put_text(&mut packet, filter);
    packet.push(1);
    stream.write_all(&packet).unwrap();
    stream.set_read_timeout(None).unwrap();
    let mut packets = Packets::default();
    let (granted, waiting) = channel();
    std::thread::spawn(move || {
        while packets.fill(&mut stream).unwrap_or(false) {
            let now = Instant::now();
            while let Some((kind, body)) = packets.next() {
                if kind == SUBACK {
                    let _ = granted.send(*body.last().unwrap());
                }
                if kind & 0xF0 != PUBLISH {
                    continue;
                }
                let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let topic = std::str::from_utf8(&body[2..2 + length]).unwrap();
                let mut at = 2 + length;
                if kind & 0x06 != 0 {
                    if stream.write_all(&[PUBACK, 2, body[at], body[at + 1]]).is_err() {
                        return;
                    }
                    at += 2;
                }
                heard(topic, &body[at..], now);
            }
        }
    });
    let grant = waiting.recv_timeout(PATIENCE).expect("a SUBACK");
    assert_eq!(grant, 1, "the broker does not grant QoS 1");
}

/// A broker that only plays its part: it accepts, answers, and says when a SUBSCRIBE came.
pub struct ScriptedBroker {
    subscribed: Receiver<Subscribed>,
    /// Its port.
    pub port: u16,
}

/// A client that has subscribed at the scripted broker.
pub struct Subscribed {
    stream: TcpStream,
    packets: Packets,
    /// When its SUBSCRIBE was read.
    pub at: Instant,
}

impl ScriptedBroker {
    /// Listens on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (found, subscribed) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, found) = (stream.unwrap(), found.clone());
                std::thread::spawn(move || serve(stream, &found));
            }
        });
        Self { subscribed, port }
    }
    /// The next client that subscribes.
    pub fn subscribed(&self) -> Subscribed {
        self.subscribed.recv_timeout(PATIENCE).expect("a SUBSCRIBE")
    }
}

fn serve(mut stream: TcpStream, found: &Sender<Subscribed>) {
    stream.set_nodelay(true).unwrap();
    let mut packets = Packets::default();
    while packets.fill(&mut stream).unwrap_or(false) {
        let now = Instant::now();
        let mut subscribed = false;
        let mut answer = Vec::new();
        while let Some((kind, body)) = packets.next() {
            match kind {
                CONNECT => answer.extend([CONNACK, 2, 0, 0]),
                SUBSCRIBE => {
                    // As many grants of QoS 1 as filters.
                    let (mut at, mut filters) = (2, 0);
                    while at + 2 < body.len() {
                        at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]])) + 1;
                        filters += 1;
                    }
                    answer.push(SUBACK);
                    put_length(&mut answer, 2 + filters);
                    answer.extend(&body[..2]);
                    answer.extend(std::iter::repeat_n(1, filters));
                    subscribed = true;
                }
                PINGREQ => answer.extend([PINGRESP, 0]),
                kind if kind & 0xF0 == PUBLISH && kind & 0x06 != 0 => {
                    let at = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                    answer.extend([PUBACK, 2, body[at], body[at + 1]]);
                }
                _ => {}
            }
        }
        if stream.write_all(&answer).is_err() {
            return;
        }
        if subscribed {
            let _ = found.send(Subscribed { stream, packets, at: now });
            return;
        }
    }
}

impl Subscribed {
    /// Sends messages at QoS 1 and returns once all are acknowledged, in their order.
    pub fn deliver(&mut self, messages: &[(String, Vec<u8>)]) {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        for window in messages.chunks(100) {
            let mut out = Vec::new();
            for (at, (topic, payload)) in window.iter().enumerate() {
                put_publish(&mut out, topic, at as u16 + 1, payload);
            }
            self.stream.write_all(&out).unwrap();
            let mut acked = 0;
            while acked < window.len() {
                assert!(self.packets.fill(&mut self.stream).expect("an ack in time"), "the engine hung up");
                while let Some((kind, body)) = self.packets.next() {
                    match kind {
                        PUBACK => {
                            acked += 1;
                            assert_eq!(usize::from(u16::from_be_bytes([body[0], body[1]])), acked, "acks come in order");
                        }
                        PINGREQ => self.stream.write_all(&[PINGRESP, 0]).unwrap(),
                        _ => {}
                    }
                }
            }
        }
    }
}
