//! A list given back loads to the same plant, in whichever format and however dirty it was.

use crate::acme::{load, with_list};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use watchfire_config::{Files, ListFormat, Options, export_list, listed_enterprises, load_files, set_cell};

const FORMATS: [Option<ListFormat>; 3] = [None, Some(ListFormat::Csv), Some(ListFormat::Xlsx)];

fn county() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

/// The acme plant once its list has gone out and come back.
fn there_and_back(name: &str, bytes: &[u8], format: Option<ListFormat>) -> Vec<(String, Vec<u8>)> {
    let files = Files::from_memory(with_list(name, bytes));
    let list = export_list(&files, "acme", format).expect("it can be written");
    with_list(&list.name, &list.bytes)
}

#[test]
fn the_whole_county_goes_out_as_workbooks_and_comes_back_the_same() {
    let files = Files::read(&county());
    let environment = |_: &str| None;
    let options = Options { today: Some((2026, 1, 1)), environment: &environment };
    let before = load_files(&files, &options).expect("the county is right").plant;
    let mut back: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for name in ["server.toml", "jurisdiction.toml", "people.toml", "policies.toml", "gateways.toml", "classes.toml", "rules.toml"] {
        back.push((name.into(), std::fs::read(county().join(name)).expect("it is shipped")));
    }
    let enterprises = listed_enterprises(&files);
    assert_eq!(enterprises.len(), 30);
    for enterprise in &enterprises {
        let list = export_list(&files, enterprise, Some(ListFormat::Xlsx)).expect("it can be written");
        back.push((Path::new("enterprises").join(&list.name), list.bytes));
    }
    let after = load_files(&Files::from_memory(back), &options).expect("it comes back").plant;
    assert_eq!(after.version, before.version);
    assert_eq!(after, before);
}

#[test]
fn without_a_format_the_very_bytes_are_given_back() {
    for name in ["gb18030.csv", "merged-descriptions.xlsx", "out-of-order.xlsx"] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dirt").join(name)).expect("it is committed");
        let own = if name.ends_with(".xlsx") { "acme.xlsx" } else { "acme.csv" };
        let list = export_list(&Files::from_memory(with_list(own, &bytes)), "acme", None).expect("it is there");
        assert_eq!((list.name.as_str(), list.bytes == bytes), (own, true), "{name}");
    }
}

#[test]
fn own_columns_titles_and_the_text_of_numbers_survive_both_ways() {
    let text = "安科化工报警设定值\n序号,位号,设备位号,设备类型,信号类型,单位,量程低限,量程高限,高报,网关,#责任人,备注\n\
                001,LIA-1,V-1,储罐,液位,%,0,100.00,80.50,GW01,\"王工,\"\"二\"\"班\",0012\n";
    let book = there_and_back("acme.csv", text.as_bytes(), Some(ListFormat::Xlsx));
    let back = export_list(&Files::from_memory(book), "acme", Some(ListFormat::Csv)).expect("it can be written");
    let back = String::from_utf8(back.bytes).expect("it is UTF-8");
    let cells = |text: &str| text.trim_start_matches('\u{feff}').replace("\r\n", "\n").trim_end().to_owned();
    assert_eq!(cells(&back), cells(text));
}

#[test]
fn one_cell_is_changed_whatever_the_format_of_the_list() {
    let list = include_str!("acme/acme.csv").replacen("操作规程OP-12", "\"操作规程\nOP-12\"", 1);
    let wanted = load(with_list("acme.csv", list.replacen(",80,90,", ",85,90,", 1).as_bytes())).expect("it is right").plant;
    let book = there_and_back("acme.csv", list.as_bytes(), Some(ListFormat::Xlsx));
    let (chinese, _, _) = encoding_rs::GB18030.encode(&list);
    for files in [with_list("acme.csv", list.as_bytes()), book, with_list("acme.csv", &chinese)] {
        let mut files = Files::from_memory(files);
        assert!(set_cell(&mut files, "acme", "LIA-101", "高报", "85"));
        let changed = files.iter().map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes.to_vec())).collect();
        assert_eq!(load(changed).expect("it is right").plant, wanted);
        assert!(!set_cell(&mut files, "acme", "LIA-999", "高报", "85"));
        assert!(!set_cell(&mut files, "acme", "LIA-101", "低低低报", "85"));
        assert!(!set_cell(&mut files, "nosuch", "LIA-101", "高报", "85"));
    }
}

