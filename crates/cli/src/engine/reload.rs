//! Another configuration comes into force: between two readings, in one transaction with what it causes.
//!
//! Loading, checking, comparing and preparing have happened elsewhere. What is left for the engine's thread is to move the state over, to
//! commit, and to show the pages the new plant; readings wait that long and no longer.

use super::{Engine, Outgoing, Pending};
use console::{Reshown, VersionJson};
use ingest::Decoder;
use journal::{Entry, EntryKind, OutboxRow};
use model::{Notification, TagIndex, bounds};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot::Sender;

/// Key of the state row that lists the configurations in force, the newest last.
pub const VERSIONS: &str = "config/versions";

/// A configuration to come into force, prepared.
pub struct Change {
    /// The state's way over.
    pub reload: rules::Reload,
    /// What the pages will show.
    pub reshown: Reshown,
    /// What finds the tags of topics.
    pub decoder: Decoder,
    /// Its record; the engine says since when.
    pub version: VersionJson,
    /// Those before it, oldest first.
    pub before: Vec<VersionJson>,
    /// The journal's entry.
    pub entry: Vec<u8>,
    /// To the tier above: what was loosened.
    pub tell: Vec<Notification>,
    /// Answered after the commit; the error says that another configuration came first.
    pub reply: Sender<Result<Vec<VersionJson>, rules::StaleReload>>,
}

/// A configuration that the start took, to be put on record.
pub struct StartRecord {
    /// Those in force so far, it as the newest.
    pub versions: Vec<VersionJson>,
    /// The journal's entry; none where nothing was in force before, and the start itself says enough.
    pub entry: Option<Vec<u8>>,
    /// To the tiers above, where nobody had agreed to it.
    pub tell: Vec<Notification>,
}

/// What is done about a change once it is committed.
pub(super) struct Committed {
    reshown: Reshown,
    moves: Vec<Option<TagIndex>>,
    versions: Vec<VersionJson>,
    reply: Sender<Result<Vec<VersionJson>, rules::StaleReload>>,
    began: Instant,
}

impl Engine {
    /// Takes the new configuration into force. The batch ends with it, so nothing is shown by one plant and evaluated by another.
    pub(super) fn reload(&mut self, change: Change) {
        let Change { reload, reshown, decoder, mut version, before, entry, tell, reply } = change;
        let began = Instant::now();
        let plant = Arc::clone(reload.to());
        let moves = reload.moves().to_vec();
        let mut effects = std::mem::take(&mut self.effects);
        let done = self.pipeline.reload(reload, self.now, &mut effects);
        let husk = match done {
            Ok(husk) => husk,
            Err(stale) => {
                self.effects = effects;
                // Whoever asked may have gone away.
                let _ = reply.send(Err(stale));
                return;
            }
        };
        let decoder = std::mem::replace(&mut self.decoder, decoder);
        // Freeing what is left of a hundred thousand tags is nothing a reading should wait for.
        std::thread::spawn(move || drop((husk, decoder)));
        self.plant = plant;
        self.history.set_tags(self.plant.clone());
        self.mark_under_test();
        self.inhibited_under_test = self.inhibited_under_test.iter().filter_map(|tag| moves[tag.at()]).collect();
        self.points.reload(&self.plant, &moves);
        self.steering.reload(&self.plant);
        self.pending.steered = true;
        version.since = self.now.as_millis();
        self.enter(&version, entry);
        self.record(&mut effects);
        self.effects = effects;
        let mut versions = before;
        versions.push(version);
        self.keep_versions(&mut versions);
        self.tell(tell);
        // Limits and levels on the wall are those of the new configuration.
        self.pending
            .alarms
            .extend(self.pipeline.alarms().alarms().filter(|view| view.state != model::AlarmState::Normal).map(|view| view.alarm));
        self.pending.cases.extend(self.pipeline.cases().cases().filter(|case| case.closed.is_none()).map(|case| case.id.clone()));
        self.pending.reload = Some(Committed { reshown, moves, versions, reply, began });
    }

    /// Puts on record what the start took.
    pub(super) fn record_start(&mut self, record: StartRecord) {
        let StartRecord { mut versions, entry, tell } = record;
        if let (Some(version), Some(entry)) = (versions.last(), entry) {
            self.enter(version, entry);
        }
        self.keep_versions(&mut versions);
        self.tell(tell);
    }

    /// Writes which configurations are and were in force.
    fn keep_versions(&mut self, versions: &mut Vec<VersionJson>) {
        if versions.len() > bounds::CONFIGURATIONS_KEPT_MAX {
            versions.drain(..versions.len() - bounds::CONFIGURATIONS_KEPT_MAX);
        }
        let bytes = serde_json::to_vec(versions).expect("our own types serialise");
        self.batch.state.push((VERSIONS.to_owned(), Some(bytes)));
    }

    fn tell(&mut self, notifications: Vec<Notification>) {
        for notification in notifications {
            let (key, case) = (notification.key.to_string(), notification.key.case.to_string());
            let bytes = serde_json::to_vec(&notification).expect("our own types serialise");
            self.entry_bytes(EntryKind::Notification, Some(format!("notification:{key}")), bytes.clone());
            self.batch.outbox.push(OutboxRow { key, case, bytes, at: self.now });
            self.pending.outgoing.push(Outgoing::Notify(Box::new(notification)));
        }
    }

    fn enter(&mut self, version: &VersionJson, entry: Vec<u8>) {
        self.entry_bytes(EntryKind::Config, Some(format!("config:{}!{}", version.version, self.now.0)), entry);
    }

    fn entry_bytes(&mut self, kind: EntryKind, key: Option<String>, bytes: Vec<u8>) {
        self.batch.entries.push(Entry { kind, format: 1, key, subject: None, at: self.now, bytes });
    }

    /// After the commit and before anything else is shown: the pages get the new plant.
    pub(super) fn show_reloaded(&self, pending: &mut Pending) {
        let Some(Committed { reshown, moves, versions, reply, began }) = pending.reload.take() else { return };
        let before = self.view.reshow(reshown, &moves);
        let held = began.elapsed();
        // Nobody may hold the plant of before any more, and it is as large as what went with it.
        std::thread::spawn(move || drop(before));
        self.metrics.reload_seconds.set(held.as_secs_f64());
        tracing::info!(version = versions.last().map_or("", |version| &version.version), ?held, "another configuration is in force");
        // Whoever asked may have gone away; it is in force all the same.
        let _ = reply.send(Ok(versions));
    }
}
