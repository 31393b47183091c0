//! What is opened when the program starts and stays as it is until the next start: channels, broker, addresses.
//!
//! A change of it waits, and the rest of its folder does not wait for it: limits, classes, rules and people go on over the channels that
//! are open.

use config::{Files, Loaded, Server};
use console::FaultJson;
use model::ChannelId;
use model::plant::{Person, Plant};

/// What files want opened at a start, and over which of it each person is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Everything in `server.toml`.
    pub server: Server,
    people: Vec<Person>,
}

impl Opened {
    /// What a configuration wants.
    pub fn by(loaded: &Loaded) -> Self {
        Self { server: loaded.server.clone(), people: loaded.plant.people.clone() }
    }

    fn has(&self, id: &ChannelId) -> bool {
        self.server.channels.iter().any(|channel| channel.id == *id)
    }

    /// What waits for the next start, each with its place.
    pub(super) fn waits(&self, wanted: &Self, files: &Files) -> Vec<FaultJson> {
        let mut waits: Vec<FaultJson> =
            config::waits_for_start(&self.server, &wanted.server, files).iter().map(super::shown::fault).collect();
        for person in wanted.people.iter().filter(|person| !person.channels.iter().all(|id| self.has(id))) {
            let closed: Vec<&str> = person.channels.iter().filter(|id| !self.has(id)).map(ChannelId::as_str).collect();
            let (id, closed) = (&person.id, closed.join(" "));
            waits.push(FaultJson {
                place: config::place_of_id(files, "people.toml", id.as_str()),
                text_zh: format!("`{id}` 经 {closed} 通知,下次启动时生效;此前按原通道"),
                text_en: format!("`{id}` is told by {closed} from the next start on; until then as before"),
            });
        }
        waits
    }

    /// The plant as it can run now: on the channels that are open. Whoever is to be reached by another one stays on theirs.
    pub(super) fn keep_open(&self, mut plant: Plant, from: &Plant) -> Plant {
        for person in &mut plant.people {
            if person.channels.iter().all(|id| self.has(id)) {
                continue;
            }
            match from.person(&person.id) {
                Some(before) => person.channels.clone_from(&before.channels),
                None => person.channels.retain(|id| self.has(id)),
            }
        }
        plant.channels.clone_from(&from.channels);
        plant
    }
}

/// Why the next start would not go through.
pub(super) fn would_not_start(error: &str) -> FaultJson {
    FaultJson {
        place: "server.toml:1:1".to_owned(),
        text_zh: format!("下次启动会失败:{error}"),
        text_en: format!("the next start would fail: {error}"),
    }
}
