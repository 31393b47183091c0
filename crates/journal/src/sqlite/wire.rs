//! A batch as bytes, and the digest of these that recognises a repeat. Numbers have eight bytes, little endian; texts and lists are
//! preceded by their length, so that no two batches are the same bytes.
//!
//! Written and read within one version of the program most of the time, but a start after an upgrade may meet what the version
//! before has left, so the record that carries it names its format.

use crate::{ActRecord, Batch, ClosedCase, Entry, EntryKind, OutboxRow, OutboxStatus, OutboxUpdate, QuarantineRow, TimerRow};
use model::Timestamp;
use sha2::{Digest as _, Sha256};

/// Names a batch by all it holds.
pub(super) type Digest = [u8; 32];

/// The digest of what [`put`] wrote.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    Sha256::new_with_prefix(b"watchfire batch 2").chain_update(bytes).finalize().into()
}

/// Appends the batch.
pub(crate) fn put(batch: &Batch, out: &mut Vec<u8>) {
    let Batch { now, entries, state, soft, timers, outbox, outbox_updates, acts, quarantine, supersede, closed } = batch;
    put_time(*now, out);
    put_list(entries, out, |Entry { kind, format, key, subject, at, bytes }, out| {
        put_text(kind.name(), out);
        put_number((*format).into(), out);
        put_optional(key.as_deref().map(str::as_bytes), out);
        put_optional(subject.as_deref().map(str::as_bytes), out);
        put_time(*at, out);
        put_bytes(bytes, out);
    });
    put_list(state, out, |(key, bytes), out| {
        put_text(key, out);
        put_optional(bytes.as_deref(), out);
    });
    put_list(soft, out, |(key, bytes), out| {
        put_text(key, out);
        put_bytes(bytes, out);
    });
    put_list(timers, out, |(owner, rows), out| {
        put_text(owner, out);
        put_list(rows, out, |TimerRow { due, kind }, out| {
            put_time(*due, out);
            put_text(kind, out);
        });
    });
    put_list(outbox, out, |OutboxRow { key, case, bytes, at }, out| {
        put_text(key, out);
        put_text(case, out);
        put_bytes(bytes, out);
        put_time(*at, out);
    });
    put_list(outbox_updates, out, |OutboxUpdate { key, status, attempts, answer, words, at }, out| {
        put_text(key, out);
        put_text(status.name(), out);
        put_number((*attempts).into(), out);
        put_text(answer, out);
        put_text(words, out);
        put_time(*at, out);
    });
    put_list(acts, out, |ActRecord { id, request, answer }, out| {
        put_text(id, out);
        put_bytes(request, out);
        put_bytes(answer, out);
    });
    put_list(quarantine, out, |QuarantineRow { source, topic, reason, detail, at, bytes }, out| {
        for text in [source, topic, reason, detail] {
            put_text(text, out);
        }
        put_time(*at, out);
        put_bytes(bytes, out);
    });
    put_list(supersede, out, |case, out| put_text(case, out));
    put_list(closed, out, |ClosedCase { case, enterprise, at, bytes }, out| {
        put_text(case, out);
        put_text(enterprise, out);
        put_time(*at, out);
        put_bytes(bytes, out);
    });
}

fn put_number(number: u64, out: &mut Vec<u8>) {
    out.extend(number.to_le_bytes());
}
fn put_time(at: Timestamp, out: &mut Vec<u8>) {
    out.extend(at.0.to_le_bytes());
}
fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend(bytes);
}
fn put_text(text: &str, out: &mut Vec<u8>) {
    put_bytes(text.as_bytes(), out);
}
fn put_optional(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        Some(bytes) => put_bytes(bytes, out),
        None => put_number(u64::MAX, out),
    }
}
fn put_list<T>(list: &[T], out: &mut Vec<u8>, put: impl Fn(&T, &mut Vec<u8>)) {
    put_number(list.len() as u64, out);
    for item in list {
        put(item, out);
    }
}

