//! The figures of an alarm system, by ISA-18.2 and EEMUA 191: how much is asked of an operator, and what asks it.
//!
//! Only annunciations count, what an operator was called for: acknowledgements, shelving and data that came and went do not. A position is
//! one enterprise's control room. Ten-minute stretches begin with the span; each weighs in a share as much as lies within the span, and a
//! span shorter than ten minutes is taken as ten for the rate: five alarms in one minute are no fifty in ten.

use model::{AlarmId, BodyId, Duration, Level, TagId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Add as _;

/// The stretch in which alarms are counted.
pub const STRETCH: Duration = Duration::from_mins(10);
/// More than this in one stretch is a peak, and the beginning of a flood.
pub const FLOOD_STARTS_ABOVE: u32 = 10;
/// Fewer than this in one stretch ends a flood.
pub const FLOOD_ENDS_BELOW: u32 = 5;
/// Standing longer than this is stale.
pub const STALE_AFTER: Duration = Duration::from_mins(24 * 60);
/// So many raises of one alarm within [`CHATTER_WITHIN`] are chattering.
pub const CHATTER_RAISES: usize = 3;
/// See [`CHATTER_RAISES`].
pub const CHATTER_WITHIN: Duration = Duration::from_secs(60);
/// An alarm gone within this, with no other of its kind for [`CHATTER_WITHIN`], is fleeting.
pub const FLEETING_BELOW: Duration = Duration::from_secs(10);

/// One alarm from raise to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Which alarm.
    pub alarm: AlarmId,
    /// Its level; that of its announcement where people were told.
    pub level: Level,
    /// On the tag's time.
    pub raised: Timestamp,
    /// On the tag's time; none while it stands.
    pub returned: Option<Timestamp>,
    /// When people were told; none where it was only recorded or folded.
    pub announced: Option<Timestamp>,
}

/// The figures of one span.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Annunciations.
    pub alarms: usize,
    /// Control rooms they came to or could have come to.
    pub positions: usize,
    /// Annunciations per position and ten minutes.
    pub per_stretch: f64,
    /// The most at one position within any ten minutes, wherever they begin.
    pub most_in_stretch: u32,
    /// Share of time in stretches with more than ten.
    pub peak_share: f64,
    /// Share of time in stretches in a flood.
    pub flood_share: f64,
    /// The ten tags that alarm most, with their counts.
    pub top_tags: Vec<(String, usize)>,
    /// Share of the load that they are.
    pub top_share: f64,
    /// Alarms that chattered.
    pub chattering: usize,
    /// Fleeting annunciations.
    pub fleeting: usize,
    /// Standing for more than a day.
    pub stale: usize,
    /// Annunciations by level, in the order of [`Level::at`].
    pub by_level: [usize; 4],
}

