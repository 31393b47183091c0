//! What the program starts on.

use super::{BY_START, Kept, shown, told};
use crate::engine::StartRecord;
use crate::lang::lang;
use config::{Files, Lang, Loaded, Options};
use console::VersionJson;
use model::Timestamp;
use std::path::Path;

/// The configuration to start on: the one in force where there is one, else the folder. The folder's own comes into force afterwards, the
/// way every change does, so that a restart loosens nothing in silence.
pub struct Start {
    /// What to run on.
    pub loaded: Loaded,
    /// Those in force so far.
    pub versions: Vec<VersionJson>,
    /// The store does not know the newest of them yet: they are to be put on record.
    pub is_new: bool,
    /// Why the folder was taken without anybody's consent, where it was; people are told.
    pub unasked: Option<String>,
    /// What of it could not be opened, where the program runs all the same; people are told.
    pub shut: Option<String>,
    /// The folder differs and is to be read again once the engine runs.
    pub differs: bool,
    /// What to say on the terminal where it is not the folder's configuration that runs.
    pub instead: Option<String>,
}

impl Start {
    /// Decides, from the folder and from what the store's `rows` say was in force. `opens` says why one could not be opened.
    pub fn of(
        dir: &Path,
        kept: &Kept,
        rows: &[(String, Vec<u8>)],
        now: Timestamp,
        opens: Opens<'_>,
    ) -> anyhow::Result<Result<Self, config::Faults>> {
        let files = Files::read(dir);
        let recorded = rows.iter().find(|(key, _)| key == crate::engine::VERSIONS).map(|(_, bytes)| serde_json::from_slice(bytes));
        let versions: Vec<VersionJson> = recorded.transpose()?.unwrap_or_default();
        let environment = |name: &str| std::env::var(name).ok();
        let options = Options { today: Some(crate::commands::check::civil_date(now)), environment: &environment };
        let folder = files.digest();
        let mut unasked = None;
        if let Some(last) = versions.last()
            && folder != last.version
        {
            // What was in force before is no news: a restart must not take back what was applied since.
            let is_old = versions.iter().any(|version| version.version == folder);
            match in_force(&files, kept, last, is_old, &options, opens) {
                Ok(Taken { files: taken, loaded, shut }) => {
                    let in_force = taken.digest();
                    if let Some(why) = &shut {
                        tracing::error!(folder, in_force, "{why}");
                    }
                    if is_old {
                        tracing::warn!(
                            folder,
                            in_force,
                            "the folder holds a configuration that was in force before; the one applied since stays. Write it into the folder, or take the folder with SIGHUP"
                        );
                    }
                    let instead = (folder != in_force).then(|| instead(&folder, &in_force, is_old));
                    let differs = folder != in_force && !is_old;
                    let start = Self { loaded, versions, is_new: false, unasked: None, shut, differs, instead };
                    return Ok(Ok(start.on(&taken, kept, now)?));
                }
                Err(why) => unasked = Some(why),
            }
        }
        let loaded = match config::load_files(&files, &options) {
            Ok(loaded) => loaded,
            Err(faults) => return Ok(Err(faults)),
        };
        if let Some(why) = &unasked {
            tracing::error!(folder, "{why}; the folder is in force without a change ticket");
        }
        let start = Self { loaded, versions, is_new: false, unasked, shut: None, differs: false, instead: None };
        Ok(Ok(start.on(&files, kept, now)?))
    }

    /// What the engine is to put on record, where it is new.
    pub fn record(&self, at: Timestamp) -> Option<StartRecord> {
        let (last, earlier) = self.versions.split_last().filter(|_| self.is_new)?;
        let before = earlier.last().map(|version| version.version.as_str());
        let entry = before.map(|before| shown::journaled_start(last, before, self.unasked.is_some()));
        let tell = match (&self.unasked, before) {
            (Some(_), Some(before)) => told::of_start(&self.loaded.plant, last, before, at),
            _ => Vec::new(),
        };
        Some(StartRecord { versions: self.versions.clone(), entry, tell })
    }

