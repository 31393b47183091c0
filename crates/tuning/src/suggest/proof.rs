//! All suggestions together, held against every alarm that was real.

use super::{Real, Suggestion, applied, raised_from};
use crate::backtest::{Comparison, Difference};
use model::plant::Plant;
use model::{AlarmId, Duration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is left of some suggestions, and the run that proves it.
#[derive(Debug)]
pub struct Proof {
    /// Those that stand.
    pub suggestions: Vec<Suggestion>,
    /// Those that do not, with what would become of real alarms.
    pub left_out: Vec<(Suggestion, Vec<Difference>)>,
    /// The plant as it is beside the plant with all that stand.
    pub together: Comparison,
    /// What the real alarms say of it.
    pub held: Held,
}

/// Runs all suggestions together by `compare`, and leaves out what touches a real alarm until nothing does.
pub fn prove<E>(
    plant: &Plant,
    mut suggestions: Vec<Suggestion>,
    real: &Real,
    mut compare: impl FnMut(&Arc<Plant>) -> Result<Comparison, E>,
) -> Result<Proof, E> {
    let mut left_out = Vec::new();
    loop {
        let together = compare(&Arc::new(applied(plant, &suggestions)))?;
        let held = hold(real, &together);
        if held.broken.is_empty() || suggestions.is_empty() {
            return Ok(Proof { suggestions, left_out, together, held });
        }
        left_out.extend(leave_out(&mut suggestions, held.broken));
    }
}

/// What the real alarms say of all suggestions together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Real alarms in the record, each once.
    pub real: usize,
    /// What would become of those that are not raised and told as they are today.
    pub broken: Vec<Difference>,
}

/// Holds a comparison against the real alarms of its time: each must be raised at the same moment, be told as early, and weigh as much.
fn hold(real: &Real, comparison: &Comparison) -> Held {
    // A reading may be older than when it was taken.
    let began = comparison.from - Duration::from_mins(1);
    let episodes = &comparison.answered.0.episodes;
    let mut wanted: BTreeSet<(&AlarmId, Timestamp)> = BTreeSet::new();
    for (alarm, times) in real {
        let within = times.iter().filter(|since| **since >= began && **since < comparison.to);
        wanted.extend(within.filter_map(|since| Some((alarm, raised_from(episodes, alarm, *since)?))));
    }
    let breaks = |difference: &&Difference| match difference.sides() {
        (Some(before), after) => {
            let is_elsewhere = after.is_some_and(|after| after.raised != before.raised);
            (difference.takes() || is_elsewhere) && wanted.contains(&(&before.alarm, before.raised))
        }
        (None, _) => false,
    };
    Held { real: wanted.len(), broken: comparison.differences.iter().filter(breaks).cloned().collect() }
}

