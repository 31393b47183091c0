//! Quotes that hold more than a cell, and lists with other separators and encodings.

use crate::acme::{load, with_list};
use watchfire_config::{Faults, Files, Lang, ListFormat, export_list};

const LIST: &str = include_str!("acme/acme.csv");

fn refused(bytes: &[u8]) -> Faults {
    load(with_list("acme.csv", bytes)).expect_err("rows are lost")
}

/// The list with a quote before a text of one line, and one in another; both lines from 1.
fn with_quotes(quotes: &[(usize, &str)]) -> String {
    let mut lines: Vec<String> = LIST.lines().map(str::to_owned).collect();
    for (line, before) in quotes {
        let changed = lines[line - 1].replacen(before, &format!("\"{before}"), 1);
        assert_ne!(changed, lines[line - 1], "`{before}` stands in line {line}");
        lines[line - 1] = changed;
    }
    lines.join("\n") + "\n"
}

fn codes(faults: &Faults) -> Vec<(&str, usize)> {
    faults.faults().iter().map(|fault| (fault.code, fault.line)).collect()
}

#[test]
fn a_quote_that_is_never_closed_is_told_where_it_opens_with_the_lines_that_it_holds() {
    let last = LIST.lines().count();
    let faults = refused(with_quotes(&[(2, "操作规程")]).as_bytes());
    assert_eq!(codes(&faults)[0], ("unclosed-quote", 2));
    let fault = &faults.faults()[0];
    assert!(fault.text.en.contains(&format!("lines 3 to {last}")), "{faults}");
    assert!(fault.suggestion.as_ref().is_some_and(|text| text.en.contains("操作规程")), "{faults}");
    assert!(fault.source_line[fault.mark.start..].starts_with("\"操作规程"), "{faults}");
}

#[test]
fn a_quote_that_is_closed_rows_later_is_told_where_it_opens() {
    for (quotes, line) in [
        // In the same column of the next row; in an earlier one; before a name, where several lines may stand.
        (vec![(2, "操作规程"), (4, "GB/T")], 2),
        (vec![(2, "操作规程"), (3, "甲醇储罐压力")], 2),
        (vec![(2, "甲醇储罐液位"), (3, "甲醇储罐压力")], 2),
        (vec![(3, "kPa"), (4, "339900")], 3),
    ] {
        let faults = refused(with_quotes(&quotes).as_bytes());
        let [(code, at), ..] = codes(&faults)[..] else { panic!("{faults}") };
        assert!(["swallowed-rows", "text-after-quote"].contains(&code), "{faults}");
        assert_eq!(at, line, "{faults}");
    }
    // The closing quote ends a cell, so that nothing stands behind it.
    let list = LIST.replacen("操作规程", "\"操作规程", 1).replacen("GB/T 50493", "GB/T 50493\"", 1);
    assert_eq!(codes(&refused(list.as_bytes()))[0], ("swallowed-rows", 2));
}

#[test]
fn a_line_break_stands_only_in_a_text_for_people() {
    let list = LIST.replacen(",80,", ",\"8\n0\",", 1);
    assert_eq!(codes(&refused(list.as_bytes()))[0], ("line-break", 2));
    let list = LIST.replacen("操作规程OP-12", "\"操作规程OP-12\n其次,安全阀,定压 95,复核\"", 1);
    let before = load(with_list("acme.csv", list.as_bytes())).expect("a basis may have several lines").plant;
    let files = Files::from_memory(with_list("acme.csv", list.as_bytes()));
    let book = export_list(&files, "acme", Some(ListFormat::Xlsx)).expect("it can be written");
    assert_eq!(load(with_list("acme.xlsx", &book.bytes)).expect("it comes back").plant, before);
}

#[test]
fn steps_and_remarks_of_several_lines_are_no_rows() {
    for text in
        ["1,关阀,停泵,报告调度\n2,疏散", "先停泵,再关阀,通知调度,\n然后撤离", "复核,2024,2025,2026\n", "泄漏,中毒,空呼,无\n1,2,3,撤离"]
    {
        let list = LIST.replacen("操作规程OP-12", &format!("\"{text}\""), 1);
        let loaded = load(with_list("acme.csv", list.as_bytes()));
        assert!(loaded.is_ok(), "{text}: {}", loaded.err().map_or_else(String::new, |faults| faults.to_string()));
    }
}

#[test]
fn lines_that_end_as_on_an_old_macintosh_are_swallowed_as_loudly() {
    let list = LIST.replacen("操作规程", "\"操作规程", 1).replacen("GB/T 50493", "GB/T 50493\"", 1).replace('\n', "\r");
    assert_eq!(codes(&refused(list.as_bytes()))[0].0, "swallowed-rows");
}

#[test]
fn what_stands_behind_a_closing_quote_is_not_dropped_in_silence() {
    let faults = refused(LIST.replacen(",80,", ",\"8\"0,", 1).as_bytes());
    assert_eq!(codes(&faults), [("text-after-quote", 2)]);
}

#[test]
fn a_list_with_a_wrong_quote_does_not_become_a_workbook() {
    let files = Files::from_memory(with_list("acme.csv", with_quotes(&[(2, "操作规程")]).as_bytes()));
    let faults = export_list(&files, "acme", Some(ListFormat::Xlsx)).expect_err("rows would be lost");
    assert_eq!(codes(&faults), [("unclosed-quote", 2)]);
    assert!(export_list(&files, "acme", Some(ListFormat::Csv)).is_ok(), "as it is nothing is lost");
}

#[test]
fn another_separator_or_utf_16_is_one_fault_that_says_what_to_do() {
    for (separator, name) in [("\t", "tabs"), (";", "semicolons"), ("|", "bars"), ("，", "full-width commas")] {
        let faults = refused(LIST.replace("脱开|接好", "").replace(',', separator).as_bytes());
        assert_eq!(codes(&faults), [("separator", 1)], "{faults}");
        let said = faults.render(Lang::En, false);
        assert!(said.contains(name) && said.contains("save it as a CSV with commas"), "{said}");
    }
    let utf_16 = |text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let with_tabs = LIST.replace(',', "\t");
    for text in [LIST, &with_tabs] {
        for mark in [true, false] {
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let faults = refused(&utf_16(text, mark, bytes));
                assert_eq!(codes(&faults), [("encoding", 1)], "{faults}");
                assert!(faults.faults()[0].text.en.contains("UTF-16"), "{faults}");
            }
        }
    }
}
