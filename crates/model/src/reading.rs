//! A reading: value, source time, receive time, quality.

use crate::{TagIndex, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a value may be trusted. No data is never normal: bad and silent freeze an alarm, uncertain may raise but never clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Usable.
    Good,
    /// May raise, never clears.
    Uncertain,
    /// Neither raises nor clears; a condition of its own.
    Bad,
}

/// One reading of one tag as ingest hands it to the rules.
///
/// What the rules keep of it stands together and in their order, so that it is copied in two moves.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Reading {
    /// The gateway's sequence number, where it sends one.
    pub sequence: Option<u64>,
    /// When it was measured by the gateway's clock; the receive time where the payload has none.
    pub source_time: Timestamp,
    /// The value in the tag's unit, a bool as 0 or 1; NaN where the payload's value could not be read (quality is bad then).
    pub value: f64,
    /// When we received it.
    pub receive_time: Timestamp,
    /// Which tag, by its place in the plant in force.
    pub tag: TagIndex,
    /// As claimed by the gateway. Range checks are the rules' business.
    pub quality: Quality,
}

/// A reading as the journal keeps it: inside the transition it caused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadingRecord {
    /// Source time.
    pub source_time: Timestamp,
    /// Receive time.
    pub receive_time: Timestamp,
    /// The value, or none where it could not be read.
    pub value: Option<f64>,
    /// Quality as claimed; of a reading without a value, bad.
    pub quality: Quality,
    /// Sequence number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

impl ReadingRecord {
    /// As a reading of this tag that comes.
    pub fn reading(&self, tag: TagIndex) -> Reading {
        let Self { source_time, receive_time, value, quality, sequence } = *self;
        Reading { sequence, source_time, value: value.unwrap_or(f64::NAN), receive_time, tag, quality }
    }
}

impl From<&Reading> for ReadingRecord {
    fn from(reading: &Reading) -> Self {
        let value = reading.value.is_finite().then_some(reading.value);
        Self {
            source_time: reading.source_time,
            receive_time: reading.receive_time,
            value,
            // Whatever is claimed: without a value it is a bad reading, and nothing else may look like one.
            quality: if value.is_some() { reading.quality } else { Quality::Bad },
            sequence: reading.sequence,
        }
    }
}
