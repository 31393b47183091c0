//! Instants as people at the plant read them: civil time, which is UTC plus a fixed offset.

use jiff::civil::DateTime;
use model::{Duration, Timestamp};

/// Civil date and time of an instant; none where the stamp lies outside the calendar, which only a broken gateway sends.
fn civil(at: Timestamp, utc_offset: Duration) -> Option<DateTime> {
    let offset = jiff::tz::Offset::from_seconds(i32::try_from(utc_offset.as_secs()).ok()?).ok()?;
    Some(offset.to_datetime(jiff::Timestamp::from_microsecond(at.0).ok()?))
}

/// `14:05` on the day of `now`, `11-23 14:05` in the same year, else with the year: a late message must not pass for today's.
pub(crate) fn short(at: Timestamp, now: Timestamp, utc_offset: Duration) -> String {
    let Some(local) = civil(at, utc_offset) else { return "?".to_owned() };
    let today = civil(now, utc_offset);
    let format = match today {
        Some(today) if today.date() == local.date() => "%H:%M",
        Some(today) if today.year() == local.year() => "%m-%d %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    local.strftime(format).to_string()
}

/// `2024-11-24 14:05:12`.
pub(crate) fn long(at: Timestamp, utc_offset: Duration) -> String {
    civil(at, utc_offset).map_or_else(|| "?".to_owned(), |local| local.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    const CHINA: Duration = Duration::from_secs(8 * 3600);

    #[test]
    fn a_time_of_another_day_shows_its_date() {
        // 2024-11-24 06:05:00 UTC
        let at = Timestamp::from_secs(1_732_428_300);
        assert_eq!(short(at, at, CHINA), "14:05");
        assert_eq!(short(at - Duration::from_secs(86_400), at, CHINA), "11-23 14:05");
        assert_eq!(short(Timestamp(0), at, CHINA), "1970-01-01 08:00");
        assert_eq!(long(at, CHINA), "2024-11-24 14:05:00");
        assert_eq!(short(Timestamp::MIN, at, CHINA), "?");
    }
}
