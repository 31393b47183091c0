//! Whatever stands in the files, loading answers and does not panic.

use crate::acme::{PLANT, load, with_list};
use proptest::prelude::*;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use watchfire_config::{FAULTS_MAX, Faults, Files, Lang, Loaded, read_replay};

/// One cut, one insertion or one doubled stretch in one file.
fn broken(file: usize, at: usize, length: usize, insert: &[u8], double: bool) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = PLANT.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let bytes = &mut files[file % PLANT.len()].1;
    let start = at % (bytes.len() + 1);
    let end = (start + length).min(bytes.len());
    let doubled = if double { bytes[start..end].to_vec() } else { Vec::new() };
    let new: Vec<u8> = doubled.into_iter().chain(insert.iter().copied()).collect();
    bytes.splice(if double { start..start } else { start..end }, new);
    files
}

/// A workbook with one stretch of one of its parts replaced. Packed again: a flipped bit of the file itself only breaks a checksum.
fn broken_book(book: &str, part: usize, at: usize, length: usize, insert: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dirt").join(book);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).expect("it is committed")).expect("it is a workbook");
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let parts = archive.len();
    for index in 0..parts {
        let mut entry = archive.by_index(index).expect("it is listed");
        let name = entry.name().expect("it is UTF-8").into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("it can be unpacked");
        if index == part % parts {
            let start = at % (bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, insert.bytes());
        }
        out.start_file(name, options).expect("memory does not fill");
        out.write_all(&bytes).expect("memory does not fill");
    }
    out.finish().expect("memory does not fill").into_inner()
}

/// What every loading owes, whatever the files hold.
fn answers(loaded: Result<Loaded, Faults>) {
    match loaded {
        Ok(loaded) => {
            watchfire_config::render(&loaded.warnings, Lang::Zh, true);
        }
        Err(faults) => {
            assert!(!faults.faults().is_empty());
            faults.render(Lang::Zh, true);
            faults.render(Lang::En, false);
            faults.to_json(Lang::En);
            for fault in faults.faults() {
                assert!(fault.line >= 1 && fault.column >= 1);
                assert!(fault.source_line.get(fault.mark.clone()).is_some());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_broken_workbook_never_panics(
        book in prop::sample::select(vec!["clean.xlsx", "merged-descriptions.xlsx", "formula-without-a-value.xlsx", "cover-and-hidden-sheet.xlsx"]),
        part in 0usize..16,
        at in 0usize..30_000,
        length in 0usize..40,
        insert in prop_oneof![
            "[ -~]{0,12}",
            prop::sample::select(vec![
                "r=\"XFD1048576\"", "r=\"A0\"", "r=\"\"", "r=\"AAAAAAAA1\"", "r=\"A99999999999\"", "s=\"999\"", "t=\"s\"", "t=\"e\"", "<v>", "</v>", "<v>1e999</v>",
                "<v>-1</v>", "<v>99999999999999999999</v>", "<c>", "</row>", "<mergeCell ref=\"A1:XFD1048576\"/>", "<mergeCell ref=\"B2:A1\"/>", "<f>", "&#0;", "&bogus;", "<!--",
                "]]>", "count=\"4294967295\"", "<is><t>", "date1904=\"1\"", "A1:XFD1048576", "B9:A1", "0%", "\u{0}", "<si/>", "t=\"shared\" si=\"4000000000\"",
            ])
            .prop_map(str::to_owned),
        ],
    ) {
        answers(load(with_list("acme.xlsx", &broken_book(book, part, at, length, &insert))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loading_never_panics_and_every_fault_can_be_shown(
        file in 0usize..6,
        at in 0usize..4_000,
        length in 0usize..60,
        insert in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..12),
            prop::sample::select(vec!["\"", "\n", ",", "=", "[", "]]", "9e999", "nan", "é", "＃", "\u{0}", "[[body]]\n", "-1", "\"\"\""])
                .prop_map(|text| text.as_bytes().to_vec()),
        ],
        double in any::<bool>(),
    ) {
        answers(load(broken(file, at, length, &insert, double)));
    }

    #[test]
    fn a_mapping_file_never_panics(text in "(enterprise|format|start|interval|column|tag|\\[\\[column\\]\\]|=|\"[a-z0-9:+-]{0,12}\"|[0-9.]{1,6}|\n| ){0,40}") {
        if let Err(faults) = read_replay(&Files::from_memory([("replay.toml", text.into_bytes())])) {
            prop_assert!(!faults.faults().is_empty());
        }
    }
}

#[test]
fn nothing_at_all_is_a_fault_and_not_a_panic() {
    let faults = load(Vec::new()).expect_err("there are no files");
    let codes: Vec<_> = faults.faults().iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["missing-file"; 3]);
    let nowhere = watchfire_config::load(std::path::Path::new("no such folder")).expect_err("there is no such folder");
    assert!(nowhere.faults().iter().any(|fault| fault.code == "unreadable"));
}

#[test]
fn a_mistake_on_every_line_is_counted_and_not_listed_without_end() {
    let head = "位号,设备位号,信号类型,网关\n";
    let rows: String = (0..FAULTS_MAX + 500).map(|row| format!("T-{row},V-1,温度计,GW01\n")).collect();
    let mut files = broken(0, 0, 0, b"", false);
    files.push(("enterprises/big.csv".to_owned(), (head.to_owned() + &rows).into_bytes()));
    let faults = load(files).expect_err("there is no such signal");
    assert_eq!(faults.faults().len(), FAULTS_MAX);
    assert!(faults.left_off() >= 500, "{}", faults.left_off());
    assert!(faults.render(Lang::En, false).ends_with("more are not listed.\n"));
}

#[test]
fn a_thousand_warnings_do_not_hide_the_error() {
    let (name, list) = PLANT[5];
    let row = list.lines().nth(1).expect("the list has rows").replace("2027-03-31", "2020-03-31");
    let rows: String = (0..FAULTS_MAX + 9).map(|at| row.replace("LIA-101", &format!("LIA-{at}")) + "\n").collect();
    let warned =
        load(crate::acme::changed(name, list, &(list.to_owned() + &rows.replace("LIA-", "L-")))).expect("dates passed are warnings");
    assert_eq!(warned.warnings.len(), FAULTS_MAX + 1);
    assert_eq!(warned.warnings.last().map(|fault| fault.code), Some("more"));
    let wrong = list.to_owned() + &rows.replace("LIA-", "L-") + &row.replace("80,90,95", "90,80,95").replace("LIA-101", "LAST");
    let faults = load(crate::acme::changed(name, list, &wrong)).expect_err("the last row is wrong");
    assert!(faults.faults().iter().any(|fault| fault.code == "limits-out-of-order"));
}
