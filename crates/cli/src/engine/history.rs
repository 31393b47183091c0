//! What the engine says of the history of readings: gaps are journaled, and a writer that fails or loses readings is an alarm.

use super::Engine;
use journal::EntryKind;
use journal::history::Gap;

impl Engine {
    /// Readings of tags under test are marked from the moment a window begins or ends.
    pub(super) fn mark_under_test(&mut self) {
        self.history.set_under_test(self.pipeline.cases().tags_under_test());
    }

    /// Asks how the writer is doing. It is never waited for.
    pub(super) fn check_history(&mut self) {
        self.history.note_alive(self.now);
        let news = self.history.news();
        for gap in &news.gaps {
            let Gap { from, to, lost, why } = gap;
            tracing::warn!(from = from.0, to = to.0, lost, why = why.name(), "readings are missing from the history");
            let gap = serde_json::json!({ "event": "history-gap", "from": from, "to": to, "lost": lost, "why": why.name() });
            self.entry(EntryKind::System, None, None, &gap);
        }
        self.metrics.history_lost.inc_by(news.lost - self.history_lost);
        self.history_lost = news.lost;
        let failing = news.failing.is_some() || news.losing;
        if failing != self.history_failing {
            self.history_failing = failing;
            let detail = match (news.failing, news.losing) {
                (Some(why), _) => format!("readings are not kept: {why}"),
                (None, true) => format!("readings come faster than they are written; lost since the start: {}", news.lost),
                (None, false) => format!("readings are kept; lost since the start: {}", news.lost),
            };
            self.system("history", failing, &detail);
        }
    }
}
