//! Which acts each tier may do to each open case: worked out by the engine after a commit, looked up by the pages.
//!
//! The engine's state is not shared with the pages, not even behind a lock: a page that is drawn slowly must never make an
//! alarm wait. What depends on the person alone (nobody closes what they handled) is cut here.

use escalation::Escalation;
use model::{Actor, Case, CaseId, PersonId, Plant, Tier};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

type ByTier = Vec<(Tier, Vec<&'static str>)>;

/// The acts allowed, by case and tier.
#[derive(Default)]
pub struct Allowed {
    cases: RwLock<BTreeMap<CaseId, ByTier>>,
}

impl Allowed {
    /// Works a case's acts out anew.
    pub fn update(&self, plant: &Plant, escalation: &Escalation, case: &Case) {
        let mut cases = self.cases.write().unwrap_or_else(PoisonError::into_inner);
        if case.closed.is_some() {
            cases.remove(&case.id);
            return;
        }
        let by_tier = plant
            .chain(&case.enterprise)
            .map(|body| {
                // Nobody in particular: the person's own limits are cut when somebody looks.
                let actor = Actor { person: PersonId::new(""), body: body.id.clone(), tier: body.tier };
                (body.tier, escalation.may(&case.id, &actor))
            })
            .collect();
        cases.insert(case.id.clone(), by_tier);
    }
    /// What this person may do.
    pub fn of(&self, case: &Case, actor: &Actor) -> Vec<String> {
        let cases = self.cases.read().unwrap_or_else(PoisonError::into_inner);
        let acts = cases.get(&case.id).and_then(|by_tier| by_tier.iter().find(|(tier, _)| *tier == actor.tier));
        let handled = case.handled_by.contains(&actor.person);
        acts.into_iter().flat_map(|(_, acts)| acts).filter(|act| !(handled && **act == "close")).map(|act| (*act).to_owned()).collect()
    }
}