/// Works the figures out for `[from, to)`. `positions` are the enterprises looked at, those without any alarm too.
pub fn figures(episodes: &[Episode], positions: &[BodyId], from: Timestamp, to: Timestamp) -> Figures {
    let told: Vec<(&Episode, Timestamp)> =
        episodes.iter().filter_map(|episode| Some((episode, episode.announced?))).filter(|(_, at)| *at >= from && *at < to).collect();
    let mut at_position: BTreeMap<&BodyId, Vec<Timestamp>> = positions.iter().map(|body| (body, Vec::new())).collect();
    let (mut by_tag, mut by_level): (BTreeMap<&TagId, usize>, _) = (BTreeMap::new(), [0; 4]);
    for (episode, at) in &told {
        *by_tag.entry(&episode.alarm.tag).or_default() += 1;
        by_level[episode.level.at()] += 1;
        at_position.entry(&episode.alarm.tag.enterprise).or_default().push(*at);
    }
    at_position.values_mut().for_each(|times| times.sort());
    let counts: Vec<Vec<u32>> = at_position.values().map(|times| by_stretch(times, from, to)).collect();
    let length = |stretch: usize| {
        let begin = from + STRETCH.times(stretch as i64);
        to.since(begin).min(STRETCH).as_secs_f64()
    };
    let all = to.since(from).as_secs_f64() * counts.len() as f64;
    let share = |of: &dyn Fn(&[u32]) -> Vec<bool>| {
        let lengths = counts.iter().flat_map(|counts| of(counts).into_iter().enumerate()).filter(|(_, is)| *is).map(|(at, _)| length(at));
        if all <= 0.0 { 0.0 } else { lengths.fold(0.0, f64::add) / all }
    };
    let mut top: Vec<(String, usize)> = by_tag.iter().map(|(tag, count)| (tag.to_string(), *count)).collect();
    top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    top.truncate(10);
    let of_top: usize = top.iter().map(|(_, count)| count).sum();
    let stretches = to.since(from).max(STRETCH).as_secs_f64() / STRETCH.as_secs_f64();
    Figures {
        alarms: told.len(),
        positions: counts.len(),
        per_stretch: if counts.is_empty() { 0.0 } else { told.len() as f64 / counts.len() as f64 / stretches },
        most_in_stretch: at_position.values().map(|times| most_within(times)).max().unwrap_or(0),
        peak_share: share(&|counts| counts.iter().map(|count| *count > FLOOD_STARTS_ABOVE).collect()),
        flood_share: share(&flooded),
        top_share: if told.is_empty() { 0.0 } else { of_top as f64 / told.len() as f64 },
        top_tags: top,
        chattering: chattering(episodes).len(),
        fleeting: fleeting(&told, episodes),
        stale: episodes.iter().filter(|episode| episode.returned.unwrap_or(to).since(episode.raised) > STALE_AFTER).count(),
        by_level,
    }
}

