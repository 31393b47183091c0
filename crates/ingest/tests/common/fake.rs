//! A broker that does exactly what a test says, byte by byte.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and may panic where its helpers do")]

use super::hear::LONG;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use watchfire_ingest::Protocol;

pub struct FakeBroker {
    listener: TcpListener,
    protocol: Protocol,
}

/// A packet as it came: the first byte and what follows the length.
#[derive(Debug, PartialEq)]
pub struct Packet {
    pub first: u8,
    pub body: Vec<u8>,
}

pub struct Connection {
    stream: TcpStream,
    protocol: Protocol,
    /// The CONNECT it began with.
    pub connect: Packet,
    /// Answers PINGREQ. Off, it plays dead.
    pub answers_pings: bool,
}

impl FakeBroker {
    pub async fn listen(protocol: Protocol) -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), protocol }
    }
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }
    /// The next connection, with its CONNECT read and not yet answered.
    pub async fn accept(&self) -> Connection {
        let (stream, _) = tokio::time::timeout(LONG, self.listener.accept()).await.expect("the client comes").unwrap();
        stream.set_nodelay(true).unwrap();
        let connect = Packet { first: 0, body: vec![] };
        let mut connection = Connection { stream, protocol: self.protocol, connect, answers_pings: true };
        connection.connect = connection.read().await.expect("a CONNECT");
        assert_eq!(connection.connect.first, 0x10);
        connection
    }
    /// The next connection, accepted and subscribed.
    pub async fn welcome(&self, session_present: bool) -> Connection {
        let mut connection = self.accept().await;
        connection.connack(session_present).await;
        connection.subscribed(&[1]).await;
        connection
    }
}

impl Connection {
    fn is_v5(&self) -> bool {
        self.protocol == Protocol::V5
    }
    pub async fn send(&mut self, first: u8, body: &[u8]) {
        let mut packet = vec![first];
        let mut length = body.len();
        loop {
            let byte = (length % 128) as u8;
            length /= 128;
            packet.push(if length > 0 { byte | 0x80 } else { byte });
            if length == 0 {
                break;
            }
        }
        packet.extend_from_slice(body);
        // A client that is gone is the test's business, not the sender's.
        let _ = self.stream.write_all(&packet).await;
    }
    pub async fn connack(&mut self, session_present: bool) {
        let mut body = vec![u8::from(session_present), 0];
        if self.is_v5() {
            body.push(0);
        }
        self.send(0x20, &body).await;
    }
    /// Waits for the SUBSCRIBE, checks it and grants `codes`.
    pub async fn subscribed(&mut self, codes: &[u8]) {
        let subscribe = self.read().await.expect("a SUBSCRIBE");
        assert_eq!(subscribe.first, 0x82, "{subscribe:?}");
        let filter = b"\x00\x0ewatchfire/v1/#";
        assert!(subscribe.body.windows(filter.len()).any(|window| window == filter), "{subscribe:?}");
        assert_eq!(subscribe.body.last().unwrap() & 0b11, 1, "QoS 1 is asked for");
        let mut body = subscribe.body[..2].to_vec();
        if self.is_v5() {
            body.push(0);
        }
        body.extend_from_slice(codes);
        self.send(0x90, &body).await;
    }
    /// A QoS 1 PUBLISH; `flags` are added to its first byte (8 DUP, 1 RETAIN).
    pub async fn publish(&mut self, topic: &[u8], packet_id: u16, payload: &[u8], flags: u8) {
        let mut body = (topic.len() as u16).to_be_bytes().to_vec();
        body.extend_from_slice(topic);
        body.extend_from_slice(&packet_id.to_be_bytes());
        if self.is_v5() {
            body.push(0);
        }
        body.extend_from_slice(payload);
        self.send(0x32 | flags, &body).await;
    }
    /// The next packet that is no PINGREQ; none when the client has hung up.
    pub async fn read(&mut self) -> Option<Packet> {
        loop {
            let packet = tokio::time::timeout(LONG, self.read_any()).await.expect("the client says something")?;
            if packet.first != 0xc0 {
                return Some(packet);
            }
            if self.answers_pings {
                self.send(0xd0, &[]).await;
            }
        }
    }
    async fn read_any(&mut self) -> Option<Packet> {
        let first = self.stream.read_u8().await.ok()?;
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.stream.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Packet { first, body })
    }
    /// The packet id of the PUBACK that must come next.
    pub async fn puback(&mut self) -> u16 {
        let packet = self.read().await.expect("a PUBACK");
        assert_eq!(packet.first, 0x40, "{packet:?}");
        u16::from_be_bytes([packet.body[0], packet.body[1]])
    }
    /// Hangs up and gives back what the client had still written.
    pub async fn hang_up(mut self) -> Vec<Packet> {
        let _ = self.stream.shutdown().await;
        let mut rest = Vec::new();
        while let Ok(Some(packet)) = tokio::time::timeout(LONG, self.read_any()).await {
            rest.push(packet);
        }
        rest
    }
    /// Waits until the client hangs up, whatever it says before.
    pub async fn until_gone(&mut self) {
        while self.read().await.is_some() {}
    }
}