    /// Puts these files on record where they are not those that were in force.
    fn on(mut self, files: &Files, kept: &Kept, now: Timestamp) -> anyhow::Result<Self> {
        let version = kept.keep(files)?;
        self.is_new = self.versions.last().is_none_or(|last| last.version != version);
        if self.is_new {
            let reason = self.unasked.as_ref().or(self.shut.as_ref()).cloned().unwrap_or_default();
            let rules = self.loaded.plant.version.to_string();
            let (since, author) = (now.as_millis(), BY_START.to_owned());
            self.versions.push(VersionJson { version, rules, since, author, reason, is_back: Some(false), ..VersionJson::default() });
        }
        Ok(self)
    }
}

/// One line for whoever starts the program on a folder and gets another configuration.
fn instead(folder: &str, in_force: &str, is_old: bool) -> String {
    let (zh, en) = if is_old {
        ("文件夹里是以前生效过的配置,用 SIGHUP 改用它", "the folder holds one that was in force before, which SIGHUP takes")
    } else {
        (
            "文件夹里的配置现在进行对比,需要变更单的先作为方案等待",
            "the folder's is compared now, and waits as a plan where it wants a ticket",
        )
    };
    match lang() {
        Lang::Zh => format!("按现行配置 {in_force} 启动,不是文件夹的 {folder}:{zh}"),
        Lang::En => format!("started on the configuration in force, {in_force}, not on the folder's, {folder}: {en}"),
    }
}

/// Why a configuration could not be opened.
pub type Opens<'a> = &'a dyn Fn(&Loaded) -> Result<(), String>;

/// What a start runs on where something was in force.
struct Taken {
    files: Files,
    loaded: Loaded,
    /// Why it is not what it would have been.
    shut: Option<String>,
}

/// What was in force, with the folder's way to brokers and people unless that is `is_old` too; or why it cannot be run on any more.
///
/// An engine that starts goes before the ways it starts on: where the ones due cannot be opened the others are tried, and where neither
/// can but the whole folder can, that is left to be taken.
fn in_force(
    folder: &Files,
    kept: &Kept,
    last: &VersionJson,
    is_old: bool,
    options: &Options<'_>,
    opens: Opens<'_>,
) -> Result<Taken, String> {
    let version = &last.version;
    let before = kept.files(version).ok_or_else(|| format!("the configuration in force ({version}) is not kept any more"))?;
    let of_folder = with_ways_of(folder, &before, options);
    let (of_before, mut why) = match config::load_files(&before, options) {
        Ok(loaded) => (Some((before, loaded)), None),
        Err(faults) => {
            let first = faults.faults().iter().find(|fault| fault.severity == config::Severity::Error).map(shown::fault);
            let first = first.map_or_else(String::new, |fault| format!(": {} {}", fault.place, fault.text_en));
            (None, Some(format!("the configuration in force ({version}) cannot be read by this program{first}")))
        }
    };
    let (mut shut, mut due) = (why.clone().filter(|_| is_old), None);
    let (tries, name, others) = if is_old {
        ([of_before, of_folder], "what is in force", "the folder's")
    } else {
        ([of_folder, of_before], "the folder's server.toml", "those in force")
    };
    for (files, loaded) in tries.into_iter().flatten() {
        match opens(&loaded) {
            Ok(()) => return Ok(Taken { files, loaded, shut }),
            Err(error) => {
                shut.get_or_insert_with(|| format!("{name} cannot be opened: {error}; channels, broker and addresses are {others}"));
                why.get_or_insert_with(|| format!("the configuration in force ({version}) cannot be opened: {error}"));
                due.get_or_insert(Taken { files, loaded, shut: None });
            }
        }
    }
    let folder_opens = config::load_files(folder, options).is_ok_and(|loaded| opens(&loaded).is_ok());
    match due {
        // Nothing can be opened, whatever it is: the start fails on what is due, and says so.
        Some(due) if !folder_opens => Ok(due),
        _ => Err(why.unwrap_or_default()),
    }
}

