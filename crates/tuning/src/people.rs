//! What people are taken to do in a backtest: their recorded acts where the alarm is the same, and elsewhere one of two assumptions.

use crate::backtest::Answers;
use crate::simulation::Simulation;
use model::{Act, ActId, ActKind, Actor, Case, CaseId, Duration, EpisodeRef, Outcome, Plant, Tier, Timestamp};
use pipeline::Input;
use std::collections::BTreeSet;

/// A case that cannot be finished yet is looked at again after this long.
const AGAIN_AFTER: Duration = Duration::from_mins(10);

/// The people of one run.
#[derive(Debug)]
pub(crate) struct People {
    answers: Answers,
    /// When somebody turns to which case.
    turns: BTreeSet<(Timestamp, CaseId)>,
    /// Cases that people worked on in truth: what they did is done again, and nothing is assumed.
    recorded: BTreeSet<CaseId>,
    acts: u64,
}

impl People {
    pub(crate) fn new(answers: Answers) -> Self {
        Self { answers, turns: BTreeSet::new(), recorded: BTreeSet::new(), acts: 0 }
    }

    pub(crate) fn set_recorded(&mut self, cases: BTreeSet<CaseId>) {
        self.recorded = cases;
    }

    /// A case was opened or has something new to sign.
    pub(crate) fn called(&mut self, case: &Case, now: Timestamp) {
        if let Answers::After(times) = &self.answers
            && !self.recorded.contains(&case.id)
        {
            self.turns.insert((now + times.of_or_unknown(&case.enterprise), case.id.clone()));
        }
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.turns.first().map(|(at, _)| *at)
    }

    /// Does what is due: signs, acknowledges, checks, handles, reports; and where nothing stands any more, the closing tier closes.
    pub(crate) fn act(&mut self, simulation: &mut Simulation) {
        while let Some((at, id)) = self.turns.pop_first() {
            if at > simulation.now() {
                self.turns.insert((at, id));
                return;
            }
            if !self.turn(&id, simulation) {
                self.turns.insert((simulation.now() + AGAIN_AFTER, id));
            }
        }
    }

    /// One turn at a case; true when nothing is left to do.
    fn turn(&mut self, id: &CaseId, simulation: &mut Simulation) -> bool {
        let plant = simulation.plant().clone();
        let Some(case) = open(simulation, id) else { return true };
        let Some(operator) = on_duty(&plant, &case, Tier::ENTERPRISE, simulation.now()) else { return true };
        let closer_tier = plant.policies.level(case.level).closed_by;
        let announcements: Vec<_> = case.announcements.iter().map(|one| one.key.clone()).collect();
        let comment = || "按规程处理".to_owned();
        let unsigned = case.announcements.iter().any(|one| one.signed.iter().all(|by| by.tier != Tier::ENTERPRISE));
        if unsigned {
            self.does(simulation, &operator, ActKind::Accept { case: id.clone(), announcements: announcements.clone() });
            self.does(simulation, &operator, ActKind::Handle { case: id.clone(), comment: comment() });
        }
        let unseen = episodes(&case, |episode| episode.state.needs_acknowledgement());
        if !unseen.is_empty() {
            self.does(simulation, &operator, ActKind::Acknowledge { episodes: unseen });
        }
        let unchecked = episodes(&case, |episode| episode.outcome.is_none());
        if !unchecked.is_empty() {
            let field = Some(model::FieldCheck { person: operator.person.clone(), at: simulation.now(), reading: 0.0 });
            let check = ActKind::Check { case: id.clone(), episodes: unchecked, outcome: Outcome::ProcessUpset, field, comment: comment() };
            self.does(simulation, &operator, check);
        }
        self.does(simulation, &operator, ActKind::Report { case: id.clone(), comment: comment() });
        let Some(closer) = closer(&plant, &case, closer_tier, &operator, simulation.now()) else { return false };
        if closer_tier != Tier::ENTERPRISE {
            self.does(simulation, &closer, ActKind::Accept { case: id.clone(), announcements: announcements.clone() });
        }
        self.does(simulation, &closer, ActKind::Review { case: id.clone(), comment: comment() });
        self.does(simulation, &closer, ActKind::Close { case: id.clone(), announcements, comment: comment() });
        open(simulation, id).is_none()
    }

    fn does(&mut self, simulation: &mut Simulation, by: &Actor, what: ActKind) {
        self.acts += 1;
        let act = Act { id: ActId::from(format!("assumed-{}", self.acts)), by: by.clone(), what };
        simulation.step(&Input::Act(&act));
    }
}

fn open(simulation: &Simulation, id: &CaseId) -> Option<Case> {
    simulation.pipeline().cases().case(id).filter(|case| case.closed.is_none()).cloned()
}

fn episodes(case: &Case, wanted: impl Fn(&model::CaseEpisode) -> bool) -> Vec<EpisodeRef> {
    case.episodes.iter().filter(|episode| wanted(episode)).map(|episode| episode.of.clone()).collect()
}

fn on_duty(plant: &Plant, case: &Case, tier: Tier, now: Timestamp) -> Option<Actor> {
    let body = plant.responsible_body(&case.enterprise, tier)?;
    let person = plant.on_duty(body, now).into_iter().next().unwrap_or_else(|| body.duty_phone.clone());
    Some(Actor { person, body: body.id.clone(), tier })
}

/// Nobody closes what they handled: at the enterprise its responsible people do.
fn closer(plant: &Plant, case: &Case, tier: Tier, operator: &Actor, now: Timestamp) -> Option<Actor> {
    if tier != Tier::ENTERPRISE {
        return on_duty(plant, case, tier, now);
    }
    let body = plant.responsible_body(&case.enterprise, tier)?;
    let others = plant.people.iter().filter(|person| person.body == body.id && !person.is_duty_phone && person.id != operator.person);
    others.map(|person| Actor { person: person.id.clone(), body: body.id.clone(), tier }).next()
}