/// Reads what [`put`] wrote; nothing where the bytes are anything else.
pub(crate) fn get(bytes: &[u8]) -> Option<Batch> {
    let mut rest = Rest(bytes);
    let batch = Batch {
        now: rest.time()?,
        entries: rest.list(|rest| {
            Some(Entry {
                kind: EntryKind::parse(&rest.text()?)?,
                format: rest.number()?.try_into().ok()?,
                key: rest.optional_text()?,
                subject: rest.optional_text()?,
                at: rest.time()?,
                bytes: rest.bytes()?,
            })
        })?,
        state: rest.list(|rest| Some((rest.text()?, rest.optional()?)))?,
        soft: rest.list(|rest| Some((rest.text()?, rest.bytes()?)))?,
        timers: rest.list(|rest| Some((rest.text()?, rest.list(|rest| Some(TimerRow { due: rest.time()?, kind: rest.text()? }))?)))?,
        outbox: rest.list(|rest| Some(OutboxRow { key: rest.text()?, case: rest.text()?, bytes: rest.bytes()?, at: rest.time()? }))?,
        outbox_updates: rest.list(|rest| {
            Some(OutboxUpdate {
                key: rest.text()?,
                status: OutboxStatus::parse(&rest.text()?)?,
                attempts: rest.number()?.try_into().ok()?,
                answer: rest.text()?,
                words: rest.text()?,
                at: rest.time()?,
            })
        })?,
        acts: rest.list(|rest| Some(ActRecord { id: rest.text()?, request: rest.bytes()?, answer: rest.bytes()? }))?,
        quarantine: rest.list(|rest| {
            Some(QuarantineRow {
                source: rest.text()?,
                topic: rest.text()?,
                reason: rest.text()?,
                detail: rest.text()?,
                at: rest.time()?,
                bytes: rest.bytes()?,
            })
        })?,
        supersede: rest.list(Rest::text)?,
        closed: rest
            .list(|rest| Some(ClosedCase { case: rest.text()?, enterprise: rest.text()?, at: rest.time()?, bytes: rest.bytes()? }))?,
    };
    rest.0.is_empty().then_some(batch)
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
    fn time(&mut self) -> Option<Timestamp> {
        Some(Timestamp(self.number()?.cast_signed()))
    }
    fn of_length(&mut self, length: u64) -> Option<Vec<u8>> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken.to_vec())
    }
    fn bytes(&mut self) -> Option<Vec<u8>> {
        let length = self.number()?;
        self.of_length(length)
    }
    fn text(&mut self) -> Option<String> {
        text(self.bytes()?)
    }
    fn optional(&mut self) -> Option<Option<Vec<u8>>> {
        match self.number()? {
            u64::MAX => Some(None),
            length => self.of_length(length).map(Some),
        }
    }
    fn optional_text(&mut self) -> Option<Option<String>> {
        match self.optional()? {
            Some(bytes) => text(bytes).map(Some),
            None => Some(None),
        }
    }
    fn list<T>(&mut self, get: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Nothing is set aside for the length: it may be anything.
        (0..self.number()?).map(|_| get(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::full;
    use proptest::prelude::*;

    fn bytes(batch: &Batch) -> Vec<u8> {
        let mut out = Vec::new();
        put(batch, &mut out);
        out
    }

    #[test]
    fn one_of_everything_is_read_back() {
        let mut batch = full(7);
        batch.state.push(("gone".to_owned(), None));
        batch.outbox_updates.push(OutboxUpdate {
            key: "n".to_owned(),
            status: OutboxStatus::Retrying,
            attempts: 3,
            answer: "HTTP 500".to_owned(),
            words: "高报 80 %".to_owned(),
            at: Timestamp(-5),
        });
        batch.supersede.push("case".to_owned());
        batch.closed.push(ClosedCase { case: "c".to_owned(), enterprise: "e".to_owned(), at: Timestamp(9), bytes: vec![0, 255] });
        assert_eq!(get(&bytes(&batch)), Some(batch));
        assert_eq!(get(&bytes(&Batch::default())), Some(Batch::default()));
    }

    #[test]
    fn a_cut_or_longer_one_is_none() {
        let whole = bytes(&full(7));
        for length in 0..whole.len() {
            assert_eq!(get(&whole[..length]), None, "{length} bytes");
        }
        assert_eq!(get(&[whole.as_slice(), &[0]].concat()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0_usize..400, value: u8) {
            drop(get(&bytes));
            let mut near = self::bytes(&full(7));
            let at = at % near.len();
            near[at] = value;
            drop(get(&near));
        }
    }
}
