//! The phones of the demo: an HTTP server that the notifier's webhooks reach, so that the way out is the real one.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Calls kept; older ones fall out.
const CALLS_MAX: usize = 10_000;

/// One message that reached a phone.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Channel, the last part of the URL.
    pub channel: String,
    /// The webhook's body.
    pub body: String,
}

/// The phones.
#[derive(Clone, Default)]
pub struct Phones {
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Phones {
    /// Listens on `address`; answers 200 to every `POST /{channel}`. Returns the address it got.
    pub async fn start(address: SocketAddr) -> std::io::Result<(Self, SocketAddr)> {
        let phones = Self::default();
        let router = Router::new().route("/{channel}", post(ring)).with_state(phones.clone());
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            // Ends with the runtime; an accept error ends the demo's phones, which the notifier then reports.
            let _ = axum::serve(listener, router).await;
        });
        Ok((phones, address))
    }
    /// Everything received so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn ring(State(phones): State<Phones>, Path(channel): Path<String>, body: Bytes) -> StatusCode {
    let mut calls = phones.calls.lock().unwrap_or_else(PoisonError::into_inner);
    if calls.len() >= CALLS_MAX {
        calls.remove(0);
    }
    calls.push(Call { channel, body: String::from_utf8_lossy(&body).into_owned() });
    StatusCode::OK
}