/// How many fall into each stretch of the span, the last one cut short with it.
fn by_stretch(times: &[Timestamp], from: Timestamp, to: Timestamp) -> Vec<u32> {
    let stretches = usize::try_from(to.since(from).0.max(0)).unwrap_or(0).div_ceil(STRETCH.0 as usize);
    let mut counts = vec![0; stretches];
    for at in times {
        let place = usize::try_from(at.since(from).0 / STRETCH.0).unwrap_or(usize::MAX);
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    counts
}

/// The most within any ten minutes.
fn most_within(times: &[Timestamp]) -> u32 {
    let (mut first, mut most) = (0, 0);
    for (last, at) in times.iter().enumerate() {
        while at.since(times[first]) >= STRETCH {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// Which stretches are in a flood: from one with more than ten up to, and without, the first with fewer than five.
fn flooded(counts: &[u32]) -> Vec<bool> {
    let mut in_flood = false;
    let next = |count: &u32| {
        in_flood = if in_flood { *count >= FLOOD_ENDS_BELOW } else { *count > FLOOD_STARTS_ABOVE };
        in_flood
    };
    counts.iter().map(next).collect()
}

/// When each alarm was raised, told or not, in order.
fn raises(episodes: &[Episode]) -> BTreeMap<&AlarmId, Vec<Timestamp>> {
    let mut raises: BTreeMap<&AlarmId, Vec<Timestamp>> = BTreeMap::new();
    for episode in episodes {
        raises.entry(&episode.alarm).or_default().push(episode.raised);
    }
    raises.values_mut().for_each(|times| times.sort());
    raises
}

/// Alarms raised [`CHATTER_RAISES`] times within [`CHATTER_WITHIN`], with how often that was.
pub fn chattering(episodes: &[Episode]) -> BTreeMap<AlarmId, usize> {
    let often = |at: &[Timestamp]| at.windows(CHATTER_RAISES).filter(|of| of[CHATTER_RAISES - 1].since(of[0]) <= CHATTER_WITHIN).count();
    let counts = raises(episodes).into_iter().map(|(alarm, at)| (alarm.clone(), often(&at)));
    counts.filter(|(_, times)| *times > 0).collect()
}

/// Annunciations that were short and alone. A repeat counts though it was folded in and told to nobody.
fn fleeting(told: &[(&Episode, Timestamp)], episodes: &[Episode]) -> usize {
    let raises = raises(episodes);
    let short = |episode: &Episode| episode.returned.is_some_and(|returned| returned.since(episode.raised) < FLEETING_BELOW);
    let alone = |episode: &Episode| {
        let at = raises.get(&episode.alarm).map_or(&[][..], Vec::as_slice);
        let near =
            at.partition_point(|at| *at < episode.raised - CHATTER_WITHIN)..at.partition_point(|at| *at <= episode.raised + CHATTER_WITHIN);
        near.len() <= 1
    };
    told.iter().filter(|(episode, _)| short(episode) && alone(episode)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Condition;

    fn episode(tag: &str, raised: i64, lasts: i64, level: Level) -> Episode {
        let alarm = AlarmId { tag: TagId::new("hx", tag), condition: Condition::High };
        let at = Timestamp::from_secs(raised);
        Episode { alarm, level, raised: at, returned: (lasts >= 0).then(|| at + Duration::from_secs(lasts)), announced: Some(at) }
    }
    fn of(episodes: &[Episode], minutes: i64) -> Figures {
        figures(episodes, &["hx".into()], Timestamp(0), Timestamp(0) + Duration::from_mins(minutes))
    }

    #[test]
    fn rate_is_per_position_and_ten_minutes() {
        // 6 alarms in an hour at one of two positions: 6 / 2 / 6 = 0.5.
        let six: Vec<_> = (0..6).map(|n| episode("A", n * 600, 60, Level::Blue)).collect();
        let figures = figures(&six, &["hx".into(), "other".into()], Timestamp(0), Timestamp::from_secs(3_600));
        assert_eq!((figures.alarms, figures.positions, figures.per_stretch, figures.most_in_stretch), (6, 2, 0.5, 1));
        assert_eq!((figures.peak_share, figures.flood_share), (0.0, 0.0));
        assert!(figures.peak_share.is_sign_positive(), "nobody reads −0.00 %");
    }

    #[test]
    fn a_flood_begins_above_ten_and_ends_below_five() {
        // Counts by stretch: 10, 11, 7, 5, 4, 6. Ten is no flood; 11 begins one, 7 and 5 go on, 4 ends it, 6 begins none.
        let counts = [10, 11, 7, 5, 4, 6];
        let mut episodes = Vec::new();
        for (stretch, count) in counts.iter().enumerate() {
            episodes.extend((0..*count).map(|n| episode(&format!("T{n}"), stretch as i64 * 600 + n, 60, Level::Blue)));
        }
        let figures = of(&episodes, 60);
        assert_eq!(figures.alarms, 43);
        assert_eq!(figures.flood_share, 3.0 / 6.0);
        assert_eq!(figures.peak_share, 1.0 / 6.0);
        assert_eq!(figures.most_in_stretch, 11);
    }

    #[test]
    fn a_span_of_minutes_has_its_figures_too() {
        // 12 alarms in 4 minutes, 3 of them red: no whole stretch, and all the same a peak, a flood, and reds that are not lost.
        let levels = |n| if n < 3 { Level::Red } else { Level::Blue };
        let burst: Vec<_> = (0..12).map(|n| episode(&format!("T{n}"), n * 20, 600, levels(n))).collect();
        let figures = of(&burst, 4);
        assert_eq!(
            (figures.alarms, figures.most_in_stretch, figures.per_stretch),
            (12, 12, 12.0),
            "no 30 in ten minutes: only four passed"
        );
        assert_eq!((figures.peak_share, figures.flood_share), (1.0, 1.0));
        assert_eq!(figures.by_level[Level::Red.at()], 3);
    }

    #[test]
    fn a_stretch_cut_short_weighs_as_much_as_there_is_of_it() {
        // 20 + 5 minutes; 11 alarms in the last 5 are a fifth of the time.
        let late: Vec<_> = (0..11).map(|n| episode(&format!("T{n}"), 1_200 + n, 60, Level::Blue)).collect();
        let figures = of(&late, 25);
        assert_eq!((figures.peak_share, figures.flood_share, figures.per_stretch), (0.2, 0.2, 11.0 / 2.5));
    }

    #[test]
    fn the_most_in_ten_minutes_does_not_depend_on_where_they_begin() {
        // Four before and four after a border of stretches, all within three minutes.
        let across: Vec<_> = (0..8).map(|n| episode(&format!("T{n}"), 500 + n * 25, 60, Level::Blue)).collect();
        assert_eq!(of(&across, 60).most_in_stretch, 8);
        let apart = [episode("A", 0, 5, Level::Blue), episode("B", 600, 5, Level::Blue)];
        assert_eq!(of(&apart, 60).most_in_stretch, 1, "ten minutes apart is not within ten minutes");
    }

    #[test]
    fn a_repeat_that_was_folded_in_is_a_repeat_all_the_same() {
        let again = Episode { announced: None, ..episode("A", 50, 5, Level::Blue) };
        assert_eq!(of(&[episode("A", 0, 5, Level::Blue), again], 10).fleeting, 0);
    }

    #[test]
    fn the_ten_worst_tags_are_named_with_their_share() {
        // T0 once, T1 twice, … T11 twelve times: 78 in all; the ten worst are T11 to T2: 78 − 1 − 2 = 75.
        let episodes: Vec<_> =
            (0..12).flat_map(|tag| (0..=tag).map(move |n| episode(&format!("T{tag}"), n * 400 + tag, 60, Level::Blue))).collect();
        let figures = of(&episodes, 24 * 60);
        assert_eq!(figures.top_tags.len(), 10);
        assert_eq!(figures.top_tags[0], ("hx/T11".to_owned(), 12));
        assert_eq!(figures.top_share, 75.0 / 78.0);
    }

    #[test]
    fn three_raises_within_a_minute_chatter_and_two_do_not() {
        let chatter = [0, 30, 60].map(|at| episode("A", at, 5, Level::Blue));
        let calm = [0, 30, 61].map(|at| episode("B", at, 5, Level::Blue));
        assert_eq!(of(&chatter, 10).chattering, 1);
        assert_eq!(of(&calm, 10).chattering, 0);
    }

    #[test]
    fn fleeting_is_short_and_alone_and_stale_is_more_than_a_day() {
        let short = episode("A", 0, 9, Level::Blue);
        let long = episode("B", 0, 10, Level::Blue);
        let repeated = [episode("C", 0, 5, Level::Blue), episode("C", 50, 5, Level::Blue)];
        let all: Vec<_> = [short, long].into_iter().chain(repeated).collect();
        assert_eq!(of(&all, 10).fleeting, 1);
        let day = 24 * 3_600;
        let standing = [episode("A", 0, -1, Level::Red), episode("B", 0, day, Level::Red), episode("C", 0, day + 1, Level::Red)];
        assert_eq!(of(&standing, 48 * 60).stale, 2, "one still stands, one stood a second more than a day");
        assert_eq!(of(&standing, 48 * 60).by_level, [0, 0, 0, 3]);
    }

    #[test]
    fn what_was_only_recorded_is_not_counted_and_nothing_divides_by_zero() {
        let silent = Episode { announced: None, ..episode("A", 0, 5, Level::Blue) };
        assert_eq!(of(&[silent], 10).alarms, 0);
        let none = figures(&[], &[], Timestamp(0), Timestamp(0));
        assert_eq!((none.per_stretch, none.top_share, none.flood_share), (0.0, 0.0, 0.0));
    }
}
