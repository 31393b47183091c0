//! Readings of one group as they came, in few bytes and without delay: what a crash finds of the last minutes.
//!
//! Readings of one message have all but tag and value in common, and a row costs some 18 bytes then. Nothing is looked for and
//! nothing is sorted: that is done when there are enough of them for a chunk.

use super::chunk::{self, Columns};
use super::column::{get_bits, get_byte, get_signed, get_unsigned, put_signed, put_unsigned};
use super::{Damage, HistoryReading};
use model::{Reading, TagIndex, Timestamp};
use std::collections::BTreeMap;

/// Format of a row.
const FORMAT: u8 = 1;
/// Readings in one row of the tail.
pub(super) const ROW_READINGS_MAX: usize = 4_096;

#[derive(Default)]
struct Before {
    tag: i64,
    source: i64,
    delay: i64,
    wait: i64,
    sequence: i64,
    rank: i64,
}

/// Writes readings with the stored ids of their tags.
pub(super) fn put(rows: &[(i64, HistoryReading)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 20 + 8);
    out.push(FORMAT);
    put_unsigned(rows.len() as u64, &mut out);
    let mut before = Before::default();
    for (tag, row) in rows {
        let HistoryReading { reading, taken, rank, .. } = row;
        let delay = reading.receive_time.0.wrapping_sub(reading.source_time.0);
        let wait = taken.0.wrapping_sub(reading.receive_time.0);
        let now = Before {
            tag: *tag,
            source: reading.source_time.0,
            delay,
            wait,
            sequence: reading.sequence.unwrap_or(before.sequence.cast_unsigned()).cast_signed(),
            rank: i64::from(*rank),
        };
        out.push(chunk::flags(row));
        put_signed(now.tag.wrapping_sub(before.tag), &mut out);
        put_signed(now.source.wrapping_sub(before.source), &mut out);
        put_signed(now.delay.wrapping_sub(before.delay), &mut out);
        put_signed(now.wait.wrapping_sub(before.wait), &mut out);
        put_signed(now.sequence.wrapping_sub(before.sequence), &mut out);
        put_signed(now.rank.wrapping_sub(before.rank), &mut out);
        out.extend(reading.value.to_bits().to_le_bytes());
        before = now;
    }
    out
}

/// Reads what [`put`] wrote, each reading to its tag's columns.
pub(super) fn get(mut bytes: &[u8], into: &mut BTreeMap<i64, Columns>) -> Result<(), Damage> {
    if get_byte(&mut bytes)? != FORMAT {
        return Err(Damage("a row of the tail is of no known format"));
    }
    let count = get_unsigned(&mut bytes)?;
    if count > ROW_READINGS_MAX as u64 {
        return Err(Damage("a row of the tail claims too many readings"));
    }
    let mut at = Before::default();
    for _ in 0..count {
        let flags = get_byte(&mut bytes)?;
        for field in [&mut at.tag, &mut at.source, &mut at.delay, &mut at.wait, &mut at.sequence, &mut at.rank] {
            *field = field.wrapping_add(get_signed(&mut bytes)?);
        }
        let receive = at.source.wrapping_add(at.delay);
        let row = HistoryReading {
            reading: Reading {
                tag: TagIndex(0),
                source_time: Timestamp(at.source),
                receive_time: Timestamp(receive),
                value: get_bits(&mut bytes)?,
                quality: chunk::quality(flags),
                sequence: chunk::has_sequence(flags).then_some(at.sequence.cast_unsigned()),
            },
            taken: Timestamp(receive.wrapping_add(at.wait)),
            rank: at.rank as u32,
            under_test: chunk::is_under_test(flags),
        };
        into.entry(at.tag).or_default().push(&row);
    }
    if bytes.is_empty() { Ok(()) } else { Err(Damage("a row of the tail does not end where it should")) }
}