/// The files in force with the folder's way to brokers and people, where that differs and the whole is without faults: it holds no
/// limit, and it can only be opened at a start. `people.toml` comes along where channels were named anew.
fn with_ways_of(folder: &Files, before: &Files, options: &Options<'_>) -> Option<(Files, Loaded)> {
    const WAYS: [&str; 2] = ["server.toml", "people.toml"];
    if folder.get(Path::new(WAYS[0])) == before.get(Path::new(WAYS[0])) {
        return None;
    }
    (1..=WAYS.len()).find_map(|count| {
        let mut files = Files::from_memory(before.iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())));
        for name in &WAYS[..count] {
            files.set(*name, folder.get(Path::new(name))?.to_vec());
        }
        config::load_files(&files, options).ok().map(|loaded| (files, loaded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_takes_the_folders_channels_and_leaves_its_limits_to_a_plan() {
        let environment = |_: &str| None;
        let options = Options { today: None, environment: &environment };
        let folder = Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config")));
        let text = |files: &Files, name: &str| String::from_utf8(files.get(Path::new(name)).expect("there").to_vec()).expect("text");
        let list = "enterprises/hongxin.csv";
        let mut next = folder.clone();
        next.set(
            "server.toml",
            format!(
                "{}\n[channels.spare]\nkind = \"sms\"\nurl = \"http://127.0.0.1:9/sms\"\ntemplate = \"short\"\n",
                text(&folder, "server.toml")
            )
            .into_bytes(),
        );
        next.set(list, text(&folder, list).replacen(",80,90,95,", ",85,90,95,", 1).into_bytes());
        assert_ne!(text(&next, list), text(&folder, list));
        let (taken, loaded) = with_ways_of(&next, &folder, &options).expect("the channels are fine");
        assert!(loaded.plant.channel(&"spare".into()).is_some());
        assert_eq!(text(&taken, list), text(&folder, list), "a limit is no channel");
        assert!(with_ways_of(&folder, &folder, &options).is_none(), "nothing to take");
        next.set("server.toml", b"nonsense".to_vec());
        assert!(with_ways_of(&next, &folder, &options).is_none(), "with a fault the ones in force stay");
    }

    fn shipped() -> Files {
        Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config")))
    }

    fn with(name: &str, add: &str) -> Files {
        let mut files = shipped();
        let text = [files.get(Path::new(name)).unwrap_or_default(), add.as_bytes()].concat();
        files.set(name, text);
        files
    }

    fn written(files: &Files) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, bytes) in files.iter() {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a disk");
            std::fs::write(file, bytes).expect("a disk");
        }
        dir
    }

    /// A start on `folder` after these were in force, the newest last.
    fn start(folder: &Files, were_in_force: &[&Files]) -> (Start, tempfile::TempDir) {
        start_where(folder, were_in_force, &|_| Ok(()))
    }

    fn start_where(folder: &Files, were_in_force: &[&Files], opens: Opens<'_>) -> (Start, tempfile::TempDir) {
        let data = tempfile::tempdir().expect("a folder");
        let kept = Kept::of(data.path());
        let keep = |files: &&Files| VersionJson { version: kept.keep(files).expect("a disk"), ..VersionJson::default() };
        let versions: Vec<VersionJson> = were_in_force.iter().map(keep).collect();
        let rows = [(crate::engine::VERSIONS.to_owned(), serde_json::to_vec(&versions).expect("plain data"))];
        let folder = written(folder);
        (Start::of(folder.path(), &kept, &rows, Timestamp::from_secs(1_764_000_000), opens).expect("a disk").expect("no faults"), data)
    }

    const SPARE: &str = "\n[channels.spare]\nkind = \"sms\"\nurl = \"http://127.0.0.1:9/sms\"\n";

    #[test]
    fn what_was_in_force_and_cannot_be_read_any_more_is_left_loudly_and_on_record() {
        let broken = with("policies.toml", "\n[what_an_older_program_knew]\nx = 1\n");
        let (start, _data) = start(&shipped(), &[&broken]);
        let why = start.unasked.clone().expect("people are told");
        assert!(why.contains(&broken.digest()) && why.contains("policies.toml"), "{why}");
        let record = start.record(Timestamp::from_secs(1_764_000_000)).expect("it is new");
        let entry: serde_json::Value = serde_json::from_slice(&record.entry.expect("on record")).expect("plain data");
        assert_eq!((&entry["event"], &entry["before"]), (&"taken-without-ticket".into(), &broken.digest().into()));
        assert_eq!(entry["reason"], why.as_str());
        assert_eq!(record.versions.last().map(|version| version.reason.as_str()), Some(why.as_str()));
        let told = |tier| record.tell.iter().filter(|told| told.key.tier == model::Tier(tier)).count();
        assert!(told(1) > 0 && told(2) > 0, "townships and the county");
        assert_eq!(told(0), 0);
    }

    #[test]
    fn what_is_read_as_ever_is_no_news() {
        let (start, _data) = start(&shipped(), &[&shipped()]);
        assert!(start.unasked.is_none() && start.instead.is_none() && !start.differs && start.record(Timestamp(0)).is_none());
    }

    #[test]
    fn a_restart_opens_the_channels_that_were_applied_and_not_those_of_a_folder_left_behind() {
        let applied = with("server.toml", SPARE);
        let channels = |start: &Start| start.loaded.plant.channel(&"spare".into()).is_some();
        let (forward, _data) = start(&shipped(), &[&shipped(), &applied]);
        assert!(channels(&forward) && !forward.is_new, "the folder was in force before");
        let (back, _data) = start(&applied, &[&shipped(), &applied, &shipped()]);
        assert!(!channels(&back) && !back.is_new, "taken back, it stays back");
        let said = back.instead.as_ref().expect("whoever started it on the folder reads it");
        assert!(said.contains(&applied.digest()) && said.contains(&shipped().digest()) && said.contains("SIGHUP"), "{said}");
        let (news, _data) = start(&applied, &[&shipped()]);
        assert!(channels(&news) && news.is_new, "a folder that never was in force brings its channels");
    }

    #[test]
    fn an_engine_whose_ways_cannot_be_opened_starts_on_the_others_loudly() {
        let spare = |loaded: &Loaded| loaded.plant.channel(&"spare".into()).is_some();
        let shut = |loaded: &Loaded| if spare(loaded) { Err("the address is taken".to_owned()) } else { Ok(()) };
        let mut applied = with("server.toml", SPARE);
        let list = Path::new("enterprises/hongxin.csv");
        let tighter = String::from_utf8(applied.get(list).expect("there").to_vec()).expect("text").replacen(",80,90,95,", ",79,90,95,", 1);
        applied.set(list, tighter.into_bytes());

        // The good folder put back: its ways, the limits in force.
        let (back, _data) = start_where(&shipped(), &[&shipped(), &applied], &shut);
        let why = back.shut.clone().expect("people are told");
        assert!(why.contains("the address is taken"), "{why}");
        assert!(!spare(&back.loaded) && back.unasked.is_none() && !back.differs);
        let newest = back.versions.last().expect("on record");
        let taken = Kept::of(_data.path()).files(&newest.version).expect("kept");
        assert_eq!((taken.get(list), &newest.reason), (applied.get(list), &why));
        assert!(back.record(Timestamp(0)).is_some_and(|record| record.tell.is_empty()), "no limit is looser");

        // A folder of new ways that cannot be opened: those in force, and the folder is tried again by a plan.
        let (on, _data) = start_where(&applied, &[&shipped()], &shut);
        assert!(on.shut.is_some() && !spare(&on.loaded) && !on.is_new && on.differs);

        // Nothing of what is in force can be opened, the folder can: it is taken whole, and everybody is told.
        let only_folder =
            |loaded: &Loaded| if loaded.plant.version == back.loaded.plant.version { Err("no login".to_owned()) } else { shut(loaded) };
        let (whole, _data) = start_where(&shipped(), &[&shipped(), &applied], &only_folder);
        assert!(whole.unasked.as_ref().is_some_and(|why| why.contains("cannot be opened")), "{:?}", whole.unasked);
        assert!(!whole.record(Timestamp(0)).expect("it is new").tell.is_empty());

        // Nothing can be opened at all: no limit goes for it.
        let (none, _data) = start_where(&shipped(), &[&shipped(), &applied], &|_| Err("the disk is gone".to_owned()));
        assert!(spare(&none.loaded) && !none.is_new && none.unasked.is_none());
    }
}
