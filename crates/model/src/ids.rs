//! Names of things. All are text that stands as written in files and payloads; none is a row number and none is random.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it stands.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A body of the jurisdiction tree: an enterprise, a township or park committee, a county. Holds no `/`.
    BodyId
);
id!(
    /// A person or a duty phone. The journal holds this, never a name or a number.
    PersonId
);
id!(
    /// An equipment or an area guarded by detectors, unique per enterprise.
    EquipmentId
);
id!(
    /// A gateway that tags arrive through, unique per enterprise.
    GatewayId
);
id!(
    /// A siren zone 声光区域, unique per enterprise.
    ZoneId
);
id!(
    /// A notification channel by its configured name, such as `sms`.
    ChannelId
);
id!(
    /// A human act's id, given by its sender: a repeat gets the first answer.
    ActId
);
id!(
    /// A case 处置单, named by the raise that opened it (that transition key's text).
    CaseId
);
id!(
    /// The content hash of the rules and limits in force.
    RuleVersion
);

/// The reserved enterprise whose tags are the engine's own alarms.
pub const SYSTEM_ENTERPRISE: &str = "_system";

/// A tag 位号: one signal of one enterprise. Written `enterprise/tag`; the tag's own part may hold a `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagId {
    /// The enterprise.
    pub enterprise: BodyId,
    /// The tag within it, as written on the plant's drawings, such as `1#罐` or `P-101A/B`.
    pub tag: Arc<str>,
}

impl TagId {
    /// Names `tag` of `enterprise`.
    pub fn new(enterprise: impl Into<BodyId>, tag: impl AsRef<str>) -> Self {
        Self { enterprise: enterprise.into(), tag: Arc::from(tag.as_ref()) }
    }
    /// Reads `enterprise/tag`; `None` without a `/` or with an empty part.
    pub fn parse(text: &str) -> Option<Self> {
        let (enterprise, tag) = text.split_once('/')?;
        (!enterprise.is_empty() && !tag.is_empty()).then(|| Self::new(enterprise, tag))
    }
}

impl fmt::Display for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.enterprise, self.tag)
    }
}
impl fmt::Debug for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for TagId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for TagId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a tag id is `enterprise/tag`"))
    }
}

/// A tag's place in the plant's sorted list: dense, and valid only for one [`crate::plant::Plant`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagIndex(pub u32);

impl TagIndex {
    /// As an index into a list of all tags.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// An equipment's place in the plant's sorted list, valid only for one [`crate::plant::Plant`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EquipmentIndex(pub u32);

impl EquipmentIndex {
    /// As an index into the list.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// A gateway's place in the plant's sorted list, valid only for one [`crate::plant::Plant`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// One more than the place, so that no gateway takes no room of its own.
pub struct GatewayIndex(NonZeroU32);

impl GatewayIndex {
    /// The gateway at this place.
    pub const fn new(at: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(at))
    }
    /// As an index into the list.
    pub const fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl fmt::Debug for GatewayIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatewayIndex").field(&self.at()).finish()
    }
}
