//! Enumerations for the API description only: they name what the fields typed with the words of `model` may hold.

use serde::Serialize;
use utoipa::ToSchema;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $case:literal { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[serde(rename_all = $case)]
        #[allow(dead_code, missing_docs, reason = "a description, never a value")]
        pub enum $name { $($variant),+ }
    };
}
names!(
    /// 预警等级.
    LevelName: "lowercase" { Red, Orange, Yellow, Blue }
);
names!(
    /// How far a value may be trusted.
    QualityName: "lowercase" { Good, Uncertain, Bad }
);
names!(
    /// ISA-18.2 alarm state.
    AlarmStateName: "kebab-case" {
        Normal, Unacknowledged, Acknowledged, ReturnedUnacknowledged, LatchedUnacknowledged, LatchedAcknowledged, Faulted,
    }
);
names!(
    /// The kind of rule that makes an alarm.
    ConditionName: "kebab-case" {
        LowLow, Low, High, HighHigh, Discrete, OutOfRange, BadQuality, Stale, GatewayLost, UnknownTag, WrongClock, Inhibited, System,
    }
);
names!(
    /// Where a case is.
    CaseStepName: "kebab-case" { Opened, Notified, Accepted, Checked, Handling, Reported, Reviewed, Returned, Closed }
);
names!(
    /// 核实 outcome.
    OutcomeName: "kebab-case" { Real, ProcessUpset, InstrumentFault, False, Calibration, Communication, Drill }
);
names!(
    /// What a channel does to a person.
    ChannelKindName: "lowercase" { Platform, App, Sms, Voice, Webhook }
);
names!(
    /// Why a message is sent.
    PurposeName: "kebab-case" { Announce, Remind, SignMissed, HandleMissed, Passed, Supervise, Return, Closed, LimitsLoosened }
);
names!(
    /// What a person may do to a case or an alarm.
    ActName: "kebab-case" {
        Silence, Acknowledge, Accept, Check, Handle, Report, Review, Return, Close, Remind, Supervise, ResetSiren, Shelve, Unshelve,
        OutOfService, BackInService, BeginTest, EndTest, ConfirmWindow,
    }
);
