//! The native payload format: `{"ts":…,"value":…,"quality":…,"seq":…,"inhibit":…}` on a tag's topic, or an array of them, each with `"tag"`,
//! on the enterprise's.
//!
//! A value of a known tag that cannot be read is a bad reading *and* a reject: the tag has spoken, and what it said is no data,
//! which is never normal. One bad element never drops its batch. A time that cannot be read costs accuracy, not the reading.
//! The decoder judges no ranges, no ages and no clocks; that is the rules' business.

use crate::lookup::Lookup;
use crate::quick::{self, Plain};
use crate::reject::{Reject, RejectReason};
use crate::scan::{self, Element, Fields};
use crate::topic::{self, Place};
use model::bounds::{BATCH_READINGS_MAX, PAYLOAD_BYTES_MAX, QUARANTINE_BYTES_MAX, TAG_BYTES_MAX};
use model::{BodyId, Plant, Quality, Reading, SYSTEM_ENTERPRISE, Signal, TagIndex, Tier, Timestamp};
use std::borrow::Cow;

/// Rejects listed per payload; more are counted.
const REJECTS_MAX: usize = 256;
/// Unknown tags listed per payload; more are counted as rejects only.
const UNKNOWN_MAX: usize = 256;
/// Source times are believed up to the year 9999; what lies beyond is no time.
const TIME_MILLIS_MAX: i64 = 253_402_300_799_999;

/// What a payload held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Readings, in the order of the payload.
    pub readings: Vec<Reading>,
    /// What could not be taken as it came, in order.
    pub rejects: Vec<Reject>,
    /// Rejects of the same payload beyond the listed ones.
    pub rejects_unlisted: u32,
    /// Tags of a known enterprise that nobody configured, each once.
    pub unknown: Vec<(BodyId, String)>,
    /// What devices say of their own inhibit bit, where they say it.
    pub inhibits: Vec<(TagIndex, bool)>,
    /// Fields that the format does not know; they are ignored.
    pub unknown_fields: u32,
}

impl Decoded {
    /// Empties it and keeps its memory.
    #[inline]
    pub fn clear(&mut self) {
        self.readings.clear();
        self.rejects.clear();
        self.rejects_unlisted = 0;
        self.unknown.clear();
        self.inhibits.clear();
        self.unknown_fields = 0;
    }
}

/// Decoder of the native format. What it reads depends on nothing but the arguments of [`Self::decode`]; what it knows of a plant only
/// makes that quicker.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    lookup: Lookup,
}

impl Decoder {
    /// One that finds the tags of `plant` quickly.
    pub fn new(plant: &Plant) -> Self {
        Self { lookup: Lookup::new(plant) }
    }

    /// Reads one message into `out`, which is emptied first. Never fails: what is wrong is in [`Decoded::rejects`].
    pub fn decode(&self, plant: &Plant, topic: &[u8], payload: &[u8], received: Timestamp, out: &mut Decoded) {
        out.clear();
        match self.quick_reading(plant, topic, payload, received) {
            Some(reading) => out.readings.push(reading),
            None => self.decode_carefully(plant, topic, payload, received, out),
        }
    }

    /// The usual payload on a measured tag's topic, in one pass.
    #[inline]
    fn quick_reading(&self, plant: &Plant, topic: &[u8], payload: &[u8], received: Timestamp) -> Option<Reading> {
        let tag = self.lookup.find(plant, topic)?;
        let (plain, length) = quick::read::<false>(payload)?;
        (length == payload.len() && length <= PAYLOAD_BYTES_MAX).then_some(())?;
        reading_of(tag, &plain, received)
    }

    /// Apart from the quick way, which it would slow down.
    #[inline(never)]
    fn decode_carefully(&self, plant: &Plant, topic: &[u8], payload: &[u8], received: Timestamp, out: &mut Decoded) {
        let mut message = Message { plant, lookup: &self.lookup, received, enterprise: Known::Unasked, out };
        match topic::parse(topic) {
            Some(Place::Tag { enterprise, tag }) => message.single(&enterprise, &tag, payload),
            Some(Place::Batch { enterprise }) => message.batch(&enterprise, payload),
            Some(Place::Siren { .. }) | None => message.reject(RejectReason::BadTopic, None, topic),
        }
    }
}

