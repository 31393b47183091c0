//! A small county: one township with a tank farm, one park with a plant of 120 tags behind one gateway, one county.

use model::plant::*;
use model::*;
use std::sync::{Arc, LazyLock};

fn day_and_night(people: &[&str]) -> Vec<Shift> {
    vec![Shift { days: [true; 7], from: 0, to: 1440, people: people.iter().map(|person| PersonId::new(*person)).collect() }]
}

fn body(id: &str, tier: Tier, parent: Option<&str>, duty: &str, people: &[&str], responsible: &[&str]) -> Body {
    Body {
        id: id.into(),
        name: id.to_owned(),
        short_name: id.to_owned(),
        tier,
        parent: parent.map(BodyId::from),
        duty_phone: duty.into(),
        roster: if people.is_empty() { Vec::new() } else { day_and_night(people) },
        responsible: responsible.iter().map(|person| PersonId::new(*person)).collect(),
    }
}

fn person(id: &str, body: &str, channels: &[&str]) -> Person {
    let is_duty_phone = id.ends_with("-phone");
    Person {
        id: id.into(),
        name: id.to_owned(),
        body: body.into(),
        channels: channels.iter().map(|channel| ChannelId::new(*channel)).collect(),
        is_duty_phone,
    }
}

/// A condition as most scenarios need it.
pub fn rule(condition: Condition, setpoint: f64, level: Level) -> ConditionRule {
    let mut rule = ConditionRule::new(condition, setpoint, level);
    rule.siren = level == Level::Red;
    rule
}

fn tag(id: &str, signal: Signal, equipment: u32, gateway: Option<u32>, zone: Option<&str>, mut conditions: Vec<ConditionRule>) -> Tag {
    let enterprise = id.split_once('/').expect("well-formed test data").0;
    if signal != Signal::System && signal != Signal::Gateway {
        conditions.push(rule(Condition::BadQuality, 0.0, Level::Yellow));
        conditions.push(rule(Condition::Stale, 0.0, Level::Yellow));
    }
    let order = |condition: Condition| Condition::ALL.iter().position(|other| *other == condition);
    conditions.sort_by_key(|rule| order(rule.condition));
    let sheet = DataSheet {
        zone: zone.map(ZoneId::from),
        sample_interval: Duration::from_secs(5),
        stale_after: Duration::from_secs(15),
        ..DataSheet::new(signal)
    };
    Tag {
        name: enterprise.into(),
        equipment: EquipmentIndex(equipment),
        gateway: gateway.map(GatewayIndex::new),
        sheet: sheet.into(),
        conditions: conditions.into(),
        ..Tag::new(TagId::parse(id).expect("well-formed test data"), signal)
    }
}

fn tell(tier: Tier, after: i64, by: &[ChannelKind], by_quiet: &[ChannelKind]) -> TellRule {
    TellRule { tier, after: Duration::from_mins(after), by: by.to_vec(), by_quiet: by_quiet.to_vec() }
}

/// The example policies of the four levels.
pub fn policies() -> Policies {
    use ChannelKind::{App, Platform, Sms, Voice};
    let all = [Platform, App, Sms, Voice];
    let quiet = [Platform, App, Sms];
    let level = |level, sign, remind: i64, tell: Vec<TellRule>, handle, closed_by| LevelPolicy {
        level,
        sign_within: Duration::from_mins(sign),
        remind_every: (remind > 0).then(|| Duration::from_mins(remind)),
        tell,
        handle_within: Duration::from_mins(handle),
        closed_by,
    };
    let (enterprise, township, county) = (Tier::ENTERPRISE, Tier::TOWNSHIP, Tier::COUNTY);
    Policies {
        levels: [
            level(
                Level::Blue,
                30,
                0,
                vec![tell(enterprise, 0, &[Platform, App, Sms], &quiet), tell(township, 30, &[Platform], &[Platform])],
                240,
                enterprise,
            ),
            level(
                Level::Yellow,
                10,
                10,
                vec![tell(enterprise, 0, &all, &all), tell(township, 10, &all, &all), tell(county, 30, &all, &quiet)],
                120,
                enterprise,
            ),
            level(
                Level::Orange,
                5,
                3,
                vec![tell(enterprise, 0, &all, &all), tell(township, 5, &all, &all), tell(county, 15, &all, &all)],
                60,
                township,
            ),
            level(
                Level::Red,
                3,
                1,
                vec![tell(enterprise, 0, &all, &all), tell(township, 0, &all, &all), tell(county, 0, &all, &all)],
                30,
                county,
            ),
        ],
        data_fault_wait: Duration::from_mins(30),
        quiet: (22 * 60, 7 * 60),
        fold_within: Duration::from_mins(30),
        late_after: Duration::from_secs(60),
        late_hold: Duration::from_secs(30),
        clock_skew_max: Duration::from_secs(60),
        gateway_lost_percent: 80,
        gateway_lost_min: 3,
        siren_expiry: Duration::from_secs(60),
        beside: BesidePolicy { acknowledgement_end: AcknowledgementEnd::Never, ..BesidePolicy::default() },
    }
}

/// The county of every scenario.
pub fn county() -> Arc<Plant> {
    static COUNTY: LazyLock<Arc<Plant>> = LazyLock::new(build);
    COUNTY.clone()
}

