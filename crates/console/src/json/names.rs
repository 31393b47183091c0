//! Enumerations of the API description: what the fields typed with the words of `model` may hold, as those words themselves are written.

use model::plant::ChannelKind;
use model::{AlarmState, Audience, CaseStep, Condition, Level, Outcome, Purpose, Quality};
use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! names {
    ($(#[doc = $doc:literal])* $name:ident: $all:expr) => {
        $(#[doc = $doc])*
        pub enum $name {}
        impl PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<Schema> {
                let object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(written($all)));
                utoipa::openapi::RefOr::T(object.description(Some(concat!($($doc),*).trim())).build().into())
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
    // The variants are listed, and a list that lacks one does not compile.
    ($(#[doc = $doc:literal])* $name:ident of $of:ident { $($variant:ident),+ $(,)? }) => {
        names!($(#[doc = $doc])* $name: {
            let _whole = |one: &$of| match one { $($of::$variant => ()),+ };
            [$($of::$variant),+]
        });
    };
}

/// Each as the API writes it.
fn written<T: serde::Serialize>(all: impl IntoIterator<Item = T>) -> Vec<serde_json::Value> {
    all.into_iter().map(|one| serde_json::to_value(one).expect("a name always has a JSON form")).collect()
}

names!(
    /// 预警等级.
    LevelName: Level::ALL
);
names!(
    /// How far a value may be trusted.
    QualityName of Quality { Good, Uncertain, Bad }
);
names!(
    /// ISA-18.2 alarm state.
    AlarmStateName of AlarmState {
        Normal, Unacknowledged, Acknowledged, ReturnedUnacknowledged, LatchedUnacknowledged, LatchedAcknowledged, Faulted,
    }
);
names!(
    /// The kind of rule that makes an alarm.
    ConditionName: Condition::ALL
);
names!(
    /// Where a case is.
    CaseStepName of CaseStep { Opened, Notified, Accepted, Checked, Handling, Reported, Reviewed, Returned, Closed }
);
names!(
    /// 核实 outcome.
    OutcomeName: Outcome::ALL
);
names!(
    /// What a channel does to a person.
    ChannelKindName of ChannelKind { Platform, App, Sms, Voice, Webhook }
);
names!(
    /// To whom something is told.
    AudienceName of Audience { Nobody, Integrator, Enterprise, Everyone }
);
names!(
    /// Why a message is sent.
    PurposeName of Purpose { Announce, Remind, SignMissed, HandleMissed, Passed, Supervise, Return, Closed, LimitsLoosened }
);
names!(
    /// What a person may do to a case or an alarm.
    ActName: ACTS
);

/// The names of the acts; those of [`model::ActKind::name`].
pub const ACTS: [&str; 19] = [
    "silence",
    "acknowledge",
    "accept",
    "check",
    "handle",
    "report",
    "review",
    "return",
    "close",
    "remind",
    "supervise",
    "reset-siren",
    "shelve",
    "unshelve",
    "out-of-service",
    "back-in-service",
    "begin-test",
    "end-test",
    "confirm-window",
];
