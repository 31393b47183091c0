//! When each tag was first seen, ever: one small checkpoint row per tag, written once.
//!
//! A crash may lose the first seconds of a tag's life with the checkpoint; it is then first seen a little later, nothing else.

use console::LiveView;
use model::{Plant, TagId, TagIndex, Timestamp};
use serde::{Deserialize, Serialize};

/// Prefix of the rows.
pub const POINTS: &str = "points/";

/// A tag's row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointRow {
    /// When its first reading was received.
    pub first_seen: Timestamp,
}

/// Which tags were ever seen.
pub struct Points {
    seen: Vec<bool>,
    fresh: Vec<(TagId, Timestamp)>,
}

impl Points {
    /// Takes up what the checkpoint knows, and shows it.
    pub fn restore(plant: &Plant, soft: &[(String, Vec<u8>)], view: &LiveView) -> Self {
        let mut seen = vec![false; plant.tags.len()];
        for (key, bytes) in soft {
            let Some(tag) = key.strip_prefix(POINTS).and_then(TagId::parse) else { continue };
            let (Some(index), Ok(row)) = (plant.tag_index(&tag), serde_json::from_slice::<PointRow>(bytes)) else { continue };
            seen[index.at()] = true;
            view.set_first_seen(index, row.first_seen);
        }
        Self { seen, fresh: Vec::new() }
    }

    /// A reading of a tag arrived.
    pub fn saw(&mut self, plant: &Plant, tag: TagIndex, at: Timestamp, view: &LiveView) {
        if let Some(seen) = self.seen.get_mut(tag.at())
            && !std::mem::replace(seen, true)
        {
            view.set_first_seen(tag, at);
            self.fresh.push((plant.tag(tag).id.clone(), at));
        }
    }

    /// Another plant is in force: `moves` gives each tag of before its place in it.
    pub fn reload(&mut self, plant: &Plant, moves: &[Option<TagIndex>]) {
        let mut seen = vec![false; plant.tags.len()];
        for (was, to) in self.seen.iter().zip(moves) {
            if let Some(now) = to.and_then(|to| seen.get_mut(to.at())) {
                *now = *was;
            }
        }
        self.seen = seen;
    }

    /// Rows of the tags first seen since the last checkpoint.
    pub fn drain(&mut self, out: &mut Vec<(String, Vec<u8>)>) {
        for (tag, first_seen) in self.fresh.drain(..) {
            // A number has a JSON form.
            let bytes = serde_json::to_vec(&PointRow { first_seen }).unwrap_or_default();
            out.push((format!("{POINTS}{tag}"), bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_tag_is_first_seen_once_whatever_is_restarted() {
        let loaded = config::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"))).expect("the sample county");
        let plant = Arc::new(loaded.plant);
        let tag = TagIndex(20);
        let view = LiveView::new(plant.clone());
        let mut points = Points::restore(&plant, &[], &view);
        points.saw(&plant, tag, Timestamp(5), &view);
        points.saw(&plant, tag, Timestamp(9), &view);
        let mut rows = Vec::new();
        points.drain(&mut rows);
        assert_eq!(rows.len(), 1);
        let view = LiveView::new(plant.clone());
        let mut points = Points::restore(&plant, &rows, &view);
        points.saw(&plant, tag, Timestamp(12), &view);
        assert_eq!(view.first_seen(&plant, tag), Some(Timestamp(5)));
        assert_eq!(view.first_seen(&plant, TagIndex(21)), None, "never seen");
        let mut rows = Vec::new();
        points.drain(&mut rows);
        assert!(rows.is_empty(), "nothing new to write");
    }
}
