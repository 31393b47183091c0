//! The simulated county: quiet on its own, disturbed only as it is told.

use super::*;
use model::plant::{ConditionRule, DataSheet, Equipment, Hazard, LevelPolicy, Policies, Tag};
use model::{Level, RuleVersion, TagId, Tier};

/// How often a reading is taken.
const INTERVAL: Duration = Duration::from_secs(30);
/// 2025-03-02, 00:00 in China.
const MIDNIGHT: Timestamp = Timestamp::from_secs(1_740_844_800);
/// Rounds of one day.
const DAY: i64 = 24 * 60 * 2;
/// As many tags as the demo's county has.
const TAGS: usize = 671;

/// Signal, range, low and high limit.
type Sheet = (Signal, (f64, f64), Option<f64>, f64);
const TANK: [Sheet; 4] = [
    (Signal::Temperature, (0.0, 100.0), None, 45.0),
    (Signal::Level, (0.0, 12.0), Some(1.0), 10.0),
    (Signal::Pressure, (0.0, 1.6), None, 0.8),
    (Signal::Combustible, (0.0, 100.0), None, 25.0),
];

fn rule(condition: Condition, setpoint: f64) -> ConditionRule {
    ConditionRule::new(condition, setpoint, Level::Yellow)
}

fn plant(tags: usize) -> Arc<Plant> {
    let tag = |number: usize| {
        let (signal, range, low, high) = TANK[number % TANK.len()];
        let sheet =
            DataSheet { range: Some(range), sample_interval: INTERVAL, stale_after: Duration::from_mins(5), ..DataSheet::new(signal) };
        Tag {
            name: "".into(),
            sheet: sheet.into(),
            conditions: low.map(|low| rule(Condition::Low, low)).into_iter().chain([rule(Condition::High, high)]).collect(),
            ..Tag::new(TagId::new("xinghua", format!("T{number:04}")), signal)
        }
    };
    let level = |level| LevelPolicy {
        level,
        sign_within: Duration::from_mins(5),
        remind_every: None,
        tell: vec![],
        handle_within: Duration::from_mins(60),
        closed_by: Tier::ENTERPRISE,
    };
    Arc::new(Plant {
        version: RuleVersion::new("v1"),
        tiers: vec![],
        bodies: vec![],
        people: vec![],
        channels: vec![],
        equipment: vec![Equipment {
            enterprise: "xinghua".into(),
            id: "V-101".into(),
            name: "".into(),
            is_area: false,
            hazard: Hazard::None,
            zone: None,
            modes: None,
        }],
        gateways: vec![],
        tags: (0..tags).map(tag).collect(),
        policies: Policies {
            levels: Level::ALL.map(level),
            data_fault_wait: Duration::from_mins(10),
            quiet: (0, 0),
            fold_within: Duration::from_mins(30),
            late_after: Duration::from_secs(60),
            late_hold: Duration::from_secs(30),
            clock_skew_max: Duration::from_secs(60),
            gateway_lost_percent: 80,
            gateway_lost_min: 3,
            siren_expiry: Duration::from_secs(30),
            beside: Default::default(),
        },
        utc_offset: Duration::from_mins(480),
    })
}

/// Reads every tag once.
fn round_of(county: &mut County, now: Timestamp) -> Vec<(f64, bool)> {
    let tags = county.plant().tags.len() as u32;
    let values = (0..tags).map(|index| county.read(TagIndex(index), now)).collect();
    county.tick(now);
    values
}

fn is_within(sheet: &Sheet, value: f64) -> bool {
    let (_, range, low, high) = sheet;
    value < *high && value > low.unwrap_or(range.0 - 1.0)
}

#[test]
fn the_same_seed_gives_the_same_values_and_another_gives_others() {
    let hour = |seed| {
        let mut county = County::new(plant(40), seed);
        (0..120).flat_map(|round| round_of(&mut county, MIDNIGHT + INTERVAL.times(round))).collect::<Vec<_>>()
    };
    assert_eq!(hour(7), hour(7));
    assert_ne!(hour(7), hour(8));
}

#[test]
fn a_quiet_day_stays_within_limits_but_for_about_one_alarm_per_hundred_tags() {
    let (mut excursions, mut seeds) = (0, 0);
    for seed in 1..=3 {
        let mut county = County::new(plant(TAGS), seed);
        let mut outside = vec![0_i64; TAGS];
        for round in 0..DAY {
            for (number, (value, good)) in round_of(&mut county, MIDNIGHT + INTERVAL.times(round)).into_iter().enumerate() {
                let (_, range, ..) = &TANK[number % TANK.len()];
                assert!(good && (range.0..=range.1).contains(&value), "T{number:04} reads {value}");
                if is_within(&TANK[number % TANK.len()], value) {
                    outside[number] = 0;
                    continue;
                }
                excursions += i32::from(outside[number] == 0);
                outside[number] += 1;
                assert!(INTERVAL.times(outside[number] - 1) <= EXCURSION, "T{number:04} does not come back");
            }
        }
        seeds += 1;
    }
    // Three days of 671 tags: 20 are expected; half and double of that are a matter of luck.
    assert!((10 * seeds / 3..=40 * seeds / 3).contains(&excursions), "{excursions} excursions");
}

#[test]
fn a_driven_value_reaches_its_target_and_eases_back_when_mended() {
    let (temperature, minute) = (TagIndex(0), Duration::from_mins(1));
    let mut county = County::new(plant(4), 1);
    let (quiet, _) = county.read(temperature, MIDNIGHT);
    county.set_fault(temperature, Fault::Drive { target: 80.0, over: minute.times(10) }, MIDNIGHT);
    let mut before = quiet;
    for minutes in 1..10 {
        let (value, _) = county.read(temperature, MIDNIGHT + minute.times(minutes));
        assert!(before < value && value < 80.0, "{value} after {minutes} minutes");
        before = value;
    }
    for minutes in [10, 30] {
        assert_eq!(county.read(temperature, MIDNIGHT + minute.times(minutes)), (80.0, true));
    }
    let mended = MIDNIGHT + minute.times(30);
    county.clear_fault(temperature, mended, minute.times(10));
    assert_eq!(county.read(temperature, mended).0, 80.0, "it does not jump");
    let (halfway, _) = county.read(temperature, mended + minute.times(5));
    assert!(quiet + 10.0 < halfway && halfway < 70.0, "{halfway}");
    let (back, _) = county.read(temperature, mended + minute.times(11));
    assert!(is_within(&TANK[0], back), "{back}");
}

#[test]
fn a_frozen_instrument_stands_still_and_a_bad_one_says_so() {
    let (temperature, level) = (TagIndex(0), TagIndex(1));
    let mut county = County::new(plant(4), 1);
    let before = round_of(&mut county, MIDNIGHT);
    county.set_fault(temperature, Fault::Freeze, MIDNIGHT);
    county.set_fault(level, Fault::Bad, MIDNIGHT);
    let after = round_of(&mut county, MIDNIGHT + Duration::from_mins(60));
    assert!((after[0].0 - before[0].0).abs() < 0.001 && after[0].1);
    assert!(!after[1].1);
}

#[test]
fn gas_detectors_idle_above_zero_and_far_below_the_limit() {
    let mut county = County::new(plant(TAGS), 5);
    for round in 0..120 {
        let values = round_of(&mut county, MIDNIGHT + INTERVAL.times(round));
        for number in (3..TAGS).step_by(TANK.len()).filter(|number| county.instruments[*number].excursion.is_none()) {
            let value = values[number].0;
            assert!(0.0 < value && value < 2.5, "T{number:04} idles at {value}");
        }
    }
}
