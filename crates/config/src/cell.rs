//! Cells of a setpoint list: numbers, codes and dates as people and 表格软件 leave them behind.

use crate::fault::{Fault, Text, text};
use crate::sheet::Cell;
use crate::source::Place;
use crate::units;
use std::borrow::Cow;

/// Digits of a code of a major hazard (enterprise 9, unit 3).
const HAZARD_CODE_DIGITS: usize = 12;

/// Full-width letters, digits and signs as plain ones.
pub(crate) fn half_width(written: &str) -> Cow<'_, str> {
    map(written, |c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    })
}

/// A tag keeps its full-width brackets, which belong to names; letters, digits and signs of numbering become plain.
pub(crate) fn half_width_tag(written: &str) -> Cow<'_, str> {
    map(written, |c| match c {
        '\u{ff10}'..='\u{ff19}'
        | '\u{ff21}'..='\u{ff3a}'
        | '\u{ff41}'..='\u{ff5a}'
        | '\u{ff0d}'
        | '\u{ff03}'
        | '\u{ff0f}'
        | '\u{ff3f}'
        | '\u{ff0e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    })
}

fn map(written: &str, plain: impl Fn(char) -> char) -> Cow<'_, str> {
    if written.is_ascii() || written.chars().all(|c| plain(c) == c) {
        Cow::Borrowed(written)
    } else {
        Cow::Owned(written.chars().map(plain).collect())
    }
}

/// Whether a cell says that there is none.
pub(crate) fn is_none(written: &str) -> bool {
    matches!(written, "" | "/" | "-" | "--" | "—" | "——" | "无")
}

/// A number as written: its value, and how many digits stand after the point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) decimals: u8,
}

/// Reads a number; `None` for none.
pub(crate) fn number(cell: &Cell<'_>) -> Result<Option<Number>, Box<Fault>> {
    let written = half_width(cell.text.trim());
    if is_none(&written) {
        return Ok(None);
    }
    let digits = written.strip_prefix(['-', '+']).unwrap_or(&written);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = !whole.is_empty() && whole.len() + fraction.len() <= 17 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if let (true, Ok(value)) = (plain && !fraction.contains('.'), written.parse::<f64>()) {
        return Ok(Some(Number { value, decimals: fraction.trim_end_matches('0').len() as u8 }));
    }
    Err(Box::new(no_number(cell, &written)))
}

fn no_number(cell: &Cell<'_>, written: &str) -> Fault {
    if written.parse::<f64>().is_ok_and(|value| !value.is_finite()) {
        let fault = cell.place.error("not-finite", text("NaN 和无穷大不是有效的值", "NaN and infinity are no values"));
        return fault.suggest("没有就留空或写 /", "leave it empty or write / for none");
    }
    let fault = cell.place.error("not-a-number", text(format!("`{written}` 不是一个数"), format!("`{written}` is not a number")));
    fault.suggest_some(Some(instead_of_no_number(cell.text.trim(), written)))
}

/// What to write instead of something that is no number. A number is named only where nothing but a unit or a sign is taken away:
/// whoever copies a wrong one has a wrong limit.
fn instead_of_no_number(as_it_is: &str, written: &str) -> Text {
    if written.contains(['e', 'E'])
        && let Some(value) = written.parse::<f64>().ok().filter(|value| value.abs() < 1e15)
    {
        return text(format!("不用科学计数法:{value}"), format!("without exponent: {value}"));
    }
    let (number, unit) = without_sign_and_unit(written);
    match (is_plain(number), unit) {
        (true, "") => return text(format!("只写 {number},符号不写"), format!("write only {number}, without the sign")),
        (true, unit) => {
            return text(
                format!("本行单位是 {unit} 就只写 {number};单位写在自己的列里"),
                format!("write only {number} if {unit} is the unit of this row; units have their own column"),
            );
        }
        _ => {}
    }
    let digits = number.replace(['O', 'o'], "0").replace(['l', 'I'], "1");
    if digits != number && number.contains(|c: char| c.is_ascii_digit()) && is_plain(&digits) {
        return text(format!("{digits}?里面有字母,不是数字"), format!("{digits}? there is a letter among the digits"));
    }
    if as_it_is.contains('\u{ff0c}') {
        return text(
            "全角逗号`\u{ff0c}`不分列:列与列之间写半角逗号 `,`",
            "a full-width comma `\u{ff0c}` does not end a cell: write `,` between cells",
        );
    }
    text("这一格只写一个数,例如 80 或 -0.5;没有就留空或写 /", "write one number, such as 80 or -0.5; leave it empty or write / for none")
}

