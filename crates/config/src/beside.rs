//! The sections of `policies.toml` about what stands beside the alarms' state: how long windows may be, when an
//! acknowledgement runs out, and what counts as chattering or as a flood.

use crate::fault::{Sink, text};
use crate::table::Table;
use crate::values::{choose, duration, parse_duration};
use model::plant::{AcknowledgementEnd, BesidePolicy};
use model::{Duration, Level, bounds};

/// The longest time any of these may have.
const LONGEST: Duration = Duration::from_mins(366 * 24 * 60);
/// The longest time in which raises or announcements are counted.
const COUNTED_MAX: Duration = Duration::from_mins(24 * 60);

/// The sections as written.
#[derive(Clone, Copy, Default)]
pub(crate) struct RawBeside {
    windows: Option<Windows>,
    acknowledgement: Option<(AcknowledgementEnd, bool)>,
    chattering: Option<Counted>,
    flood: Option<(u32, u32, Duration)>,
}

#[derive(Clone, Copy)]
struct Windows {
    shelved: [Duration; 4],
    out_of_service: Duration,
    test: Duration,
}

#[derive(Clone, Copy)]
struct Counted {
    raises: u32,
    within: Duration,
    calm: Duration,
}

impl RawBeside {
    /// Takes from `other` what is missing here.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            windows: self.windows.or(other.windows),
            acknowledgement: self.acknowledgement.or(other.acknowledgement),
            chattering: self.chattering.or(other.chattering),
            flood: self.flood.or(other.flood),
        }
    }

    /// The policy; `None` where a section has a fault.
    pub(crate) fn policy(&self) -> Option<BesidePolicy> {
        let (windows, chattering) = (self.windows?, self.chattering?);
        let (acknowledgement_end, acknowledgement_tells_again) = self.acknowledgement?;
        let (flood_starts_above, flood_ends_below, flood_within) = self.flood?;
        Some(BesidePolicy {
            shelved_max: windows.shelved,
            out_of_service_max: windows.out_of_service,
            test_max: windows.test,
            acknowledgement_end,
            acknowledgement_tells_again,
            chattering_raises: chattering.raises,
            chattering_within: chattering.within,
            chattering_calm: chattering.calm,
            flood_starts_above,
            flood_ends_below,
            flood_within,
        })
    }
}

pub(crate) fn read(file: &mut Table<'_, '_>, sink: &mut Sink) -> RawBeside {
    RawBeside {
        windows: file.table("windows", sink, read_windows).flatten(),
        acknowledgement: file.table("acknowledgement", sink, read_acknowledgement).flatten(),
        chattering: file.table("chattering", sink, read_chattering).flatten(),
        flood: file.table("flood", sink, read_flood).flatten(),
    }
}

fn read_windows(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Windows> {
    let at_least = Duration::from_mins(1);
    let shelved = table.table("shelved_max", sink, |table, sink| {
        let lengths = Level::ALL.map(|level| length(table, level.name(), (at_least, LONGEST), sink));
        let [blue, yellow, orange, red] = lengths;
        let lengths = [blue?, yellow?, orange?, red?];
        if lengths.windows(2).any(|pair| pair[0] < pair[1]) {
            let fault = text("等级高的可搁置时间不能比等级低的长", "a higher level may not be shelved longer than a lower one");
            sink.push(table.place().error("shelved-max", fault));
            return None;
        }
        Some(lengths)
    });
    let shelved = table.required("shelved_max", shelved, sink);
    let out_of_service = length(table, "out_of_service_max", (at_least, LONGEST), sink);
    let test = length(table, "test_max", (at_least, bounds::TEST_MAX), sink);
    Some(Windows { shelved: shelved??, out_of_service: out_of_service?, test: test? })
}

fn read_acknowledgement(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<(AcknowledgementEnd, bool)> {
    let ends = table.required_string("ends", sink)?;
    let again = table.bool("tell_again", sink).is_some_and(|again| again.value);
    let end = choose(&ends, acknowledgement_end, ["shift-change", "never", "8h"], sink)?;
    Some((end, again))
}

/// `shift-change`, `never`, or a length of time of a minute at least.
fn acknowledgement_end(written: &str) -> Option<AcknowledgementEnd> {
    match written {
        "shift-change" | "交接班" => Some(AcknowledgementEnd::ShiftChange),
        "never" | "不过期" => Some(AcknowledgementEnd::Never),
        _ => parse_duration(written).filter(|length| (Duration::from_mins(1)..=LONGEST).contains(length)).map(AcknowledgementEnd::After),
    }
}

fn read_chattering(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Counted> {
    let raises = count(table, "raises", 2, sink);
    let within = length(table, "within", (Duration::from_secs(1), COUNTED_MAX), sink);
    let calm = length(table, "calm", (Duration::from_secs(1), COUNTED_MAX), sink);
    Some(Counted { raises: raises?, within: within?, calm: calm? })
}

fn read_flood(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<(u32, u32, Duration)> {
    let starts = count(table, "starts_above", 1, sink);
    let ends = count(table, "ends_below", 1, sink);
    let within = length(table, "within", (Duration::from_secs(1), COUNTED_MAX), sink);
    let (starts, ends) = (starts?, ends?);
    if ends > starts {
        let fault = text("结束的数不能比开始的数大", "a flood cannot end above the number it starts at");
        sink.push(table.place().error("flood", fault));
        return None;
    }
    Some((starts, ends, within?))
}

fn length(table: &mut Table<'_, '_>, key: &'static str, bounds: (Duration, Duration), sink: &mut Sink) -> Option<Duration> {
    let value = duration(table, key, bounds, sink);
    table.required(key, value, sink).map(|length| length.value)
}

fn count(table: &mut Table<'_, '_>, key: &'static str, least: i64, sink: &mut Sink) -> Option<u32> {
    let value = table.integer(key, (least, bounds::RAISES_KEPT_MAX as i64), sink);
    table.required(key, value, sink).and_then(|count| u32::try_from(count.value).ok())
}
