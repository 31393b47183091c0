//! A county of two townships with one enterprise each, small enough to see through. Every id of an enterprise holds its name,
//! so that whatever leaks can be found by text.

use console::{LiveMode, LiveSuppressed, SuppressedBy};
use model::plant::{
    Body, Channel, ChannelKind, DataSheet, Equipment, Gateway, LevelPolicy, Limit, ModeLimit, Modes, Person, Policies, Tag, TierName,
};
use model::{AlarmId, AlarmState};
use model::{
    BodyId, Case, CaseAnnouncement, CaseEpisode, CaseId, CaseStep, Condition, Duration, Episode, EpisodeRef, EquipmentIndex, GatewayIndex,
    Hazard, Level, Notification, NotificationKey, PersonId, Plant, Purpose, Signal, Siren, TagId, TagIndex, Tier, TierProgress, Timestamp,
    TransitionKey, ZoneId, plant::ConditionRule,
};

/// The engine's time in these tests.
pub const NOW: Timestamp = Timestamp::from_millis(1_732_451_674_123);
pub const ENTERPRISES: [&str; 3] = ["_system", "ent-hx", "ent-lz"];

fn body(id: &str, name: &str, tier: u8, parent: Option<&str>) -> Body {
    Body {
        id: id.into(),
        name: name.into(),
        short_name: name.into(),
        tier: Tier(tier),
        parent: parent.map(BodyId::from),
        duty_phone: PersonId::new(format!("duty-{id}")),
        roster: Vec::new(),
        responsible: Vec::new(),
    }
}

fn person(id: &str, name: &str, body: &str) -> Person {
    Person { id: id.into(), name: name.into(), body: body.into(), channels: vec!["sms".into()], is_duty_phone: id.starts_with("duty-") }
}

fn limit(condition: Condition, setpoint: f64, level: Level) -> ConditionRule {
    ConditionRule::new(condition, setpoint, level)
}

fn tag(id: TagId, name: &str, signal: Signal, equipment: u32, gateway: Option<u32>, conditions: Vec<ConditionRule>) -> Tag {
    let sheet = DataSheet {
        unit: if signal == Signal::Level { "%".into() } else { String::new() },
        range: (signal == Signal::Level).then_some((0.0, 100.0)),
        sample_interval: Duration::from_secs(5),
        stale_after: Duration::from_secs(15),
        labels: (signal == Signal::StaticEarthing).then(|| ["断开".into(), "接地".into()]),
        ..DataSheet::new(signal)
    };
    Tag {
        name: name.into(),
        equipment: EquipmentIndex(equipment),
        gateway: gateway.map(GatewayIndex::new),
        sheet: sheet.into(),
        conditions: conditions.into(),
        ..Tag::new(id, signal)
    }
}

