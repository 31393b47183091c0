//! The broker's door: who comes in, and what they may listen to. Publishing is judged in the hook, not here.

use super::{ENGINE_USER, GatewayCredential, is_level, may_publish};
use crate::address::Secret;
use crate::topic;
use model::BodyId;
use mqtt5::broker::{AuthProvider, AuthResult};
use mqtt5::error::Result;
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(super) struct Door {
    credentials: BTreeMap<String, (Secret, BodyId)>,
    engine: Secret,
    /// Client ids in use, by whom and how often: a takeover is the same client coming back, and nobody else.
    inside: Mutex<BTreeMap<String, (String, u32)>>,
}

impl Door {
    pub(super) fn new(credentials: Vec<GatewayCredential>, engine: Secret) -> Self {
        let credentials = credentials.into_iter().map(|one| (one.username, (one.secret, one.enterprise))).collect();
        Self { credentials, engine, inside: Mutex::new(BTreeMap::new()) }
    }
    pub(super) fn lets_anybody_in(&self) -> bool {
        self.credentials.is_empty()
    }
    /// The enterprise a user is bound to.
    pub(super) fn enterprise(&self, user: &str) -> Option<&BodyId> {
        self.credentials.get(user).map(|(_, enterprise)| enterprise)
    }
    pub(super) fn entered(&self, client: &str, user: &str) {
        let mut inside = self.lock();
        let (held_by, times) = inside.entry(client.to_owned()).or_insert_with(|| (user.to_owned(), 0));
        user.clone_into(held_by);
        *times += 1;
    }
    pub(super) fn left(&self, client: &str) {
        let mut inside = self.lock();
        if let Some((_, times)) = inside.get_mut(client) {
            *times -= 1;
            if *times == 0 {
                inside.remove(client);
            }
        }
    }
    fn judge(&self, connect: &ConnectPacket) -> AuthResult {
        let claimed = connect.password.as_deref().unwrap_or_default();
        let user = match connect.username.as_deref() {
            Some(ENGINE_USER) if self.engine.is(claimed) => return AuthResult::success_with_user(ENGINE_USER),
            Some(ENGINE_USER) => return AuthResult::fail(ReasonCode::BadUsernameOrPassword),
            Some(user) => user,
            None => "",
        };
        let enterprise = match self.credentials.get(user) {
            Some((secret, enterprise)) if secret.is(claimed) => Some(enterprise),
            _ if self.lets_anybody_in() => None,
            _ => return AuthResult::fail(ReasonCode::BadUsernameOrPassword),
        };
        if !self.lets_anybody_in() && self.lock().get(&connect.client_id).is_some_and(|(held_by, _)| held_by != user) {
            tracing::warn!(client = %connect.client_id, user, "refused: this client id is in use by another user");
            return AuthResult::fail(ReasonCode::NotAuthorized);
        }
        // The hook is not asked about wills, so one that may not be published is kept out with its client.
        if connect.will.as_ref().is_some_and(|will| !may_publish(enterprise, &will.topic)) {
            tracing::warn!(client = %connect.client_id, user, "refused: its last will is on a topic it may not use");
            return AuthResult::fail(ReasonCode::NotAuthorized);
        }
        AuthResult::success_with_user(user)
    }
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (String, u32)>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuthProvider for Door {
    fn authenticate<'a>(&'a self, connect: &'a ConnectPacket, _: SocketAddr) -> Answer<'a, Result<AuthResult>> {
        let answer = self.judge(connect);
        Box::pin(std::future::ready(Ok(answer)))
    }
    /// Never refused here: see the module above.
    fn authorize_publish<'a>(&'a self, _: &str, _: Option<&'a str>, _: &'a str) -> Answer<'a, bool> {
        Box::pin(std::future::ready(true))
    }
    fn authorize_subscribe<'a>(&'a self, _: &str, user: Option<&'a str>, filter: &'a str) -> Answer<'a, bool> {
        let user = user.unwrap_or_default();
        let allowed = match self.enterprise(user) {
            Some(enterprise) => filter
                .strip_prefix(topic::PREFIX)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| is_level(rest.split('/').next().unwrap_or(rest), enterprise)),
            None => self.lets_anybody_in() || user == ENGINE_USER,
        };
        Box::pin(std::future::ready(allowed))
    }
}