struct Message<'a> {
    plant: &'a Plant,
    lookup: &'a Lookup,
    received: Timestamp,
    enterprise: Known,
    out: &'a mut Decoded,
}

/// The enterprise of the topic; asked for only when something is wrong.
enum Known {
    Unasked,
    No,
    Yes(BodyId),
}

impl Message<'_> {
    fn single(&mut self, enterprise: &str, tag: &str, payload: &[u8]) {
        let Some(index) = self.find(enterprise, tag, payload) else { return };
        if payload.len() > PAYLOAD_BYTES_MAX {
            return self.bad(index, self.received, RejectReason::Oversize, tag, payload);
        }
        let text = scan::trim(payload);
        match text.first() {
            None => return self.bad(index, self.received, RejectReason::Empty, tag, payload),
            Some(b'{') => {}
            Some(_) => return self.bad(index, self.received, RejectReason::WrongShape, tag, payload),
        }
        let element = scan::single(text);
        // Whose it is says the topic; a payload that says otherwise is believed by nobody.
        if let Some(named) = element.fields.tag
            && text_of(named).is_none_or(|named| named != tag)
        {
            return self.bad(index, self.received, RejectReason::TagMismatch, tag, payload);
        }
        self.element(index, tag, &element);
    }

    fn batch(&mut self, enterprise: &str, payload: &[u8]) {
        if !self.ask(enterprise) {
            return self.reject_enterprise(enterprise, payload);
        }
        if payload.len() > PAYLOAD_BYTES_MAX {
            return self.reject(RejectReason::Oversize, None, payload);
        }
        let text = scan::trim(payload);
        match text.first() {
            None => self.reject(RejectReason::Empty, None, payload),
            Some(b'{') => self.batch_element(enterprise, &scan::single(text)),
            Some(b'[') => self.array(enterprise, text),
            Some(_) => self.reject(RejectReason::WrongShape, None, payload),
        }
    }

    fn array(&mut self, enterprise: &str, text: &[u8]) {
        let mut elements = scan::batch(text);
        let mut topic = format!("{}/{enterprise}/", topic::PREFIX).into_bytes();
        for count in 0.. {
            if count < BATCH_READINGS_MAX
                && let Some(start) = elements.object()
                && let Some((reading, length)) = self.quick_element(&text[start..], &mut topic)
            {
                self.out.readings.push(reading);
                elements.behind(start + length);
                continue;
            }
            let Some(element) = elements.next() else { return };
            if count == BATCH_READINGS_MAX {
                let start = element.bytes.as_ptr() as usize - text.as_ptr() as usize;
                return self.reject(RejectReason::TooManyReadings, None, &text[start..]);
            }
            self.batch_element(enterprise, &element);
        }
    }

    /// The reading of a measured tag that begins here, if it is plain, and how long it is. `topic` is that of the tags up to their names.
    fn quick_element(&self, text: &[u8], topic: &mut Vec<u8>) -> Option<(Reading, usize)> {
        let (plain, length) = quick::read::<true>(text)?;
        let enterprise = topic.len();
        topic.extend_from_slice(plain.tag?);
        let tag = self.lookup.find(self.plant, topic);
        topic.truncate(enterprise);
        Some((reading_of(tag?, &plain, self.received)?, length))
    }

    fn batch_element(&mut self, enterprise: &str, element: &Element<'_>) {
        let Some(tag) = element.fields.tag.and_then(text_of).filter(|tag| !tag.is_empty()) else {
            let reason = match element.bytes.first() {
                Some(b'{') if element.sound => RejectReason::MissingTag,
                _ => RejectReason::Malformed,
            };
            return self.reject(reason, None, element.bytes);
        };
        // The name in a broken element may be broken itself, so it accuses nobody of sending an unknown tag.
        if !element.sound && self.plant.find_tag(enterprise, &tag).is_none() {
            return self.reject(RejectReason::Malformed, None, element.bytes);
        }
        if let Some(index) = self.find(enterprise, &tag, element.bytes) {
            self.element(index, &tag, element);
        }
    }

    /// The tag's place, or the reject that says why there is none.
    fn find(&mut self, enterprise: &str, tag: &str, fragment: &[u8]) -> Option<TagIndex> {
        if let Some(index) = self.plant.find_tag(enterprise, tag) {
            match self.plant.tag(index).signal {
                Signal::System => self.reject_enterprise(enterprise, fragment),
                Signal::Gateway => {
                    self.ask(enterprise);
                    self.reject(RejectReason::NotMeasured, Some(tag), fragment);
                }
                // A calculated value that came from outside would be shown as if we had worked it out.
                _ if self.plant.tag(index).calculation.is_some() => {
                    self.ask(enterprise);
                    self.reject(RejectReason::NotMeasured, Some(tag), fragment);
                }
                _ => return Some(index),
            }
            return None;
        }
        if !self.ask(enterprise) {
            self.reject_enterprise(enterprise, fragment);
        } else if tag.len() > TAG_BYTES_MAX {
            let mut end = TAG_BYTES_MAX;
            while !tag.is_char_boundary(end) {
                end -= 1;
            }
            self.reject(RejectReason::TagTooLong, Some(&tag[..end]), fragment);
        } else {
            if let Known::Yes(body) = &self.enterprise
                && self.out.unknown.len() < UNKNOWN_MAX
                && !self.out.unknown.iter().any(|(_, known)| known == tag)
            {
                self.out.unknown.push((body.clone(), tag.to_owned()));
            }
            self.reject(RejectReason::UnknownTag, Some(tag), fragment);
        }
        None
    }

    fn element(&mut self, tag: TagIndex, name: &str, element: &Element<'_>) {
        let Fields { time, value, quality, sequence, inhibit, unknown, contradictory, .. } = element.fields;
        self.out.unknown_fields += unknown;
        let time = match time {
            None => Ok(self.received),
            Some(token) if token == b"null" => Ok(self.received),
            Some(token) => time_of(token).ok_or(RejectReason::UnreadableTime),
        };
        // Even a broken element keeps the time it names: stamped with ours it would outrun the rest of a backlog.
        let source_time = time.unwrap_or(self.received);
        if !element.sound || contradictory {
            let reason = if element.sound { RejectReason::DuplicateKey } else { RejectReason::Malformed };
            return self.bad(tag, source_time, reason, name, element.bytes);
        }
        match inhibit {
            Some(b"true") => self.out.inhibits.push((tag, true)),
            Some(b"false") => self.out.inhibits.push((tag, false)),
            Some(_) => self.out.unknown_fields += 1,
            None => {}
        }
        let value = match value_of(value) {
            Ok(value) => value,
            Err(reason) => return self.bad(tag, source_time, reason, name, element.bytes),
        };
        let claimed = quality_of(quality);
        let sequence = sequence_of(sequence);
        let mut trusted = claimed.unwrap_or(Quality::Uncertain);
        if time.is_err() && trusted == Quality::Good {
            trusted = Quality::Uncertain;
        }
        for reason in [time.err(), claimed.err(), sequence.err()].into_iter().flatten() {
            self.reject_of(tag, reason, name, element.bytes);
        }
        self.out.readings.push(Reading {
            tag,
            source_time,
            receive_time: self.received,
            value,
            quality: trusted,
            sequence: sequence.unwrap_or(None),
        });
    }

    /// A known tag has spoken and could not be understood.
    fn bad(&mut self, tag: TagIndex, source_time: Timestamp, reason: RejectReason, name: &str, fragment: &[u8]) {
        self.reject_of(tag, reason, name, fragment);
        let receive_time = self.received;
        self.out.readings.push(Reading { tag, source_time, receive_time, value: f64::NAN, quality: Quality::Bad, sequence: None });
    }

    fn reject_of(&mut self, tag: TagIndex, reason: RejectReason, name: &str, fragment: &[u8]) {
        let enterprise = self.plant.tag(tag).id.enterprise.clone();
        self.list(Reject { reason, enterprise: Some(enterprise), tag: Some(name.to_owned()), fragment: cut(fragment) });
    }

    fn reject_enterprise(&mut self, enterprise: &str, fragment: &[u8]) {
        let reserved = enterprise == SYSTEM_ENTERPRISE;
        let reason = if reserved { RejectReason::ReservedEnterprise } else { RejectReason::UnknownEnterprise };
        self.reject(reason, None, fragment);
    }

    fn reject(&mut self, reason: RejectReason, tag: Option<&str>, fragment: &[u8]) {
        let enterprise = match &self.enterprise {
            Known::Yes(body) => Some(body.clone()),
            Known::Unasked | Known::No => None,
        };
        self.list(Reject { reason, enterprise, tag: tag.map(str::to_owned), fragment: cut(fragment) });
    }

    fn list(&mut self, reject: Reject) {
        if self.out.rejects.len() < REJECTS_MAX {
            self.out.rejects.push(reject);
        } else {
            self.out.rejects_unlisted += 1;
        }
    }

    /// Whether the enterprise is one that may send.
    fn ask(&mut self, enterprise: &str) -> bool {
        if matches!(self.enterprise, Known::Unasked) {
            let id = BodyId::new(enterprise);
            let known = enterprise != SYSTEM_ENTERPRISE && self.plant.body(&id).is_some_and(|body| body.tier == Tier::ENTERPRISE);
            self.enterprise = if known { Known::Yes(id) } else { Known::No };
        }
        matches!(self.enterprise, Known::Yes(_))
    }
}