#[test]
fn a_list_is_written_the_same_twice() {
    let list = || export_list(&Files::read(&county()), "hongxin", Some(ListFormat::Xlsx)).expect("it can be written").bytes;
    assert_eq!(list(), list());
}

#[test]
fn an_enterprise_without_a_list_is_told_with_what_was_meant() {
    let faults = export_list(&Files::read(&county()), "hongxing", None).expect_err("there is none");
    assert_eq!(faults.faults()[0].code, "no-list");
    assert!(faults.to_string().contains("hongxin"), "{faults}");
}

#[test]
fn a_list_that_cannot_be_decoded_is_refused() {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dirt/an-old-workbook.xlsx")).expect("it is committed");
    assert!(export_list(&Files::from_memory(with_list("acme.xlsx", &bytes)), "acme", Some(ListFormat::Csv)).is_err());
}

#[test]
fn a_cell_that_a_short_row_does_not_reach_is_shown_where_it_would_be() {
    let list = format!("{}LIA-900,,,V-9,储罐\n", include_str!("acme/acme.csv"));
    let said = |files| load(files).expect_err("a row needs more than its tag");
    let seen: Vec<_> = said(with_list("acme.csv", list.as_bytes())).faults().iter().map(|fault| (fault.line, fault.column)).collect();
    assert!(seen.iter().all(|place| *place == (6, 17)), "where the row ends: {seen:?}");
    let cells: Vec<_> = said(there_and_back("acme.csv", list.as_bytes(), Some(ListFormat::Xlsx)))
        .faults()
        .iter()
        .map(|fault| (fault.code, fault.cell.clone().unwrap_or_default()))
        .collect();
    let cells: Vec<_> = cells.iter().map(|(code, cell)| (*code, cell.split('!').next_back().unwrap_or_default())).collect();
    assert_eq!(cells, [("empty", "J6"), ("empty", "X6")]);
}

/// Texts as people leave them in lists.
fn dirt() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        prop::sample::select(vec![
            "/",
            "—",
            "无",
            "80",
            "80.50",
            "0.050",
            "-3",
            "1E5",
            "≤25%LEL",
            "８０",
            " 80 ",
            "007",
            "1e-7",
            "123456789012345678",
            "TRUE",
            "=1+1",
            "'80",
            "王工,二班",
            "a\"b",
            "第一行\n第二行",
            "2027-03-31",
            "3.30521E+08",
            "0.1",
            "1234567.25",
            "_x000D_"
        ])
        .prop_map(str::to_owned),
        "[ -~丙-甲]{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_dirt_says_the_same_after_it_has_gone_out_and_come_back(
        rows in prop::collection::vec(prop::collection::vec(dirt(), 32), 1..5),
        own in prop::collection::vec(dirt(), 5),
    ) {
        let list = include_str!("acme/acme.csv");
        let mut text = String::new();
        for (at, line) in list.lines().enumerate() {
            text.push_str(line);
            text.push_str(&format!(",{}\n", if at == 0 { "#自用".to_owned() } else { quoted(&own[at]) }));
        }
        for row in rows {
            text.push_str(&row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        let said = |files| match load(files) {
            Ok(loaded) => (Some(loaded.plant), loaded.warnings.iter().map(|fault| fault.code).collect::<Vec<_>>()),
            Err(faults) => (None, faults.faults().iter().map(|fault| fault.code).collect()),
        };
        let before = said(with_list("acme.csv", text.as_bytes()));
        for format in FORMATS {
            let after = said(there_and_back("acme.csv", text.as_bytes(), format));
            prop_assert_eq!(&after.0, &before.0);
            prop_assert_eq!(&after.1, &before.1, "{}", text);
        }
    }
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}
