//! A small plant, for the tests of this crate and for fuzzing.

use model::plant::{Body, Equipment, Gateway, Hazard, LevelPolicy, Policies, Tag, TierName};
use model::{BodyId, Duration, Level, PersonId, Plant, RuleVersion, SYSTEM_ENTERPRISE, Signal, TagId, TagIndex, Tier, Timestamp};

/// The receive time of every test that does not care.
pub const RECEIVED: Timestamp = Timestamp(1_732_451_700_000_000);

/// County `county`, enterprises `xinghua` and `兴华化工`, with a few tags each, and the reserved enterprise.
pub fn plant() -> Plant {
    let mut tags = vec![
        tag("xinghua", "TT-101", Signal::Temperature),
        tag("xinghua", "P-101A/B", Signal::Pressure),
        tag("xinghua", "GT-1", Signal::Combustible),
        tag("xinghua", "GW-1", Signal::Gateway),
        tag("兴华化工", "1#罐", Signal::Level),
        tag(SYSTEM_ENTERPRISE, "broker", Signal::System),
    ];
    tags.extend((0..50).map(|n| tag("xinghua", &format!("T{n}"), Signal::Other)));
    tags.sort_by(|a, b| a.id.cmp(&b.id));
    let mut bodies = vec![
        body("county", Tier::COUNTY),
        body("xinghua", Tier::ENTERPRISE),
        body("兴华化工", Tier::ENTERPRISE),
        body(SYSTEM_ENTERPRISE, Tier::ENTERPRISE),
    ];
    bodies.sort_by(|a, b| a.id.cmp(&b.id));
    Plant {
        version: RuleVersion::new("v1"),
        tiers: vec![TierName { zh: "企业".into(), en: "enterprise".into() }],
        bodies,
        people: vec![],
        channels: vec![],
        equipment: vec![Equipment {
            enterprise: "xinghua".into(),
            id: "V-101".into(),
            name: "V-101".into(),
            is_area: false,
            hazard: Hazard::None,
            zone: None,
            modes: None,
        }],
        gateways: vec![Gateway {
            enterprise: "xinghua".into(),
            id: "GW-1".into(),
            name: "GW-1".into(),
            interval: Duration::from_secs(1),
            tag: TagIndex(0),
            members: vec![],
        }],
        tags,
        policies: policies(),
        utc_offset: Duration::from_mins(480),
    }
}

fn tag(enterprise: &str, name: &str, signal: Signal) -> Tag {
    Tag::new(TagId::new(enterprise, name), signal)
}

fn body(id: &str, tier: Tier) -> Body {
    Body {
        id: BodyId::new(id),
        name: id.into(),
        short_name: id.into(),
        tier,
        parent: None,
        duty_phone: PersonId::new("duty"),
        roster: vec![],
        responsible: vec![],
    }
}

fn policies() -> Policies {
    let level = |level| LevelPolicy {
        level,
        sign_within: Duration::from_mins(5),
        remind_every: None,
        tell: vec![],
        handle_within: Duration::from_mins(60),
        closed_by: Tier::ENTERPRISE,
    };
    Policies {
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
    }
}
