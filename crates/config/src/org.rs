//! `jurisdiction.toml` and `people.toml` as written: tiers, bodies, enterprises, people, rosters. Cross-checks are in `bodies`.

use crate::fault::{Sink, text};
use crate::source::{At, Place, Source};
use crate::table::{Table, named, with_document};
use crate::values::{parse_days, time_of_day};
use model::Duration;
use model::plant::{Shift, TierName};

/// The jurisdiction as written.
#[derive(Default)]
pub(crate) struct RawJurisdiction<'a> {
    pub(crate) tiers: Vec<RawTier<'a>>,
    pub(crate) bodies: Vec<RawBody<'a>>,
    pub(crate) utc_offset: Option<Duration>,
}

pub(crate) struct RawTier<'a> {
    pub(crate) id: At<'a, String>,
    pub(crate) name: TierName,
}

/// A body, or an enterprise with tier none.
pub(crate) struct RawBody<'a> {
    pub(crate) id: At<'a, String>,
    pub(crate) name: String,
    pub(crate) short_name: String,
    pub(crate) tier: Option<At<'a, String>>,
    pub(crate) parent: Option<At<'a, String>>,
    pub(crate) duty_phone: Option<At<'a, String>>,
    pub(crate) responsible: Vec<At<'a, String>>,
}

/// People of one body as written.
pub(crate) struct RawStaff<'a> {
    pub(crate) body: At<'a, String>,
    pub(crate) people: Vec<RawPerson<'a>>,
    pub(crate) roster: Vec<RawShift<'a>>,
    /// Some of it could not be read, so nothing is concluded from what is missing.
    pub(crate) faulty: bool,
}

pub(crate) struct RawPerson<'a> {
    pub(crate) id: At<'a, String>,
    pub(crate) name: String,
    pub(crate) channels: Vec<At<'a, String>>,
    pub(crate) place: Place<'a>,
}

pub(crate) struct RawShift<'a> {
    pub(crate) people: Vec<At<'a, String>>,
    pub(crate) shift: Shift,
}

/// The tiers shipped, used where the file names none.
const TIERS_DEFAULT: [(&str, &str, &str); 3] =
    [("enterprise", "企业", "enterprise"), ("township", "镇街/园区", "township or park"), ("county", "区县", "county")];

pub(crate) fn read_jurisdiction<'a>(source: &'a Source, sink: &mut Sink) -> RawJurisdiction<'a> {
    with_document(source, sink, |file, sink| {
        let tiers = file.tables("tier", sink, |table, sink| {
            let id = table.required_string("id", sink);
            let zh = table.required_string("zh", sink);
            let en = table.required_string("en", sink);
            Some(RawTier { id: id?, name: TierName { zh: zh?.value, en: en?.value } })
        });
        let shipped = || {
            let tier = |(id, zh, en): (&str, &str, &str)| RawTier {
                id: At { value: id.to_owned(), place: source.top() },
                name: TierName { zh: zh.to_owned(), en: en.to_owned() },
            };
            TIERS_DEFAULT.into_iter().map(tier).collect()
        };
        let mut bodies = file.tables("body", sink, |table, sink| read_body(table, true, sink)).unwrap_or_default();
        bodies.extend(file.tables("enterprise", sink, |table, sink| read_body(table, false, sink)).unwrap_or_default());
        let utc_offset = file.string("utc_offset", sink).and_then(|offset| {
            let parsed = parse_offset(&offset.value);
            if parsed.is_none() {
                let fault = offset.place.error("utc-offset", text("不是时区偏移", "not an offset from UTC"));
                sink.push(fault.suggest("例如 \"+08:00\"", "such as \"+08:00\""));
            }
            parsed
        });
        RawJurisdiction { tiers: tiers.unwrap_or_else(shipped), bodies, utc_offset }
    })
}

