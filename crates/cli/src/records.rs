//! The journal as the pages read it. Blocking, over a read-only connection of its own.

use console::{HistoryGap, Message, QuarantineList, QuarantineRow, Records, RecordsError, TimelineEntry, Trend, TrendPoint};
use ingest::topic::Place;
use journal::history::{HistoryReader, Point};
use journal::{EntryKind, OutboxFilter, OutboxRecord, OutboxStatus, Reader, Record, StoreError};
use model::{Attempt, AttemptResult, BodyId, Case, CaseId, Notification, Purpose, TagId, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Rows of one case's history shown at most.
const TIMELINE_ROWS_MAX: usize = 5_000;

/// Older messages looked through for those that are no reminders.
const OLDER_MESSAGES_MAX: usize = 100_000;
/// Of them in one go.
const OLDER_MESSAGES_PAGE: usize = 1_000;

/// Reads a journal.
pub struct JournalRecords<R> {
    reader: R,
    data: PathBuf,
    /// Opened with the first question: the writer may make the file after we started.
    history: Mutex<Option<HistoryReader>>,
}

impl<R: Reader> JournalRecords<R> {
    /// Over a reader, and over the history of readings in the same folder.
    pub fn new(reader: R, data: &Path) -> Self {
        Self { reader, data: data.to_owned(), history: Mutex::new(None) }
    }
}

impl<R: Reader> JournalRecords<R> {
    /// Adds what is older than the newest `limit` messages and no reminder, until there are as many of those: a night of reminders must
    /// not hide what else was told.
    fn add_older(&self, rows: &mut Vec<OutboxRecord>, limit: usize) -> Result<(), RecordsError> {
        // Read from the key, which is much less than the message.
        let reminder = format!("|{}|", Purpose::Remind.name());
        let is_reminder = |record: &OutboxRecord| record.row.key.contains(&reminder);
        let mut others = rows.iter().filter(|record| !is_reminder(record)).count();
        let (mut before, mut seen) = (rows.last().filter(|_| rows.len() >= limit).map(|record| record.position), 0);
        while let Some(position) = before.filter(|_| others < limit && seen < OLDER_MESSAGES_MAX) {
            let page = self
                .reader
                .outbox(&OutboxFilter { before: Some(position), ..OutboxFilter::default() }, OLDER_MESSAGES_PAGE)
                .map_err(failed)?;
            seen += page.len();
            before = page.last().map(|record| record.position);
            let more: Vec<_> = page.into_iter().filter(|record| !is_reminder(record)).take(limit - others).collect();
            others += more.len();
            rows.extend(more);
        }
        Ok(())
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
        let mut rows = self.reader.outbox(&OutboxFilter::default(), limit).map_err(failed)?;
        self.add_older(&mut rows, limit)?;
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
    fn trend(&self, tag: &TagId, from: Timestamp, to: Timestamp, points: usize) -> Result<Trend, RecordsError> {
        // One question at a time: each takes some milliseconds, and a page asks for one.
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.is_none() {
            *history = HistoryReader::open(&self.data).map_err(failed)?;
        }
        let Some(reader) = history.as_mut() else { return Ok(Trend::default()) };
        let read = reader.trend(tag, from, to, points).and_then(|trend| Ok((trend, reader.gaps(from, to)?)));
        if read.is_err() {
            *history = None;
        }
        let (trend, gaps) = read.map_err(failed)?;
        Ok(Trend {
            points: trend.points.iter().map(trend_point).collect(),
            gaps: gaps
                .iter()
                .map(|gap| HistoryGap { from: gap.from, to: gap.to, lost: gap.lost, why: gap.why.name(), why_zh: gap.why.name_zh() })
                .collect(),
            damaged: trend.damaged,
        })
    }
}

fn trend_point(point: &Point) -> TrendPoint {
    let Point { from, to, count, bad, min, max, last } = *point;
    TrendPoint { from, to, count, bad, min, max, last }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{Batch, OutboxRow, SqliteReader, SqliteStore, Store as _};
    use model::{AlarmId, Condition, Level, NotificationKey, Tier};

    fn message(purpose: Purpose, repeat: u32) -> Notification {
        let at = Timestamp::from_secs(1_764_000_000 + i64::from(repeat));
        let key = NotificationKey {
            case: "case".into(),
            announcement: "announcement".to_owned(),
            tier: Tier::TOWNSHIP,
            purpose,
            recipient: "li".into(),
            channel: "sms".into(),
            repeat,
        };
        Notification {
            key,
            level: Level::Orange,
            alarm: AlarmId { tag: TagId::new("hx", "LIA-101"), condition: Condition::High },
            setpoint: None,
            value: None,
            raised_at: at,
            sign_by: at,
            late: false,
            delayed_by_outage: false,
            audience: model::Audience::Everyone,
            at,
            change: None,
        }
    }

    #[test]
    fn a_night_of_reminders_hides_nothing_else_that_was_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = SqliteStore::open(dir.path()).expect("a store");
        let told = [message(Purpose::LimitsLoosened, 0), message(Purpose::Announce, 1)];
        let reminders = (2..5_000).map(|repeat| message(Purpose::Remind, repeat));
        let row = |message: Notification| OutboxRow {
            key: message.key.to_string(),
            case: message.key.case.to_string(),
            bytes: serde_json::to_vec(&message).expect("plain data"),
            at: message.at,
        };
        let outbox = told.into_iter().chain(reminders).map(row).collect();
        store.commit(&Batch { now: Timestamp::from_secs(1_764_100_000), outbox, ..Batch::default() }).expect("a disk");
        let records = JournalRecords::new(SqliteReader::open(dir.path()).expect("a reader"), dir.path());
        let kinds = |limit| {
            let messages = records.messages(limit).expect("a question");
            let of = |purpose| messages.iter().filter(|message| message.notification.key.purpose == purpose).count();
            [Purpose::LimitsLoosened, Purpose::Announce, Purpose::Remind].map(of)
        };
        assert_eq!(kinds(100), [1, 1, 100]);
        assert_eq!(kinds(1), [0, 1, 1], "as many again at most, the newest of them");
    }
}
