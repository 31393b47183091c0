//! Lists as they come: one kind of dirt per file, and what is said about it, at which place. `dirt/make.py` writes the files.

use crate::acme::{load, with_list};
use std::path::{Path, PathBuf};
use watchfire_config::{Faults, Lang, Loaded, Severity};

/// A file of `dirt/` and everything said about it: `place code`, in the order of places. What only begins with `note` or
/// `warning` is read; anything else is refused.
const CASES: &[(&str, &[&str])] = &[
    ("gb18030.csv", &[]),
    ("bom-and-crlf.csv", &[]),
    ("full-width.csv", &["note 2:1 full-width"]),
    ("signs-for-none.csv", &[]),
    ("limit-with-its-unit.csv", &["error 3:82 not-a-number", "error 4:80 not-a-number"]),
    ("codes-as-exponents.csv", &["error 2:32 code-as-number", "error 3:1 code-as-number"]),
    ("lost-zeros.csv", &["error 2:32 code-lost-zeros", "error 2:101 code-lost-zeros"]),
    ("serial-for-a-date.csv", &["error 2:134 date"]),
    ("comma-in-a-text.csv", &["error 2:161 cell-without-head"]),
    ("title-heading-and-signature.csv", &["note 1:1 title", "error 6:1 not-a-row", "error 9:1 not-a-row"]),
    ("heads-once-more.csv", &["error 4:1 repeated-head"]),
    ("own-columns.csv", &[]),
    ("unknown-column.csv", &["error 1:150 unknown-head"]),
    ("error-values.csv", &["error 2:78 cell-error", "error 3:9 cell-error"]),
    ("neither-encoding.csv", &["error 2:9 encoding"]),
    ("clean.xlsx", &[]),
    ("codes-as-numbers.xlsx", &["warning 设定值!F2 number-cell"]),
    ("a-long-code-as-a-number.xlsx", &["error 设定值!Y2 code-as-number", "warning 设定值!Y2 number-cell"]),
    ("zeros-by-format.xlsx", &["warning 设定值!F2 number-cell"]),
    ("percent-cells.xlsx", &["error 设定值!Q2 not-a-number", "error 设定值!R2 not-a-number"]),
    ("dates-and-serials.xlsx", &["error 设定值!AB2 date", "warning 设定值!I3 cas"]),
    ("merged-descriptions.xlsx", &["note 设定值!C3 merged-cells"]),
    ("merged-limit.xlsx", &["error 设定值!Q3 merged-cell"]),
    (
        "heads-on-two-rows.xlsx",
        &["error 设定值!O1 unknown-head", "error 设定值!P1 merged-head", "error 设定值!Q1 merged-head", "error 设定值!R1 merged-head"],
    ),
    ("title-and-empty-rows.xlsx", &["note 设定值!A1 title"]),
    ("two-lists.xlsx", &["error 1:1 several-lists"]),
    ("cover-and-hidden-sheet.xlsx", &["note 设定值!A1 other-sheets"]),
    ("no-list.xlsx", &["error 1:1 no-list-in-workbook"]),
    ("formula-without-a-value.xlsx", &["error 设定值!Q2 cell-error"]),
    ("error-values.xlsx", &["error 设定值!Q2 cell-error"]),
    ("out-of-order.xlsx", &["error 设定值!R2 limits-out-of-order"]),
    ("a-cell-at-the-far-corner.xlsx", &["error 1:1 workbook"]),
    ("a-csv-named-xlsx.xlsx", &["error 1:1 workbook"]),
    ("an-old-workbook.xlsx", &["error 1:1 workbook"]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dirt")
}

fn load_dirt(file: &str) -> Result<Loaded, Faults> {
    let bytes = std::fs::read(folder().join(file)).expect("the file is committed");
    let name = if file.ends_with(".xlsx") { "acme.xlsx" } else { "acme.csv" };
    load(with_list(name, &bytes))
}

fn said(file: &str) -> Vec<String> {
    let loaded = load_dirt(file);
    let faults = match &loaded {
        Ok(loaded) => &loaded.warnings[..],
        Err(faults) => faults.faults(),
    };
    let severity = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let place = |fault: &watchfire_config::Fault| fault.cell.clone().unwrap_or_else(|| format!("{}:{}", fault.line, fault.column));
    faults.iter().map(|fault| format!("{} {} {}", severity(fault.severity), place(fault), fault.code)).collect()
}

#[test]
fn every_kind_of_dirt_is_read_with_a_note_or_refused_at_its_place() {
    let mut wrong = Vec::new();
    for (file, expected) in CASES {
        let seen = said(file);
        if seen != *expected {
            wrong.push(format!("{file}: {seen:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_of_dirt_is_a_case() {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("the folder is committed")
        .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".csv") || name.ends_with(".xlsx"))
        .collect();
    files.sort();
    let mut cases: Vec<_> = CASES.iter().map(|(file, _)| (*file).to_owned()).collect();
    cases.sort();
    assert_eq!(files, cases);
    assert!(cases.len() >= 22);
}

#[test]
fn whatever_is_refused_says_what_to_do_instead() {
    for (file, _) in CASES {
        let Err(faults) = load_dirt(file) else { continue };
        for fault in faults.faults().iter().filter(|fault| fault.severity == Severity::Error) {
            assert!(fault.suggestion.is_some(), "{file}: {}", fault.one_line(Lang::En));
        }
    }
}

#[test]
fn harmless_dirt_gives_the_plant_of_the_clean_list() {
    let clean = load_dirt("clean.xlsx").expect("it is clean").plant;
    assert_eq!(clean, load_dirt("gb18030.csv").expect("it is clean").plant);
    for file in [
        "bom-and-crlf.csv",
        "full-width.csv",
        "own-columns.csv",
        "merged-descriptions.xlsx",
        "title-and-empty-rows.xlsx",
        "cover-and-hidden-sheet.xlsx",
    ] {
        assert_eq!(load_dirt(file).expect("it is harmless").plant, clean, "{file}");
    }
}

#[test]
fn a_fault_in_a_workbook_names_the_file_the_sheet_and_the_cell() {
    let faults = load_dirt("out-of-order.xlsx").expect_err("92 is above 90");
    let fault = &faults.faults()[0];
    assert_eq!(fault.place(), "enterprises/acme.xlsx:设定值!R2");
    assert!(
        faults
            .render(Lang::En, false)
            .starts_with("error[limits-out-of-order]: enterprises/acme.xlsx:设定值!R2: HH 90 is not above H 92\n")
    );
    assert_eq!(faults.to_json(Lang::En)[0]["cell"], "设定值!R2");
}

#[test]
fn a_csv_and_a_workbook_of_one_enterprise_are_one_list_too_many() {
    let mut files = crate::acme::changed("server.toml", "", "");
    files.push(("enterprises/acme.xlsx".to_owned(), std::fs::read(folder().join("clean.xlsx")).expect("it is committed")));
    let faults = load(files).expect_err("there are two lists");
    assert_eq!(faults.faults()[0].code, "two-lists");
}
