//! Rows of the journal past their retention: announced in the chain, and deleted once that is durable.

use super::Engine;
use journal::{EntryKind, Piece};
use model::Timestamp;

/// Why rows past their retention stay for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// A case has been open for longer.
    CaseOpen,
    /// A clock in doubt says nothing about what is old.
    ClockInDoubt,
}

fn stays(piece: &Piece, oldest_open_case: Option<Timestamp>, clock_stepped: bool) -> Option<Stay> {
    if clock_stepped {
        return Some(Stay::ClockInDoubt);
    }
    oldest_open_case.is_some_and(|opened| piece.newest >= opened).then_some(Stay::CaseOpen)
}

impl Engine {
    /// Announces the piece, unless there is doubt about its age or somebody still needs it. Nothing is lost by that: it is asked again.
    pub(super) fn past(&mut self, past: Result<Piece, String>) {
        let piece = match past {
            Ok(piece) => piece,
            Err(why) => return self.unread = Some(why),
        };
        self.unread = None;
        let opened = self.pipeline.cases().cases().filter(|case| case.closed.is_none()).map(|case| case.opened).min();
        let stay = stays(&piece, opened, self.clock_stepped);
        if stay != self.past_stays {
            if let Some(why) = stay {
                tracing::warn!(?why, through = piece.through, "rows of the journal past their retention stay for now");
            }
            self.past_stays = stay;
        }
        if stay.is_none() {
            self.batch.entries.push(piece.announcement(self.now));
            self.pending.past = Some(piece);
        }
    }

    /// Puts on record why rows past their retention could not be deleted, once for each reason.
    pub(super) fn note_uncut(&mut self, uncut: Option<String>) {
        let uncut = uncut.or_else(|| self.unread.clone());
        if uncut == self.uncut {
            return;
        }
        self.metrics.journal_uncut.set(i64::from(uncut.is_some()));
        if let Some(why) = &uncut {
            tracing::error!(why, "rows of the journal past their retention cannot be deleted; they stay");
            self.entry(EntryKind::System, None, None, &serde_json::json!({ "event": "not-cut", "why": why }));
        }
        self.uncut = uncut;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::ChainHash;

    #[test]
    fn what_an_open_case_needs_stays_and_all_of_it_while_the_clock_is_in_doubt() {
        let (oldest, newest) = (Timestamp::from_secs(1), Timestamp::from_secs(9));
        let piece = Piece { through: 100, hash: ChainHash([0; 32]), rows: 100, oldest, newest };
        assert_eq!(stays(&piece, None, false), None);
        assert_eq!(stays(&piece, Some(Timestamp::from_secs(10)), false), None);
        assert_eq!(stays(&piece, Some(Timestamp::from_secs(9)), false), Some(Stay::CaseOpen));
        assert_eq!(stays(&piece, None, true), Some(Stay::ClockInDoubt));
    }
}
