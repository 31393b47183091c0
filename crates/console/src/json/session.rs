//! Errors, logins, health.

use crate::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error: a code for programs, a text for people in their language.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorJson {
    /// Stable code.
    pub error: String,
    /// In the language of `?lang=` or `Accept-Language`.
    pub text: String,
    /// For `bad-request`: the field or parameter that is wrong, where it is one, such as `episodes[0].alarm.condition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// A login.
#[derive(Deserialize, ToSchema)]
pub struct LoginJson {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// Who is logged in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeJson {
    /// Person id, as the journal holds it.
    pub person: String,
    /// Their name.
    pub name: String,
    /// User name.
    pub username: String,
    /// Kind of login.
    pub role: Role,
    /// The body they act for.
    pub body: Option<String>,
    /// Its name.
    pub body_name: Option<String>,
    /// The tier their acts count for.
    pub tier: Option<u8>,
}

/// A successful login.
#[derive(Serialize, ToSchema)]
pub struct LoggedInJson {
    /// For programs: `Authorization: Bearer …`. Pages use the cookie.
    pub token: String,
    /// Who.
    pub me: MeJson,
}

/// Whether the engine can do its work.
#[derive(Serialize, ToSchema)]
pub struct ReadyJson {
    /// Subscribed and the store is well.
    pub ready: bool,
    /// What is missing.
    pub reasons: Vec<String>,
}
