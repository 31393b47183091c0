//! What a message says at the moment it is sent: names from the plant, the value of that moment from the live view.

use console::LiveView;
use model::{Condition, Notification};
use notifier::{CurrentValue, Facts, MessageFacts};
use std::sync::Arc;

/// The page of a case. The id stands in the query: as a path, an id with a dot would look like a file.
fn page_of(case: &str) -> String {
    // Tags are written as on the drawings, so the id may hold what separates queries.
    format!("/case?id={}", model::topic::encode(case).replace('&', "%26").replace('?', "%3F"))
}

/// Looks facts up in the live view and the plant it shows.
pub struct LiveFacts {
    view: Arc<LiveView>,
}

impl LiveFacts {
    /// Over a view.
    pub fn new(view: Arc<LiveView>) -> Self {
        Self { view }
    }
}

impl Facts for LiveFacts {
    fn facts(&self, notification: &Notification) -> Option<MessageFacts> {
        let id = &notification.alarm.tag;
        let plant = self.view.plant();
        let index = plant.tag_index(id)?;
        let tag = plant.tag(index);
        let equipment = plant.equipment_of(tag)?;
        let case = self.view.case(&notification.key.case);
        let (_, alarms, _) = self.view.standing();
        let stands =
            |condition| alarms.iter().any(|alarm| alarm.id.tag == *id && alarm.id.condition == condition && alarm.state.is_standing());
        let stale = stands(Condition::Stale);
        let current = self.view.value(&plant, index).map(|live| CurrentValue {
            value: live.value,
            quality: live.quality,
            source_time: live.source_time,
            stale,
        });
        let announcement =
            case.as_ref().and_then(|case| case.announcements.iter().find(|known| known.key.to_string() == notification.key.announcement));
        let members = if notification.alarm.condition == Condition::GatewayLost {
            plant.gateway_of(tag).map_or(0, |gateway| gateway.members.len())
        } else {
            0
        };
        let body = plant.body(&id.enterprise);
        Some(MessageFacts {
            enterprise: body.map_or_else(|| id.enterprise.to_string(), |body| body.short_name.clone()),
            equipment: equipment.name.to_string(),
            tag_name: tag.name.to_string(),
            signal: tag.signal,
            unit: tag.unit.clone(),
            decimals: tag.decimals,
            labels: tag.labels.clone(),
            current,
            number: case.as_ref().map_or_else(|| notification.key.case.to_string(), |case| case.number.clone()),
            still_standing: stands(notification.alarm.condition),
            folded: announcement.map_or(0, |announcement| announcement.folded),
            members: u32::try_from(members).unwrap_or(u32::MAX),
            handle_by: case.as_ref().and_then(|case| case.handle_by),
            rationale: tag.rule(notification.alarm.condition).and_then(|rule| rule.rationale.clone()),
            link: Some(page_of(notification.key.case.as_str())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn a_link_keeps_a_tag_that_is_written_with_separators() {
        assert_eq!(page_of("high@hx/P-101A/B#1&2!5/0"), "/case?id=high@hx%2FP-101A%2FB%231%262!5%2F0");
    }
}
