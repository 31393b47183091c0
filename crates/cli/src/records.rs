//! The journal as the pages read it. Blocking, over a read-only connection of its own.

use console::{Message, QuarantineList, QuarantineRow, Records, RecordsError, TimelineEntry};
use ingest::topic::Place;
use journal::{EntryKind, OutboxFilter, OutboxStatus, Reader, Record, StoreError};
use model::{Attempt, AttemptResult, BodyId, Case, CaseId, Notification};

/// Rows of one case's history shown at most.
const TIMELINE_ROWS_MAX: usize = 5_000;

/// Reads a journal.
pub struct JournalRecords<R> {
    reader: R,
}

impl<R: Reader> JournalRecords<R> {
    /// Over a reader.
    pub fn new(reader: R) -> Self {
        Self { reader }
    }
}

fn failed(error: StoreError) -> RecordsError {
    RecordsError(error.to_string())
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordsError> {
    serde_json::from_slice(bytes).map_err(|error| RecordsError(error.to_string()))
}

fn entry(record: &Record) -> Result<Option<TimelineEntry>, RecordsError> {
    Ok(match record.kind {
        EntryKind::Case => Some(TimelineEntry::Event(parse(&record.bytes)?)),
        EntryKind::Transition => Some(TimelineEntry::Transition(parse(&record.bytes)?)),
        EntryKind::Notification => Some(TimelineEntry::Notification(parse(&record.bytes)?)),
        EntryKind::Attempt => Some(TimelineEntry::Attempt { attempt: parse(&record.bytes)?, at: record.at }),
        _ => None,
    })
}

impl<R: Reader> Records for JournalRecords<R> {
    fn timeline(&self, case: &CaseId) -> Result<Vec<TimelineEntry>, RecordsError> {
        let (mut entries, mut from) = (Vec::new(), 0);
        loop {
            let page = self.reader.timeline(case.as_str(), from, TIMELINE_ROWS_MAX).map_err(failed)?;
            for record in &page.rows {
                entries.extend(entry(record)?);
            }
            match page.next {
                Some(next) if entries.len() < TIMELINE_ROWS_MAX => from = next,
                _ => return Ok(entries),
            }
        }
    }
    fn case(&self, case: &CaseId) -> Result<Option<Case>, RecordsError> {
        self.reader.closed_case(case.as_str()).map_err(failed)?.map(|row| parse(&row.bytes)).transpose()
    }
    fn closed_cases(&self, limit: usize) -> Result<Vec<Case>, RecordsError> {
        self.reader.closed_cases(None, None, limit).map_err(failed)?.iter().map(|row| parse(&row.bytes)).collect()
    }
    fn messages(&self, limit: usize) -> Result<Vec<Message>, RecordsError> {
        let rows = self.reader.outbox(&OutboxFilter::default(), limit).map_err(failed)?;
        rows.into_iter()
            .map(|record| {
                let notification: Notification = parse(&record.row.bytes)?;
                let result = match record.status {
                    OutboxStatus::Accepted => Some(AttemptResult::Accepted),
                    OutboxStatus::Delivered => Some(AttemptResult::Delivered),
                    OutboxStatus::Retrying => Some(AttemptResult::Retrying),
                    OutboxStatus::Failed => Some(AttemptResult::Failed),
                    OutboxStatus::Waiting | OutboxStatus::Superseded => None,
                };
                let key = notification.key.clone();
                let mut message = Message::new(notification);
                if let Some(result) = result {
                    message.note(&Attempt { key, number: record.attempts, result, words: record.words, answer: record.answer });
                } else if record.status == OutboxStatus::Superseded {
                    message.supersede();
                }
                Ok(message)
            })
            .collect()
    }
    fn quarantine(&self, limit: usize) -> Result<QuarantineList, RecordsError> {
        let quarantine = self.reader.quarantine(None, limit).map_err(failed)?;
        let rows = quarantine
            .rows
            .into_iter()
            .map(|record| {
                let enterprise = ingest::topic::parse(record.row.topic.as_bytes()).map(|place| match place {
                    Place::Tag { enterprise, .. } | Place::Batch { enterprise } | Place::Siren { enterprise, .. } => {
                        BodyId::new(enterprise)
                    }
                });
                QuarantineRow {
                    source: record.row.source,
                    topic: record.row.topic,
                    enterprise,
                    reason: record.row.reason,
                    detail: record.row.detail,
                    at: record.row.at,
                    payload: record.row.bytes,
                }
            })
            .collect();
        Ok(QuarantineList { total: quarantine.totals.iter().map(|total| total.count).sum(), rows })
    }
}