/// Digits with or without a sign before and a fraction after them.
fn is_plain(written: &str) -> bool {
    let digits = written.strip_prefix(['-', '+']).unwrap_or(written);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What is left of `≤25%LEL`, and its unit.
fn without_sign_and_unit(written: &str) -> (&str, &str) {
    const SIGNS: [char; 7] = ['≤', '≥', '<', '>', '=', '≈', '约'];
    let bare = written.trim_matches(|c: char| SIGNS.contains(&c) || c.is_whitespace());
    // The longest first: `%LEL` ends with `L`.
    let unit = units::all().filter(|unit| bare.ends_with(unit)).max_by_key(|unit| unit.len()).unwrap_or("");
    (bare[..bare.len() - unit.len()].trim_end(), unit)
}

/// What is wrong with a code: turned into a number by 表格软件, or without its leading zeros.
pub(crate) fn code_fault(cell: &Cell<'_>, fixed_digits: bool) -> Option<Fault> {
    let written = half_width(cell.text.trim());
    if is_none(&written) {
        return None;
    }
    if written.contains(['e', 'E', '.']) && written.parse::<f64>().is_ok() {
        return Some(exponent_fault(cell.place));
    }
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    // An index code goes on with the letter of its object; a hazard code has digits only.
    let judged = if fixed_digits { digits == written.len() } else { digits > 0 && digits < written.len() };
    if judged && (HAZARD_CODE_DIGITS - 3..HAZARD_CODE_DIGITS).contains(&digits) {
        let full = format!("{}{written}", "0".repeat(HAZARD_CODE_DIGITS - digits));
        let fault = text(
            format!("编码应有 {HAZARD_CODE_DIGITS} 位数字,这里只有 {digits} 位,可能丢了前导 0"),
            format!("the code has {digits} digits instead of {HAZARD_CODE_DIGITS}; leading zeros may be lost"),
        );
        return Some(
            cell.place
                .error("code-lost-zeros", fault)
                .suggest(format!("是不是 {full}?把这一列设为“文本”格式"), format!("did it read {full}? format the column as text")),
        );
    }
    None
}

/// Whether a name is what spreadsheets make of a long code, such as `3.30521E+08`.
pub(crate) fn is_exponent(written: &str) -> bool {
    let Some((mantissa, exponent)) = written.split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    mantissa.contains('.') && mantissa.parse::<f64>().is_ok() && !exponent.is_empty() && exponent.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn exponent_fault(place: Place<'_>) -> Fault {
    let fault =
        text("编码被表格软件变成了科学计数法,后几位已经丢失", "a spreadsheet turned this code into a number; its last digits are lost");
    place
        .error("code-as-number", fault)
        .suggest("把这一列设为“文本”格式,再从原文件粘贴一次", "format the column as text and paste the code again from its source")
}

/// Whether a CAS number's check digit is right.
pub(crate) fn cas_is_right(written: &str) -> bool {
    let parts: Vec<_> = written.split('-').collect();
    let [first, second, check] = parts[..] else { return false };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(2..=7).contains(&first.len()) || second.len() != 2 || check.len() != 1 || !parts.iter().all(|part| digits(part)) {
        return false;
    }
    let sum: u32 = first.chars().chain(second.chars()).rev().zip(1..).filter_map(|(c, weight)| Some(c.to_digit(10)? * weight)).sum();
    check.parse() == Ok(sum % 10)
}

/// A date such as `2027-03-31`, `2027/3/31` or `2027.03.31`.
pub(crate) fn date(written: &str) -> Option<jiff::civil::Date> {
    let written = half_width(written.trim());
    let parts: Vec<_> = written.split(['-', '/', '.']).collect();
    let [year, month, day] = parts[..] else { return None };
    if year.len() != 4 {
        return None;
    }
    jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Serials of the years 1990 to 2100, as a cell that lost its date format shows them.
const SERIALS: std::ops::RangeInclusive<i32> = 32_874..=73_415;

/// The text of a missing or wrong date.
pub(crate) fn date_suggestion(written: &str) -> Text {
    let serial = written.parse().ok().filter(|serial| SERIALS.contains(serial));
    let day_zero = jiff::civil::date(1899, 12, 30);
    let date = serial.and_then(|serial| day_zero.checked_add(jiff::Span::new().days(serial)).ok());
    match date {
        Some(date) => text(
            format!("{written} 是表格软件里 {date} 的序号:把这一列设为日期格式,或写 {date}"),
            format!("{written} is a spreadsheet's number for {date}: format the column as a date, or write {date}"),
        ),
        None => text("写成 2027-03-31", "write it as 2027-03-31"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn read(written: &str) -> Result<Option<f64>, &'static str> {
        let source = Source::new("a.csv".into(), written.to_owned());
        let cell = Cell { text: Cow::Borrowed(written), place: source.place(0..written.len()), kind: crate::sheet::Kind::Text };
        number(&cell).map(|number| number.map(|number| number.value)).map_err(|fault| fault.code)
    }

    #[test]
    fn numbers_are_read_and_dirt_is_named() {
        assert_eq!(read("1.40"), Ok(Some(1.4)));
        assert_eq!(read(" -27.4 "), Ok(Some(-27.4)));
        assert_eq!(read("\u{ff18}\u{ff15}.5"), Ok(Some(85.5)));
        for none in ["", "/", "-", "—", "无", "\u{ff0f}"] {
            assert_eq!(read(none), Ok(None), "{none}");
        }
        for wrong in ["≤25%LEL", "1e3", "1,000", "1.2.3", "12a", ".", "十", "+", "0x10"] {
            assert_eq!(read(wrong), Err("not-a-number"), "{wrong}");
        }
        for wrong in ["NaN", "inf", "-Infinity"] {
            assert_eq!(read(wrong), Err("not-finite"), "{wrong}");
        }
    }

    #[test]
    fn a_number_is_suggested_only_where_nothing_but_a_unit_or_a_sign_is_taken_away() {
        let said = |written: &str| {
            let source = Source::new("a.csv".into(), written.to_owned());
            let cell = Cell { text: Cow::Borrowed(written), place: source.place(0..written.len()), kind: crate::sheet::Kind::Text };
            number(&cell).expect_err("it is no number").suggestion.expect("something is suggested").en
        };
        for (written, begin) in [
            ("≤25%LEL", "write only 25 if %LEL"),
            ("0.5 MPa", "write only 0.5 if MPa"),
            ("约80", "write only 80,"),
            ("\u{ff1c}-5℃", "write only -5 if ℃"),
            ("30s", "write only 30 if s"),
            ("8O", "80?"),
            ("l5", "15?"),
            ("2.O%", "2.0?"),
            ("1e3", "without exponent: 1000"),
            ("15\u{ff0c}80\u{ff0c}90\u{ff0c}95\u{ff0c}2", "a full-width comma"),
        ] {
            assert!(said(written).starts_with(begin), "{written}: {}", said(written));
        }
        for written in ["SL-01", "80/85", "1,000", "1.2.3", "12a", "5min", "O", "1e30", "80-85", "≤", "%", "GW01"] {
            assert!(said(written).starts_with("write one number"), "{written}: {}", said(written));
        }
    }

    #[test]
    fn cas_numbers_prove_themselves() {
        for right in ["67-56-1", "7664-41-7", "7782-50-5", "74-82-8"] {
            assert!(cas_is_right(right), "{right}");
        }
        for wrong in ["67-56-2", "67-561", "1967-5-6", "甲醇", "--1"] {
            assert!(!cas_is_right(wrong), "{wrong}");
        }
    }
}