/// None where its time is none.
fn reading_of(tag: TagIndex, plain: &Plain<'_>, received: Timestamp) -> Option<Reading> {
    let source_time = match plain.millis {
        None => received,
        Some(millis) if millis.abs() <= TIME_MILLIS_MAX => Timestamp::from_millis(millis),
        Some(_) => return None,
    };
    Some(Reading { tag, source_time, receive_time: received, value: plain.value, quality: plain.quality, sequence: plain.sequence })
}

fn cut(fragment: &[u8]) -> Vec<u8> {
    fragment[..fragment.len().min(QUARANTINE_BYTES_MAX)].to_vec()
}

/// The text of a string token.
fn text_of(token: &[u8]) -> Option<Cow<'_, str>> {
    let inner = token.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inner.contains(&b'\\') {
        return serde_json::from_slice(token).ok().map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

/// A JSON number's text. Rust would also read `inf`, `+1` and `.5`, which JSON does not know.
fn number_of(token: &[u8]) -> Option<&str> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = token.strip_prefix(b"-").unwrap_or(token);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return None;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return None;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
        rest = &[];
    }
    if rest.is_empty() { std::str::from_utf8(token).ok() } else { None }
}

fn value_of(token: Option<&[u8]>) -> Result<f64, RejectReason> {
    let token = token.ok_or(RejectReason::MissingValue)?;
    if let Some(number) = number_of(token) {
        let value: f64 = number.parse().map_err(|_| RejectReason::NotANumber)?;
        return if value.is_finite() { Ok(value) } else { Err(RejectReason::NotFinite) };
    }
    match token {
        b"true" => Ok(1.0),
        b"false" => Ok(0.0),
        b"null" => Err(RejectReason::NullValue),
        _ => {
            let word = token.strip_prefix(b"-").or(token.strip_prefix(b"+")).unwrap_or(token);
            let not_finite = [&b"nan"[..], b"inf", b"infinity"].iter().any(|name| word.eq_ignore_ascii_case(name));
            Err(if not_finite { RejectReason::NotFinite } else { RejectReason::NotANumber })
        }
    }
}