fn parse_offset(written: &str) -> Option<Duration> {
    let (sign, rest) = match written.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, written.strip_prefix('+')?),
    };
    let minutes = crate::values::parse_time_of_day(rest)?;
    (minutes <= 14 * 60).then(|| Duration::from_mins(sign * i64::from(minutes)))
}

fn read_body<'a>(table: &mut Table<'_, 'a>, is_body: bool, sink: &mut Sink) -> Option<RawBody<'a>> {
    let id = table.required_string("id", sink);
    let name = table.required_string("name", sink);
    let short_name = table.string("short_name", sink);
    let duty_phone = table.required_string("duty_phone", sink);
    let (tier, parent, responsible) = if is_body {
        table.renamed(&[("level", "tier"), ("parent_id", "parent"), ("phone", "duty_phone")]);
        (table.required_string("tier", sink), table.string("parent", sink), Vec::new())
    } else {
        table.renamed(&[("parent", "responsible_body"), ("township", "responsible_body"), ("phone", "duty_phone")]);
        let parent = table.required_string("responsible_body", sink);
        let persons = table.table("responsible_persons", sink, |table, sink| {
            ["head", "technical", "operating"].into_iter().filter_map(|role| table.string(role, sink)).collect()
        });
        (None, parent, persons.unwrap_or_default())
    };
    let name = name?.value;
    let short_name = short_name.map_or_else(|| name.clone(), |short| short.value);
    Some(RawBody { id: id?, name, short_name, tier: if is_body { Some(tier?) } else { None }, parent, duty_phone, responsible })
}

pub(crate) fn read_people<'a>(source: &'a Source, sink: &mut Sink) -> Vec<RawStaff<'a>> {
    with_document(source, sink, |file, sink| {
        named(file, "bodies", sink, |body, entry, sink| {
            entry.table(sink, |table, sink| {
                table.renamed(&[("person", "people"), ("shifts", "roster"), ("shift", "roster")]);
                let errors = sink.errors();
                let people = table.tables("people", sink, read_person).unwrap_or_default();
                let roster = table.tables("roster", sink, read_shift).unwrap_or_default();
                RawStaff { body, people, roster, faulty: sink.errors() > errors }
            })
        })
    })
}

fn read_person<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawPerson<'a>> {
    table.renamed(&[("channel", "channels")]);
    for secret in ["phone", "mobile", "tel", "电话", "手机"] {
        if let Some(place) = table.forbidden(secret) {
            let fault = text("电话号码不写在这里", "phone numbers do not belong here");
            let fault = place.error("phone-number", fault);
            sink.push(fault.suggest(
                "写进配置目录之外的 contacts.toml,格式见 contacts.example.toml",
                "put it into a contacts.toml outside this folder, as in contacts.example.toml",
            ));
        }
    }
    let id = table.required_string("id", sink);
    let name = table.required_string("name", sink);
    let channels = table.strings("channels", sink);
    let channels = table.required("channels", channels, sink);
    Some(RawPerson { id: id?, name: name?.value, channels: channels?, place: table.place() })
}

fn read_shift<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawShift<'a>> {
    let days = match table.strings("days", sink) {
        None => Some([true; 7]),
        Some(written) => {
            let mut days = Some([false; 7]);
            for name in written {
                match parse_days(&name.value) {
                    Some(some) => days = days.map(|days| std::array::from_fn(|day| days[day] || some[day])),
                    None => {
                        let fault = name.place.error("weekday", text("不认识的星期", "not a weekday"));
                        sink.push(fault.suggest("例如 \"每天\"、\"周一-周五\"、\"mon\"", "such as \"daily\", \"mon-fri\", \"sat\""));
                        days = None;
                    }
                }
            }
            days
        }
    };
    let from = time_of_day(table, "from", sink);
    let to = time_of_day(table, "to", sink);
    let people = table.strings("people", sink);
    let people = table.required("people", people, sink)?;
    let shift = Shift { days: days?, from: from?, to: to?, people: Vec::new() };
    Some(RawShift { people, shift })
}
