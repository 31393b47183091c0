//! Every scenario file that is shipped passes, and a scenario that expects what does not happen fails.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use config::{Files, Lang};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use watchfire_tuning::scenario;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn county() -> (Files, Arc<model::Plant>) {
    let files = Files::read(&root());
    let loaded = scenario::load(&files).unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false)));
    (files, Arc::new(loaded.plant))
}

fn of_text(text: &str) -> scenario::Report {
    let (files, plant) = county();
    let read = config::scenario::read(&Files::from_memory([("one.toml", text.as_bytes().to_vec())]), &plant);
    scenario::run(&read.unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false))), &plant, &files)
}

fn faults_of(text: &str) -> String {
    let (_, plant) = county();
    let read = config::scenario::read(&Files::from_memory([("one.toml", text.as_bytes().to_vec())]), &plant);
    read.expect_err("this has a fault").render(Lang::En, false)
}

/// The county with every list as a workbook.
fn county_of_workbooks() -> (Files, Arc<model::Plant>) {
    let (mut files, _) = county();
    for enterprise in config::listed_enterprises(&files) {
        let list = config::export_list(&files, &enterprise, Some(config::ListFormat::Xlsx)).unwrap();
        files.remove(&Path::new("enterprises").join(format!("{enterprise}.csv")));
        files.set(Path::new("enterprises").join(list.name), list.bytes);
    }
    let plant = Arc::new(scenario::load(&files).unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false))).plant);
    (files, plant)
}

#[test]
fn every_shipped_scenario_passes() {
    passes(county());
}

#[test]
fn a_scenario_changes_a_cell_of_a_workbook_as_well() {
    passes(county_of_workbooks());
}

fn passes((files, plant): (Files, Arc<model::Plant>)) {
    let mut failed = String::new();
    let mut paths: Vec<_> = std::fs::read_dir(root().join("tests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    assert!(paths.len() >= 22, "{} scenarios", paths.len());
    for path in &paths {
        let read = match config::scenario::load(path, &plant) {
            Ok(read) => read,
            Err(faults) => {
                failed.push_str(&faults.render(Lang::En, false));
                continue;
            }
        };
        let report = scenario::run(&read, &plant, &files);
        assert!(report.checks > 0);
        for failure in &report.failures {
            failed.push_str(&format!("{}:{} @ {}: {}\n", path.display(), failure.line, failure.at, failure.subject.en));
            for row in &failure.rows {
                let mark = if row.agrees { " " } else { "x" };
                let seen = row.seen.as_ref().map_or("-", |seen| &seen.en);
                failed.push_str(&format!("  {mark} {:<60} | {seen}\n", row.expected.as_deref().unwrap_or("-")));
            }
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn a_scenario_that_expects_what_does_not_happen_fails_and_shows_both() {
    let report = of_text(
        "title = \"t\"\nenterprise = \"hongxin\"\n[[step]]\nat = \"0s\"\nsignal = { \"LIA-101\" = 81 }\n\
         [[step]]\nat = \"+30s\"\nalarms = [\"LIA-101 high raised at 29s\"]\ntold = [\"county red\"]\n",
    );
    assert_eq!(report.failures.len(), 2, "{:?}", report.failures);
    let alarms = &report.failures[0];
    assert_eq!((alarms.line, alarms.at.as_str()), (8, "30s"));
    assert_eq!(alarms.rows[0].expected.as_deref(), Some("LIA-101 high raised at 29s"));
    assert_eq!(alarms.rows[0].seen.as_ref().unwrap().en, "hongxin/LIA-101 high raised at 30s blue");
    let told = &report.failures[1];
    assert_eq!(told.rows[0].seen, None, "the county was not told");
    assert!(told.rows[1].expected.is_none() && told.rows[1].seen.is_some(), "the enterprise was, and nobody expected it");
}

#[test]
fn an_alarm_that_nobody_expects_fails_a_step_that_says_nothing() {
    let report =
        of_text("title = \"t\"\nenterprise = \"hongxin\"\n[[step]]\nat = \"0s\"\nsignal = { \"LIA-101\" = 91 }\n[[step]]\nat = \"+5s\"\n");
    assert!(!report.is_passed());
}

#[test]
fn faults_name_the_place_and_what_was_meant() {
    let text = "title = \"t\"\nenterprise = \"hongxin\"\n[[step]]\nat = \"0s\"\nalarms = [\"LIA-101 hihg raised\"]\n";
    let fault = faults_of(text);
    assert!(fault.contains("one.toml:5:11") && fault.contains("did you mean `high`?"), "{fault}");
    let fault = faults_of("title = \"t\"\nenterprise = \"hongxin\"\n[[step]]\nat = \"0s\"\nreadings = { \"LIA-1O1\" = 3 }\n");
    assert!(fault.contains("one.toml:5:14") && fault.contains("LIA-101"), "{fault}");
    let fault = faults_of("title = \"t\"\nenterprise = \"hongxin\"\n[[step]]\nat = \"soon\"\n");
    assert!(fault.contains("one.toml:4:6"), "{fault}");
    let fault = faults_of("title = \"t\"\nenterprise = \"hongxin\"\n[[step]]\nat = \"5s\"\n[[step]]\nat = \"1s\"\n");
    assert!(fault.contains("one.toml:6:6") && fault.contains("earlier"), "{fault}");
}

/// `tests/README.md` names a test for every trap and every client's fault; a test that was renamed is to be renamed there.
#[test]
fn every_test_that_the_list_of_traps_names_exists() {
    let repository = root().join("..");
    let list = std::fs::read_to_string(repository.join("tests/README.md")).unwrap();
    let mut sources = String::new();
    for folder in ["tests", "crates/rules/tests", "crates/ingest/tests", "crates/config/tests/it"] {
        let files = std::fs::read_dir(repository.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
            sources.push_str(&std::fs::read_to_string(file).unwrap());
        }
    }
    let rows: Vec<&str> = list.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert_eq!(rows.len(), 26, "ten client faults and sixteen traps");
    for name in rows.iter().flat_map(|row| row.split('`').skip(1).step_by(2)) {
        let exists =
            if name.ends_with(".toml") { root().join("tests").join(name).exists() } else { sources.contains(&format!("fn {name}(")) };
        assert!(exists, "{name} is named in tests/README.md and is not there");
    }
}
