//! How many alarms have which level: a county where every second limit is red has no red at all.

use crate::fault::{Sink, text};
use crate::source::Place;
use model::{Level, Plant};

/// More than this share of red process alarms is warned of, in percent (domain practice: under 5 % highest).
const RED_PERCENT_MAX: usize = 5;
/// With fewer conditions a share says nothing.
const CONDITIONS_MIN: usize = 40;

/// How many process conditions stand at each level, blue first; data faults and the engine's own alarms are left out.
pub fn level_shares(plant: &Plant) -> [usize; 4] {
    let mut counts = [0; 4];
    let own = |tag: &&model::plant::Tag| !matches!(tag.signal, model::Signal::Gateway | model::Signal::System);
    for rule in plant.tags.iter().filter(own).flat_map(|tag| &tag.conditions) {
        if !rule.condition.is_data_fault() {
            counts[rule.level.at()] += 1;
        }
    }
    counts
}

/// Warns of too much red.
pub(crate) fn check(plant: &Plant, place: Place<'_>, sink: &mut Sink) {
    let counts = level_shares(plant);
    let (red, all) = (counts[Level::Red.at()], counts.iter().sum::<usize>());
    if all >= CONDITIONS_MIN && red * 100 > all * RED_PERCENT_MAX {
        let percent = red as f64 * 100.0 / all as f64;
        let fault = text(
            format!("红色报警占 {percent:.1} %({red} / {all}),超过 {RED_PERCENT_MAX} %:处处是红,红就没人看了"),
            format!("{percent:.1} % of the alarms are red ({red} of {all}), more than {RED_PERCENT_MAX} %: where all is red, none is"),
        );
        sink.push(place.warning("too-much-red", fault));
    }
}
