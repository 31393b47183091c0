//! Rows of the journal past their retention: announced in the chain, and deleted once that is durable.

use super::Engine;
use journal::{EntryKind, Piece};

impl Engine {
    /// Announces the piece, unless there is doubt about its age or somebody still needs it. Nothing is lost by that: it is asked again.
    pub(super) fn past(&mut self, piece: &Piece) {
        let opened = self.pipeline.cases().cases().filter(|case| case.closed.is_none()).map(|case| case.opened).min();
        let is_needed = opened.is_some_and(|opened| piece.newest >= opened);
        // A clock in doubt says nothing about what is old.
        if is_needed || self.clock_stepped {
            return;
        }
        self.batch.entries.push(piece.announcement(self.now));
        self.pending.past = Some(*piece);
    }

    /// Puts on record why rows past their retention stay, once for each reason.
    pub(super) fn note_uncut(&mut self, uncut: Option<String>) {
        if uncut == self.uncut {
            return;
        }
        if let Some(why) = &uncut {
            tracing::error!(why, "rows of the journal past their retention cannot be deleted; they stay");
            self.entry(EntryKind::System, None, None, &serde_json::json!({ "event": "not-cut", "why": why }));
        }
        self.uncut = uncut;
    }
}
