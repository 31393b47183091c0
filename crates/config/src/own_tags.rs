//! Tags nobody wrote: one per gateway, and the engine's own, so that their alarms take the same path as a tank's.

use crate::build::Builder;
use model::plant::{ConditionRule, DataSheet, Equipment, SYSTEM_TAGS, Tag};
use model::{Condition, Duration, EquipmentId, Hazard, SYSTEM_ENTERPRISE, Signal, TagId};

/// How often the engine looks after itself. Its own tags have no stale condition, but every tag has an interval.
pub(crate) const SYSTEM_INTERVAL: Duration = Duration::from_secs(10);
/// What the engine's own tags are called, in the order of [`SYSTEM_TAGS`].
const SYSTEM_TITLES: [&str; SYSTEM_TAGS.len()] = ["消息服务器", "时钟", "存储", "数据库", "通知", "恢复", "声光连接", "历史数据", "启动"];
/// The equipment of the engine's own alarms.
pub const SYSTEM_EQUIPMENT: &str = "_engine";

impl Builder<'_> {
    /// A gateway's own tag carries its loss, its clock, what arrives unknown through it, and devices that say they are inhibited, where their
    /// own tags do not.
    pub(crate) fn gateway_tags(&mut self) {
        let gateways: Vec<_> = self.gateways.iter().map(|(key, (gateway, hazard))| (key.clone(), gateway.clone(), *hazard)).collect();
        for (key, gateway, hazard) in gateways {
            let mut kinds = vec![Condition::GatewayLost, Condition::UnknownTag, Condition::WrongClock];
            if !self.inhibiting.contains(&key) {
                kinds.push(Condition::Inhibited);
            }
            let mut conditions: Vec<_> = kinds.iter().filter_map(|kind| self.rule(*kind, Signal::Gateway, hazard, false)).collect();
            conditions.sort_by_key(|rule| Condition::ALL.iter().position(|condition| *condition == rule.condition));
            let tag = self.own_tag(&key.0, &key.1, &gateway.name, Signal::Gateway, gateway.interval, conditions);
            let equipment = (key.0.clone(), format!("_{}", key.1));
            let made = Equipment {
                enterprise: gateway.enterprise,
                id: EquipmentId::new(&equipment.1),
                name: gateway.name.into(),
                is_area: false,
                hazard,
                zone: None,
                modes: None,
            };
            self.equipment.insert(equipment.clone(), made);
            self.add(tag, equipment, Some(key));
        }
    }

    /// The engine's own alarms: tags of the reserved enterprise.
    pub(crate) fn system_tags(&mut self) {
        let equipment = (SYSTEM_ENTERPRISE.to_owned(), SYSTEM_EQUIPMENT.to_owned());
        let made = Equipment {
            enterprise: self.body(SYSTEM_ENTERPRISE),
            id: EquipmentId::new(SYSTEM_EQUIPMENT),
            name: "烽燧引擎".into(),
            is_area: false,
            hazard: Hazard::None,
            zone: None,
            modes: None,
        };
        self.equipment.insert(equipment.clone(), made);
        for (name, title) in SYSTEM_TAGS.into_iter().zip(SYSTEM_TITLES) {
            let rule = self.rule(Condition::System, Signal::System, Hazard::None, false);
            let conditions = rule.into_iter().collect();
            let tag = self.own_tag(SYSTEM_ENTERPRISE, name, title, Signal::System, SYSTEM_INTERVAL, conditions);
            self.add(tag, equipment.clone(), None);
        }
    }

    fn own_tag(
        &self,
        enterprise: &str,
        name: &str,
        title: &str,
        signal: Signal,
        interval: Duration,
        conditions: Vec<ConditionRule>,
    ) -> Tag {
        let sheet = DataSheet { decimals: 0, sample_interval: interval, stale_after: self.stale_after(interval), ..DataSheet::new(signal) };
        Tag {
            name: title.into(),
            sheet: sheet.into(),
            conditions: conditions.into(),
            ..Tag::new(TagId::new(self.body(enterprise), name), signal)
        }
    }
}