fn build() -> Arc<Plant> {
    let mut bodies = vec![
        body("xian", Tier::COUNTY, None, "xian-phone", &["xu"], &[]),
        body("zhen", Tier::TOWNSHIP, Some("xian"), "zhen-phone", &["zhou"], &[]),
        body("park", Tier::TOWNSHIP, Some("xian"), "park-phone", &["pan"], &[]),
        body("hx", Tier::ENTERPRISE, Some("zhen"), "hx-phone", &["wang"], &["boss"]),
        body("by", Tier::ENTERPRISE, Some("park"), "by-phone", &["bai"], &["boss2"]),
        body("_system", Tier::ENTERPRISE, Some("xian"), "ops-phone", &["ops"], &[]),
    ];
    bodies.sort_by(|a, b| a.id.cmp(&b.id));
    let mut people = vec![
        person("wang", "hx", &["sms", "voice", "page"]),
        person("li", "hx", &["sms", "app"]),
        person("boss", "hx", &["sms"]),
        person("hx-phone", "hx", &["voice"]),
        person("zhou", "zhen", &["sms", "page"]),
        person("zhao", "zhen", &["sms"]),
        person("zhen-phone", "zhen", &["voice"]),
        person("pan", "park", &["sms"]),
        person("park-phone", "park", &["voice"]),
        person("xu", "xian", &["voice", "sms"]),
        person("xian-phone", "xian", &["voice"]),
        person("bai", "by", &["sms"]),
        person("boss2", "by", &["sms"]),
        person("by-phone", "by", &["voice"]),
        person("ops", "_system", &["sms"]),
        person("ops-phone", "_system", &["voice"]),
    ];
    people.sort_by(|a, b| a.id.cmp(&b.id));
    let channel = |id: &str, kind, has_receipts| Channel { id: id.into(), kind, has_receipts };
    let channels = vec![
        channel("app", ChannelKind::App, false),
        channel("page", ChannelKind::Platform, false),
        channel("sms", ChannelKind::Sms, false),
        channel("voice", ChannelKind::Voice, true),
    ];
    let equipment = |enterprise: &str, id: &str, is_area, zone: Option<&str>| Equipment {
        enterprise: enterprise.into(),
        id: id.into(),
        name: id.into(),
        is_area,
        hazard: Hazard::None,
        zone: zone.map(ZoneId::from),
        modes: None,
    };
    // Sorted by (enterprise, id): the indexes below follow.
    let mut places = vec![equipment("_system", "engine", false, None), equipment("by", "GW", false, None)];
    places.extend((0..12).map(|at| equipment("by", &format!("P{at:02}"), false, None)));
    places.extend([equipment("hx", "area", true, Some("z1")), equipment("hx", "gw", false, None), equipment("hx", "tank", false, None)]);
    let (area, gateway_place, tank) = (14, 15, 16);
    use Condition::{Discrete, GatewayLost, High, HighHigh, Low, LowLow, System};
    let gas = |id: &str, signal, level, two| {
        let (mut high, mut high_high) = (rule(High, 25.0, Level::Yellow), rule(HighHigh, 50.0, level));
        (high.siren, high_high.siren, high_high.level_when_two) = (true, true, two);
        tag(id, signal, area, Some(1), Some("z1"), vec![high, high_high])
    };
    let limits = || {
        vec![
            rule(LowLow, 5.0, Level::Yellow),
            rule(Low, 10.0, Level::Blue),
            rule(High, 80.0, Level::Yellow),
            rule(HighHigh, 90.0, Level::Orange),
        ]
    };
    let mut tags: Vec<Tag> = SYSTEM_TAGS
        .iter()
        .map(|name| tag(&format!("_system/{name}"), Signal::System, 0, None, None, vec![rule(System, 0.0, Level::Orange)]))
        .collect();
    tags.push(tag("by/@G", Signal::Gateway, 1, None, None, vec![rule(GatewayLost, 0.0, Level::Yellow)]));
    tags.push(tag("hx/@G", Signal::Gateway, gateway_place, None, None, vec![rule(GatewayLost, 0.0, Level::Yellow)]));
    tags.extend((0..120).map(|at| tag(&format!("by/T{at:03}"), Signal::Temperature, 2 + at / 10, Some(0), None, limits())));
    tags.push(tag("hx/LIA-101", Signal::Level, tank, Some(1), None, limits()));
    tags.push(tag("hx/TIA-101", Signal::Temperature, tank, Some(1), None, limits()));
    tags.push(tag("hx/SA-101", Signal::StaticEarthing, tank, Some(1), None, vec![rule(Discrete, 1.0, Level::Blue)]));
    tags.push(gas("hx/GT-1", Signal::Combustible, Level::Orange, Some(Level::Red)));
    tags.push(gas("hx/GT-2", Signal::Combustible, Level::Orange, Some(Level::Red)));
    tags.push(gas("hx/GT-3", Signal::Toxic, Level::Red, None));
    tags.sort_by(|a, b| a.id.cmp(&b.id));
    let index = |id: &str| {
        TagIndex(
            tags.iter().position(|tag| tag.id == TagId::parse(id).expect("well-formed test data")).expect("well-formed test data") as u32
        )
    };
    let members = |gateway| {
        (0..tags.len()).filter(|at| tags[*at].gateway == Some(GatewayIndex::new(gateway))).map(|at| TagIndex(at as u32)).collect()
    };
    let gateway = |enterprise: &str, tag: &str, at| Gateway {
        enterprise: enterprise.into(),
        id: "G".into(),
        name: "G".to_owned(),
        interval: Duration::from_secs(5),
        tag: index(tag),
        members: members(at),
    };
    let gateways = vec![gateway("by", "by/@G", 0), gateway("hx", "hx/@G", 1)];
    let name = |zh: &str, en: &str| TierName { zh: zh.to_owned(), en: en.to_owned() };
    Arc::new(Plant {
        version: RuleVersion::new("test"),
        tiers: vec![name("企业", "enterprise"), name("镇街", "township"), name("区县", "county")],
        bodies,
        people,
        channels,
        equipment: places,
        gateways,
        tags,
        policies: policies(),
        utc_offset: Duration::from_mins(480),
    })
}