pub fn plant() -> Plant {
    let level_policy = |level| LevelPolicy {
        level,
        sign_within: Duration::from_mins(5),
        remind_every: None,
        tell: Vec::new(),
        handle_within: Duration::from_mins(60),
        closed_by: Tier::COUNTY,
    };
    let mut tags =
        vec![tag(TagId::new("_system", "broker"), "消息代理", Signal::System, 0, None, vec![limit(Condition::System, 0.0, Level::Red)])];
    let mut gateways = Vec::new();
    let mut equipment = vec![Equipment {
        enterprise: "_system".into(),
        id: "engine".into(),
        name: "系统".into(),
        is_area: false,
        hazard: Hazard::None,
        zone: None,
        modes: None,
    }];
    for (enterprise, at) in ["ent-hx", "ent-lz"].into_iter().zip(0..) {
        equipment.push(Equipment {
            enterprise: enterprise.into(),
            id: "V-101".into(),
            name: format!("<script>alert(1)</script>{enterprise} 罐区").into(),
            is_area: false,
            hazard: Hazard::Third,
            zone: Some("Z1".into()),
            modes: Some(Box::new(Modes {
                tag: TagIndex(tags.len() as u32 + 2),
                names: ["运行", "停车", "检修"].map(String::from).to_vec(),
            })),
        });
        let first = tags.len() as u32;
        tags.push(tag(TagId::new(enterprise, "GW01"), "网关", Signal::Gateway, at + 1, Some(at), Vec::new()));
        let mut limits = vec![limit(Condition::High, 80.0, Level::Yellow), limit(Condition::HighHigh, 90.0, Level::Orange)];
        // In 停车 the high limit is another one, and in 检修 it means nothing.
        let stopped = Limit { setpoint: 30.0, deadband: 1.0, on_delay: Duration::ZERO, off_delay: Duration::ZERO };
        let modes = vec![ModeLimit { mode: 1, limit: Some(stopped) }, ModeLimit { mode: 2, limit: None }];
        limits[0].extra.get_or_insert_default().modes = modes;
        tags.push(tag(TagId::new(enterprise, "LIA-101"), "1#甲醇储罐液位", Signal::Level, at + 1, Some(at), limits));
        let earthing = vec![limit(Condition::Discrete, 0.0, Level::Yellow)];
        tags.push(tag(TagId::new(enterprise, "XA-1/2"), "静电接地", Signal::StaticEarthing, at + 1, Some(at), earthing));
        gateways.push(Gateway {
            enterprise: enterprise.into(),
            id: "GW01".into(),
            name: "网关".into(),
            interval: Duration::from_secs(5),
            tag: TagIndex(first),
            members: vec![TagIndex(first + 1), TagIndex(first + 2)],
        });
    }
    let mut bodies = vec![
        body("_system", "系统", 0, Some("county")),
        body("county", "清溪县应急管理局", 2, None),
        body("ent-hx", "恒信化工", 0, Some("town-a")),
        body("ent-lz", "绿洲化工", 0, Some("town-b")),
        body("town-a", "东山镇", 1, Some("county")),
        body("town-b", "西溪镇", 1, Some("county")),
    ];
    bodies.sort_by(|a, b| a.id.cmp(&b.id));
    let mut people = vec![
        person("wang", "王伟", "ent-hx"),
        person("chen", "陈静", "ent-lz"),
        person("li", "李强", "town-a"),
        person("zhou", "周敏", "town-b"),
        person("sun", "孙丽", "county"),
    ];
    people.extend(bodies.iter().map(|body| person(body.duty_phone.as_str(), "值班电话", body.id.as_str())));
    people.sort_by(|a, b| a.id.cmp(&b.id));
    Plant {
        version: "v1".into(),
        tiers: [("企业", "Enterprise"), ("镇街", "Township"), ("区县", "County")]
            .map(|(zh, en)| TierName { zh: zh.into(), en: en.into() })
            .to_vec(),
        bodies,
        people,
        channels: vec![Channel { id: "sms".into(), kind: ChannelKind::Sms, has_receipts: true }],
        equipment,
        gateways,
        tags,
        policies: Policies {
            levels: Level::ALL.map(level_policy),
            data_fault_wait: Duration::from_mins(30),
            quiet: (1320, 420),
            fold_within: Duration::from_mins(30),
            late_after: Duration::from_secs(60),
            late_hold: Duration::from_secs(30),
            clock_skew_max: Duration::from_secs(60),
            gateway_lost_percent: 80,
            gateway_lost_min: 3,
            siren_expiry: Duration::from_secs(30),
            beside: Default::default(),
        },
        utc_offset: Duration::from_secs(8 * 3600),
    }
}

/// The alarm that each enterprise has in these tests.
pub fn alarm_id(enterprise: &str) -> AlarmId {
    match enterprise {
        "_system" => AlarmId { tag: TagId::new("_system", "broker"), condition: Condition::System },
        _ => AlarmId { tag: TagId::new(enterprise, "LIA-101"), condition: Condition::HighHigh },
    }
}

pub fn episode() -> Episode {
    Episode { since: NOW, count: 0 }
}

pub fn key(enterprise: &str) -> TransitionKey {
    TransitionKey { alarm: alarm_id(enterprise), episode: episode(), step: 0 }
}

pub fn case_id(enterprise: &str) -> CaseId {
    CaseId::new(key(enterprise).to_string())
}

