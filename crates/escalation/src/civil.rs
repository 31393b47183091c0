//! Case numbers for people: month and day in civil time and the how-manieth of the enterprise on that day.

use crate::{Escalation, Numbers};
use model::{BodyId, Duration, Timestamp};

/// Days since 1970 in civil time.
fn civil_day(at: Timestamp, utc_offset: Duration) -> i64 {
    (at + utc_offset).0.div_euclid(86_400_000_000)
}

/// Month and day of a day since 1970, proleptic Gregorian (Hinnant's days-to-civil).
fn month_and_day(days: i64) -> (i64, i64) {
    let shifted = days + 719_468;
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (month, day)
}

impl Escalation {
    /// The next number of an enterprise, such as `1124-03`.
    pub(crate) fn next_number(&mut self, enterprise: &BodyId, now: Timestamp) -> String {
        let day = civil_day(now, self.plant.utc_offset);
        let numbers = self.numbers.entry(enterprise.clone()).or_insert(Numbers { day, used: 0 });
        if numbers.day != day {
            *numbers = Numbers { day, used: 0 };
        }
        numbers.used += 1;
        let (month, date) = month_and_day(day);
        self.changed.insert(format!("number/{enterprise}"));
        format!("{month:02}{date:02}-{:02}", numbers.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_days_have_the_right_month_and_day() {
        let of = |secs| month_and_day(civil_day(Timestamp::from_secs(secs), Duration::from_mins(480)));
        assert_eq!(of(0), (1, 1));
        assert_eq!(of(1_732_451_674), (11, 24));
        // 2024-02-28 16:00 UTC is the leap day in China.
        assert_eq!(of(1_709_136_000), (2, 29));
        assert_eq!(of(1_709_136_000 - 1), (2, 28));
        assert_eq!(of(1_735_660_800), (1, 1));
    }
}
