//! What is opened when the program starts and stays as it is until the next start: channels, broker, addresses.
//!
//! A change of it waits, and the rest of its folder does not wait for it: limits, classes, rules and people go on over the channels that
//! are open.

use config::{Files, Loaded, Server};
use console::FaultJson;
use model::ChannelId;
use model::plant::{ChannelKind, Person, Plant};

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
                text_zh: format!("`{id}` 经 {closed} 通知,下次启动时生效;此前按已打开的通道"),
                text_en: format!("`{id}` is told by {closed} from the next start on; until then by those that are open"),
            });
        }
        waits
    }

    /// The plant as it can run now: on the channels that are open. Whoever is to be reached by others alone stays on theirs.
    pub(super) fn keep_open(&self, mut plant: Plant, from: &Plant) -> Plant {
        for person in &mut plant.people {
            if person.channels.iter().all(|id| self.has(id)) {
                continue;
            }
            person.channels.retain(|id| self.has(id));
            if let (true, Some(before)) = (person.channels.is_empty(), from.person(&person.id)) {
                person.channels.clone_from(&before.channels);
            }
        }
        plant.channels.clone_from(&from.channels);
        plant
    }
}

/// Who could be told by nothing until the next start, as the plant would run on the channels that are open: what the files themselves are
/// held against when they are loaded.
pub(super) fn unreached(plant: &Plant, files: &Files) -> Vec<FaultJson> {
    let is_reached = |person: &Person| {
        let kinds: Vec<ChannelKind> = person.channels.iter().filter_map(|id| plant.channel(id)).map(|channel| channel.kind).collect();
        if person.is_duty_phone {
            return config::rings(&kinds);
        }
        let Some(body) = plant.body(&person.body) else { return true };
        !kinds.is_empty() && config::missed(&plant.policies, body.tier, &kinds, |rule| &rule.by).is_none()
    };
    let missed = config::to_be_told(&plant.bodies, &plant.people).filter(|person| !is_reached(person));
    let fault = |person: &Person| FaultJson {
        place: config::place_of_id(files, "people.toml", person.id.as_str()),
        text_zh: format!("`{}` 的新通道下次启动才打开,在那之前通知不到;先加上已经打开的通道,或者先重启", person.id),
        text_en: format!(
            "`{}` could be told by nothing until the next start opens the new channels; add one that is open, or restart first",
            person.id
        ),
    };
    missed.map(fault).collect()
}

/// Why the next start would not go through.
pub(super) fn would_not_start(error: &str) -> FaultJson {
    FaultJson {
        place: "server.toml:1:1".to_owned(),
        text_zh: format!("下次启动会失败:{error}"),
        text_en: format!("the next start would fail: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn loaded(server: &str) -> (Loaded, Files) {
        let mut files = Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config")));
        let text = |name: &str| String::from_utf8(files.get(Path::new(name)).expect("there").to_vec()).expect("text");
        let server = text("server.toml") + server;
        files.set("server.toml", server.into_bytes());
        let options = config::Options { today: None, environment: &|_| None };
        (config::load_files(&files, &options).unwrap_or_else(|_| panic!("without faults")), files)
    }

    const SMS2: &str = "\n[channels.sms2]\nkind = \"sms\"\nurl = \"http://127.0.0.1:9/sms\"\n";

    #[test]
    fn a_new_duty_phone_is_not_left_without_an_open_channel_until_the_restart() {
        let (before, _) = loaded("");
        let opened = Opened::by(&before);
        let phone = before.plant.people.iter().find(|person| person.is_duty_phone).expect("a duty phone").id.clone();
        let as_it_would_run = |channels: &[&str]| {
            // A number that the running plant does not know, and the channels of the next start.
            let (mut next, files) = loaded(SMS2);
            let mut running = before.plant.clone();
            running.people.retain(|person| person.id != phone);
            let person = next.plant.people.iter_mut().find(|person| person.id == phone).expect("it is there");
            person.channels = channels.iter().map(|id| ChannelId::new(*id)).collect();
            (opened.keep_open(next.plant, &running), files)
        };
        let (plant, files) = as_it_would_run(&["sms2"]);
        let faults = unreached(&plant, &files);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].place.contains("people.toml:") && faults[0].text_en.contains(phone.as_str()), "{faults:?}");
        let (plant, files) = as_it_would_run(&["sms2", "sms"]);
        assert_eq!(plant.person(&phone).map(|person| person.channels.clone()), Some(vec![ChannelId::new("sms")]));
        assert!(unreached(&plant, &files).is_empty());
    }

    #[test]
    fn what_loads_without_faults_is_reached_on_its_own_channels() {
        let (whole, files) = loaded("");
        assert!(unreached(&whole.plant, &files).is_empty());
    }
}
