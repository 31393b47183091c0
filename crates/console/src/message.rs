//! Messages to people as the page 消息 shows them: the notification, what was said, and what became of it.

use model::{Attempt, AttemptResult, CaseId, Notification, Purpose, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Messages kept for the page, of several kinds each with its share; the record of all is the journal.
pub const MESSAGES_KEPT: usize = 5_000;

/// What became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    /// Not tried yet.
    #[default]
    Waiting,
    /// The channel took it.
    Accepted,
    /// A receipt says the person got it. Final.
    Delivered,
    /// Failed, will be tried again.
    Retrying,
    /// Failed for good on this channel.
    Failed,
    /// Not to be sent any more.
    Superseded,
}

/// A message with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What is told to whom.
    pub notification: Notification,
    /// What became of it.
    pub status: MessageStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// The very words of the last attempt that had any.
    pub words: String,
    /// What the channel said last.
    pub answer: String,
}

impl Message {
    /// One that has not been tried yet.
    pub fn new(notification: Notification) -> Self {
        Self { notification, status: MessageStatus::Waiting, attempts: 0, words: String::new(), answer: String::new() }
    }
    /// Adds an attempt or a receipt. Receipts may come out of order: delivered is final.
    pub fn note(&mut self, attempt: &Attempt) {
        self.attempts = self.attempts.max(attempt.number);
        if !attempt.words.is_empty() {
            self.words.clone_from(&attempt.words);
        }
        if self.status == MessageStatus::Delivered {
            return;
        }
        self.answer.clone_from(&attempt.answer);
        self.status = match attempt.result {
            AttemptResult::Accepted => MessageStatus::Accepted,
            AttemptResult::Delivered => MessageStatus::Delivered,
            AttemptResult::Retrying => MessageStatus::Retrying,
            AttemptResult::Failed => MessageStatus::Failed,
        };
    }
    /// Marks it as not to be sent any more, if it still was.
    pub fn supersede(&mut self) -> bool {
        let unsent = matches!(self.status, MessageStatus::Waiting | MessageStatus::Retrying);
        // 办结 itself is told after the case's other messages have lost their point.
        let supersedes = unsent && self.notification.key.purpose != Purpose::Closed;
        if supersedes {
            self.status = MessageStatus::Superseded;
        }
        supersedes
    }
}

/// The newest messages. Kept in the order they are listed in, because a list is copied while the engine may want to write.
#[derive(Default)]
pub(crate) struct Messages {
    by_time: BTreeMap<(Timestamp, String), Arc<Message>>,
    time_of: BTreeMap<String, Timestamp>,
    /// The same by kind, for which of them makes room.
    of_kind: BTreeMap<Purpose, BTreeSet<(Timestamp, String)>>,
}

impl Messages {
    /// Adds a message, or leaves the one of the same key as it is; gives the key.
    pub fn add(&mut self, message: Message) -> String {
        let key = message.notification.key.to_string();
        if !self.time_of.contains_key(&key) {
            let at = message.notification.at;
            self.time_of.insert(key.clone(), at);
            self.of_kind.entry(message.notification.key.purpose).or_default().insert((at, key.clone()));
            self.by_time.insert((at, key.clone()), Arc::new(message));
            while self.by_time.len() > MESSAGES_KEPT && self.make_room() {}
        }
        key
    }
    /// Forgets the oldest of the kind there is most of: reminders of a long night must not push out the one word of a loosened limit.
    fn make_room(&mut self) -> bool {
        let most = self.of_kind.values_mut().max_by_key(|kept| kept.len());
        let Some(oldest) = most.and_then(BTreeSet::pop_first) else { return false };
        self.by_time.remove(&oldest);
        self.time_of.remove(&oldest.1);
        true
    }
    /// Adds one from the store. Where the message is known already, the one that has got further stands.
    pub fn add_older(&mut self, message: Message) {
        let key = message.notification.key.to_string();
        match self.get_mut(&key) {
            Some(known) if known.attempts < message.attempts => *known = Arc::new(message),
            Some(_) => {}
            None => {
                self.add(message);
            }
        }
    }
    /// Adds an attempt; gives the key where the message is known.
    pub fn note(&mut self, attempt: &Attempt) -> Option<String> {
        let key = attempt.key.to_string();
        Arc::make_mut(self.get_mut(&key)?).note(attempt);
        Some(key)
    }
    /// Supersedes a case's unsent messages; gives their keys.
    pub fn supersede(&mut self, case: &CaseId) -> Vec<String> {
        let keys = self.keys_of(case);
        keys.into_iter().filter(|key| self.get_mut(key).is_some_and(|message| Arc::make_mut(message).supersede())).collect()
    }
    /// Keys of a case's messages.
    pub fn keys_of(&self, case: &CaseId) -> Vec<String> {
        // A key's text begins with its case.
        let prefix = format!("{case}|");
        self.time_of.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)).map(|(key, _)| key.clone()).collect()
    }
    /// The message of a key.
    pub fn get(&self, key: &str) -> Option<Arc<Message>> {
        let at = *self.time_of.get(key)?;
        self.by_time.get(&(at, key.to_owned())).cloned()
    }
    /// All of them.
    pub fn newest_first(&self) -> Vec<Arc<Message>> {
        self.by_time.values().rev().cloned().collect()
    }
    fn get_mut(&mut self, key: &str) -> Option<&mut Arc<Message>> {
        let at = *self.time_of.get(key)?;
        self.by_time.get_mut(&(at, key.to_owned()))
    }
}