/// Leaves out the suggestions on tags whose real alarms are broken, or all where the tags have none: whichever does it, the rest is not
/// proved. Gives back those left out, each with what it breaks.
fn leave_out(suggestions: &mut Vec<Suggestion>, broken: Vec<Difference>) -> Vec<(Suggestion, Vec<Difference>)> {
    let of = |one: &Suggestion| -> Vec<Difference> {
        broken.iter().filter(|difference| difference.alarm().tag == one.alarm.tag).cloned().collect()
    };
    let left_out: Vec<_> = suggestions
        .extract_if(.., |one| !of(one).is_empty())
        .map(|one| {
            let why = of(&one);
            (one, why)
        })
        .collect();
    if left_out.is_empty() {
        return std::mem::take(suggestions).into_iter().map(|one| (one, broken.clone())).collect();
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::super::Remedy;
    use super::*;
    use crate::backtest::{RunResult, compare};
    use crate::kpi::Episode;
    use model::{Condition, Level, TagId};

    fn at(place: i64) -> Timestamp {
        Timestamp::from_secs(1_736_121_600 + 5 * place)
    }
    fn episode(place: i64) -> Episode {
        let alarm = AlarmId { tag: TagId::new("tep", "XMEAS-7"), condition: Condition::High };
        Episode { alarm, level: Level::Orange, raised: at(place), returned: Some(at(place + 5)), announced: Some(at(place)) }
    }
    fn run(episodes: Vec<Episode>) -> RunResult {
        RunResult { episodes, ..RunResult::default() }
    }

    #[test]
    fn all_together_are_held_against_the_real_alarms() {
        let before = [episode(10), episode(20), episode(30)];
        let held = |after: Vec<Episode>, real: &[i64]| {
            let sides = || (run(before.to_vec()), run(after.clone()));
            let comparison = compare(sides(), sides(), &["tep".into()], (at(0), at(100)));
            let real = Real::from([(episode(0).alarm, real.iter().map(|place| at(*place)).collect())]);
            let held = hold(&real, &comparison);
            (held.real, held.broken.iter().map(Difference::kind).collect::<Vec<_>>())
        };
        assert_eq!(held(before.to_vec(), &[-90, 10, 20, 20, 300]), (2, vec![]), "one of long ago and one of later are none of these");
        assert_eq!(held(vec![episode(10), episode(30)], &[10, 30]), (2, vec![]));
        assert_eq!(held(vec![episode(10), episode(30)], &[10, 20]), (2, vec!["lost"]));
        assert_eq!(held(vec![episode(10), episode(21), episode(30)], &[20]), (1, vec!["moved"]));
        assert_eq!(held(vec![episode(10), episode(19), episode(30)], &[20]), (1, vec!["moved"]), "it must be the same moment");
        let untold = Episode { announced: None, ..episode(20) };
        assert_eq!(held(vec![episode(10), untold, episode(30)], &[20]), (1, vec!["no-longer-told"]));
        let told_late = Episode { announced: Some(at(22)), ..episode(20) };
        assert_eq!(held(vec![episode(10), told_late, episode(30)], &[20]), (1, vec!["moved"]));
        let (lower, higher) = (Episode { level: Level::Blue, ..episode(20) }, Episode { level: Level::Red, ..episode(20) });
        assert_eq!(held(vec![episode(10), lower, episode(30)], &[20]), (1, vec!["level-changed"]));
        assert_eq!(held(vec![episode(10), higher, episode(30)], &[20]), (1, vec![]));
    }

    fn suggestion(tag: &str) -> Suggestion {
        let alarm = AlarmId { tag: TagId::new("tep", tag), condition: Condition::High };
        Suggestion { alarm, remedy: Remedy::Deadband(1.0), with: Vec::new(), now: 0.0, before: 9, after: 1, real: 0 }
    }

    #[test]
    fn what_breaks_a_real_alarm_is_left_out_and_the_rest_is_run_again() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/tep");
        let plant = config::load(&folder).unwrap_or_else(|faults| panic!("{}", faults.render(config::Lang::En, false))).plant;
        let [one, other] = ["XMEAS-7", "XMEAS-8"].map(suggestion);
        let alarm = |tag: &str| AlarmId { tag: TagId::new("tep", tag), condition: Condition::High };
        let episode = |tag: &str| Episode { alarm: alarm(tag), ..episode(10) };
        let is_tried = |tried: &Plant, tag: &str| {
            let of = |plant: &Plant| plant.tag_index(&TagId::new("tep", tag)).map(|index| plant.tag(index).conditions.clone());
            of(tried) != of(&plant)
        };
        let real = Real::from([(alarm("XMEAS-7"), vec![at(10)]), (alarm("XMEAS-8"), vec![at(10)])]);
        let mut runs = 0;
        // With the change of XMEAS-7 its real alarm is not raised any more, though it was by itself.
        let mut compared = |tried: &Arc<Plant>| {
            runs += 1;
            let before = vec![episode("XMEAS-7"), episode("XMEAS-8")];
            let after = if is_tried(tried, "XMEAS-7") { vec![episode("XMEAS-8")] } else { before.clone() };
            let sides = || (run(before.clone()), run(after.clone()));
            Ok::<_, ()>(compare(sides(), sides(), &["tep".into()], (at(0), at(100))))
        };
        let proof = prove(&plant, vec![one.clone(), other.clone()], &real, &mut compared).unwrap();
        assert_eq!(proof.suggestions, [other]);
        assert_eq!(proof.left_out.iter().map(|(left_out, _)| left_out).collect::<Vec<_>>(), [&one]);
        assert_eq!(proof.left_out[0].1.iter().map(Difference::kind).collect::<Vec<_>>(), ["lost"]);
        assert_eq!((proof.held, runs), (Held { real: 2, broken: Vec::new() }, 2));
    }

    #[test]
    fn what_breaks_a_real_alarm_is_left_out_and_where_nobody_knows_which_all_are() {
        let broken = |tag: &str| {
            let alarm = AlarmId { tag: TagId::new("tep", tag), condition: Condition::Low };
            Difference::Lost(Episode { alarm, level: Level::Blue, raised: at(0), returned: None, announced: None })
        };
        let mut found = vec![suggestion("A"), suggestion("B"), suggestion("C")];
        let left_out = leave_out(&mut found, vec![broken("B"), broken("Z")]);
        assert_eq!(left_out, [(suggestion("B"), vec![broken("B")])]);
        assert_eq!(found, [suggestion("A"), suggestion("C")]);
        let left_out = leave_out(&mut found, vec![broken("Z")]);
        assert_eq!(left_out, [suggestion("A"), suggestion("C")].map(|one| (one, vec![broken("Z")])));
        assert!(found.is_empty());
    }
}
