//! Why something was not taken as it came: what the integrator reads in the quarantine list.

use model::BodyId;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)*) => {
        /// Why a payload, an element of a batch or a part of one was not taken as it came.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RejectReason {
            $($(#[$doc])* $name,)*
        }
        impl RejectReason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// The name in the API, in metrics and in the store.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
            /// For people, in Chinese.
            pub const fn text_zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }
            /// For people, in English.
            pub const fn text_en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }
        }
    };
}

reasons! {
    /// The topic is none of the native format.
    BadTopic = "bad-topic", "主题不符合 watchfire/v1/{企业}/{位号}（位号中的“/”须写成 %2F）", "the topic is not watchfire/v1/{enterprise}/{tag} (a `/` within a tag is written %2F)";
    /// A gateway published where it may not.
    Forged = "forged", "该网关无权发布此主题", "the publisher may not use this topic";
    /// The reserved enterprise: nobody but the engine speaks for it.
    ReservedEnterprise = "reserved-enterprise", "该企业编号为系统保留", "this enterprise id is reserved for the engine";
    /// Nobody configured the enterprise.
    UnknownEnterprise = "unknown-enterprise", "未配置的企业", "no such enterprise is configured";
    /// The enterprise is known, the tag is not.
    UnknownTag = "unknown-tag", "未配置的位号", "no such tag is configured for this enterprise";
    /// The tag is one the engine keeps for itself (a gateway's own).
    NotMeasured = "not-measured", "该位号由系统自用，不接受外部数据", "this tag is the engine's own and takes no readings";
    /// Longer than a tag may be.
    TagTooLong = "tag-too-long", "位号过长", "the tag is too long";
    /// The payload names another tag than its topic.
    TagMismatch = "tag-mismatch", "报文中的位号与主题不一致", "the payload names another tag than the topic";
    /// An element of a batch without a readable `tag`.
    MissingTag = "missing-tag", "批量数据中缺少位号（tag）", "an element of a batch has no readable `tag`";
    /// Larger than a payload may be.
    Oversize = "oversize", "报文超过大小上限", "the payload is too large";
    /// Nothing in it.
    Empty = "empty", "空报文", "the payload is empty";
    /// Neither an object nor, on the batch topic, an array.
    WrongShape = "wrong-shape", "报文不是 JSON 对象（批量为对象数组）", "not a JSON object (a batch is an array of them)";
    /// JSON that does not hold together.
    Malformed = "malformed", "JSON 格式错误或被截断", "the JSON is malformed or cut off";
    /// One key twice with different values.
    DuplicateKey = "duplicate-key", "同一字段出现多次且内容不同", "one key stands twice with different values";
    /// More readings than a batch may hold; the rest was not read.
    TooManyReadings = "too-many-readings", "批量数据条数超过上限，其余未读", "more readings than a batch may hold; the rest was not read";
    /// No `value`.
    MissingValue = "missing-value", "缺少数值（value）", "there is no `value`";
    /// `value` is null.
    NullValue = "null-value", "数值为 null", "the value is null";
    /// NaN, Infinity, or a number too large to be one.
    NotFinite = "not-finite", "数值为 NaN、Infinity 或超出可表示范围", "the value is NaN, Infinity or too large to represent";
    /// `value` is text, an object, an array or no JSON number.
    NotANumber = "not-a-number", "数值不是数字或布尔值", "the value is neither a number nor a bool";
    /// `ts` could not be read: taken at the receive time, quality uncertain.
    UnreadableTime = "unreadable-time", "时间戳（ts）无法识别，已按接收时间处理，质量记为可疑", "`ts` could not be read; taken at the receive time as uncertain";
    /// `quality` could not be read: taken as uncertain.
    UnreadableQuality = "unreadable-quality", "质量标志（quality）无法识别，已按可疑处理", "`quality` could not be read; taken as uncertain";
    /// `seq` could not be read: taken without.
    UnreadableSequence = "unreadable-sequence", "序号（seq）无法识别，已忽略", "`seq` could not be read; taken without it";
    /// The engine was evaluating it when it crashed, twice.
    HeldAtCrashes = "held-at-crashes", "处理该报文时系统两次异常退出", "the engine crashed twice while evaluating this payload";
}

/// One entry for the quarantine.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    /// Why.
    pub reason: RejectReason,
    /// Of which configured enterprise, where known.
    pub enterprise: Option<BodyId>,
    /// Of which tag, as it was named.
    pub tag: Option<String>,
    /// The bytes in question, cut to [`model::bounds::QUARANTINE_BYTES_MAX`].
    pub fragment: Vec<u8>,
}