/// An open case that the enterprise and its township were told of and nobody has signed.
pub fn case(enterprise: &str) -> Case {
    let (equipment, township) = match enterprise {
        "_system" => ("engine", "county"),
        "ent-hx" => ("V-101", "town-a"),
        _ => ("V-101", "town-b"),
    };
    Case {
        id: case_id(enterprise),
        number: format!("1124-01-{enterprise}"),
        enterprise: enterprise.into(),
        equipment: equipment.into(),
        level: Level::Orange,
        step: CaseStep::Notified,
        opened: NOW,
        closed: None,
        announcements: vec![CaseAnnouncement {
            key: key(enterprise),
            level: Level::Orange,
            at: NOW,
            raised_at: NOW,
            value: Some(91.26),
            setpoint: Some(90.0),
            late: false,
            folded: 0,
            last_raised_at: NOW,
            sign_by: NOW + Duration::from_mins(5),
            sign_missed: false,
            signed: Vec::new(),
            told: vec![(Tier::ENTERPRISE, NOW), (Tier::TOWNSHIP, NOW)],
            reminded: 0,
            audience: Default::default(),
        }],
        episodes: vec![CaseEpisode {
            of: EpisodeRef { alarm: alarm_id(enterprise), episode: episode() },
            level: Level::Orange,
            state: AlarmState::Unacknowledged,
            outcome: None,
        }],
        tiers: vec![
            TierProgress { tier: Tier::ENTERPRISE, body: enterprise.into(), told: Some(NOW), reached: Some(NOW), passed: false },
            TierProgress { tier: Tier::TOWNSHIP, body: township.into(), told: Some(NOW), reached: None, passed: false },
        ],
        handled_by: Vec::new(),
        supervised_by: None,
        returned_count: 0,
        handle_by: Some(NOW + Duration::from_mins(60)),
        timers: Vec::new(),
        first_out: None,
    }
}

pub fn live_alarm(enterprise: &str) -> console::LiveAlarm {
    console::LiveAlarm {
        id: alarm_id(enterprise),
        state: AlarmState::Unacknowledged,
        level: Level::Orange,
        since: NOW,
        value: Some(91.26),
        setpoint: Some(90.0),
        late: false,
        episode: episode(),
        case: Some(case_id(enterprise)),
        told: true,
        marks: Default::default(),
        suppressed_by: Vec::new(),
    }
}

pub fn notification(enterprise: &str, tier: Tier, recipient: &str) -> Notification {
    Notification {
        key: NotificationKey {
            case: case_id(enterprise),
            announcement: key(enterprise).to_string(),
            tier,
            purpose: Purpose::Announce,
            recipient: recipient.into(),
            channel: "sms".into(),
            repeat: 0,
        },
        level: Level::Orange,
        alarm: alarm_id(enterprise),
        setpoint: Some(90.0),
        value: Some(91.26),
        raised_at: NOW,
        sign_by: NOW + Duration::from_mins(5),
        late: false,
        delayed_by_outage: false,
        audience: Default::default(),
        change: None,
        at: NOW,
    }
}

pub fn siren(enterprise: &str) -> Siren {
    Siren { enterprise: enterprise.into(), zone: ZoneId::new("Z1"), sound: true, light: true, version: 1, level: Some(Level::Orange) }
}

/// 停车 at every enterprise, where the stopped equipment suppresses the earthing alarm.
pub fn steered() -> console::Steered {
    let enterprises = &ENTERPRISES[1..];
    let mode = |enterprise: &&str| LiveMode { enterprise: (*enterprise).into(), equipment: "V-101".into(), mode: 1 };
    let suppressed = |enterprise: &&str| LiveSuppressed {
        alarm: AlarmId { tag: TagId::new(*enterprise, "XA-1/2"), condition: Condition::Discrete },
        level: Level::Yellow,
        state: AlarmState::Unacknowledged,
        since: Some(NOW),
        untold: 2,
        by: vec![SuppressedBy::Tag(TagId::new(*enterprise, "LIA-101")), SuppressedBy::Mode("停车".into())],
    };
    console::Steered { modes: enterprises.iter().map(mode).collect(), suppressed: enterprises.iter().map(suppressed).collect() }
}