/// Epoch milliseconds, or RFC 3339 in quotes.
fn time_of(token: &[u8]) -> Option<Timestamp> {
    if let Some(number) = number_of(token) {
        if let Ok(millis) = number.parse::<i64>() {
            return (millis.abs() <= TIME_MILLIS_MAX).then(|| Timestamp::from_millis(millis));
        }
        let millis: f64 = number.parse().ok()?;
        return (millis.abs() <= TIME_MILLIS_MAX as f64).then_some(Timestamp((millis * 1e3).round() as i64));
    }
    let text = text_of(token)?;
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(time.as_microsecond()))
}

fn quality_of(token: Option<&[u8]>) -> Result<Quality, RejectReason> {
    let Some(token) = token.filter(|token| *token != b"null") else { return Ok(Quality::Good) };
    let word = token.strip_prefix(b"\"").and_then(|token| token.strip_suffix(b"\"")).unwrap_or(b"");
    [(&b"good"[..], Quality::Good), (b"uncertain", Quality::Uncertain), (b"bad", Quality::Bad)]
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, quality)| quality)
        .ok_or(RejectReason::UnreadableQuality)
}

fn sequence_of(token: Option<&[u8]>) -> Result<Option<u64>, RejectReason> {
    let Some(token) = token.filter(|token| *token != b"null") else { return Ok(None) };
    number_of(token).and_then(|number| number.parse().ok()).map(Some).ok_or(RejectReason::UnreadableSequence)
}
