//! Text to words, each with its place. Full-width signs are read as the ASCII ones.

use crate::fault::Fault;
use crate::unit::Unit;
use std::ops::Range;

/// One word of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A number with its unit, if one is written.
    Number(f64, Option<Unit>),
    /// A tag in brackets.
    Tag(String),
    /// A keyword or the name of a function.
    Word(&'static str),
    /// A sign, in its ASCII form.
    Sign(&'static str),
}

const WORDS: &[(&str, &str)] = &[
    ("and", "and"),
    ("or", "or"),
    ("not", "not"),
    ("if", "if"),
    ("then", "then"),
    ("else", "else"),
    ("true", "true"),
    ("false", "false"),
    ("且", "and"),
    ("或", "or"),
    ("非", "not"),
    ("如果", "if"),
    ("若", "if"),
    ("则", "then"),
    ("否则", "else"),
    ("真", "true"),
    ("假", "false"),
    ("vote", "vote"),
    ("表决", "vote"),
    ("min", "min"),
    ("max", "max"),
    ("abs", "abs"),
    ("avg", "avg"),
    ("sum", "sum"),
    ("mean", "mean"),
    ("rate", "rate"),
    ("cylinder", "cylinder"),
    ("horizontal", "horizontal"),
    ("sphere", "sphere"),
    ("table", "table"),
];

/// The functions, for a suggestion.
pub(crate) const FUNCTIONS: &str = "vote, min, max, abs, avg, sum, mean, rate, cylinder, horizontal, sphere, table";

const SIGNS: &[(&str, &str)] = &[
    (">=", ">="),
    ("≥", ">="),
    ("<=", "<="),
    ("≤", "<="),
    ("!=", "!="),
    ("<>", "!="),
    ("≠", "!="),
    ("==", "="),
    ("=", "="),
    ("\u{ff1d}", "="),
    (">", ">"),
    ("\u{ff1e}", ">"),
    ("<", "<"),
    ("\u{ff1c}", "<"),
    ("+", "+"),
    ("\u{ff0b}", "+"),
    ("-", "-"),
    ("\u{ff0d}", "-"),
    ("−", "-"),
    ("*", "*"),
    ("×", "*"),
    ("/", "/"),
    ("÷", "/"),
    ("(", "("),
    ("\u{ff08}", "("),
    (")", ")"),
    ("\u{ff09}", ")"),
    (",", ","),
    ("\u{ff0c}", ","),
    ("、", ","),
];

/// A word and its bytes.
pub(crate) type Placed = (Token, Range<usize>);

/// Reads the whole text.
pub(crate) fn read(text: &str) -> Result<Vec<Placed>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (token, length) = one(text, at, next)?;
        tokens.push((token, at..at + length));
        at += length;
    }
    Ok(tokens)
}

fn one(text: &str, at: usize, next: char) -> Result<(Token, usize), Fault> {
    let rest = &text[at..];
    if next.is_ascii_digit() || next == '.' {
        return number(text, at);
    }
    if next == '[' || next == '【' {
        return tag(rest, at, next);
    }
    if let Some((sign, meant)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((Token::Sign(meant), sign.len()));
    }
    let length = word_length(rest);
    if length == 0 {
        let fault = Fault::new(at..at + next.len_utf8(), format!("这里不能写 `{next}`"), format!("`{next}` has no meaning here"));
        return Err(fault);
    }
    let word = &rest[..length];
    if let Some((_, meant)) = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
        return Ok((Token::Word(meant), length));
    }
    // Chinese runs on without spaces: 非[A] is read by the tokens, 否则非… by the longest word that begins it.
    let prefix = WORDS.iter().filter(|(known, _)| !known.is_ascii() && word.starts_with(known)).max_by_key(|(known, _)| known.len());
    if let Some((known, meant)) = prefix {
        return Ok((Token::Word(meant), known.len()));
    }
    let fault = Fault::new(at..at + length, format!("不认识 `{word}`"), format!("`{word}` is not known here"));
    Err(if rest[length..].trim_start().starts_with(['(', '\u{ff08}']) {
        fault.help(format!("函数有:{FUNCTIONS}"), format!("the functions are: {FUNCTIONS}"))
    } else {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '#' | '.')).collect();
        fault.help(format!("位号写在方括号里:[{name}]"), format!("a tag stands in brackets: [{name}]"))
    })
}

fn word_length(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
}

/// `[LIA-101]`; a bracket within a name is written twice.
fn tag(rest: &str, at: usize, open: char) -> Result<(Token, usize), Fault> {
    let close = if open == '[' { ']' } else { '】' };
    let mut name = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((place, c)) = chars.next() {
        if c == close {
            if chars.peek().is_some_and(|(_, next)| *next == close) {
                chars.next();
                name.push(c);
                continue;
            }
            let length = place + c.len_utf8();
            if name.trim().is_empty() {
                return Err(Fault::new(at..at + length, "方括号里要写位号", "a tag is missing in the brackets"));
            }
            return Ok((Token::Tag(name.trim().to_owned()), length));
        }
        name.push(c);
    }
    Err(Fault::new(at..at + rest.len(), "方括号没有关上", "the bracket is not closed")
        .help(format!("补上 {close}"), format!("add {close}")))
}

/// A number and the unit behind it, with or without a space between.
fn number(text: &str, at: usize) -> Result<(Token, usize), Fault> {
    let rest = &text[at..];
    let mut length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let many = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if many > 0 {
            length += 1 + (exponent.len() - digits.len()) + many;
        }
    }
    let value: f64 = match rest[..length].parse::<f64>() {
        Ok(value) if value.is_finite() => value,
        _ => {
            let written = &rest[..length];
            return Err(Fault::new(at..at + length, format!("`{written}` 不是一个数"), format!("`{written}` is no number")));
        }
    };
    let gap = rest[length..].len() - rest[length..].trim_start().len();
    let after = &rest[length + gap..];
    let run = unit_run(after);
    if run == 0 || WORDS.iter().any(|(known, _)| *known != "min" && known.eq_ignore_ascii_case(&after[..run])) {
        return Ok((Token::Number(value, None), length));
    }
    let written = &after[..run];
    let place = at + length + gap;
    if let Some(unit) = Unit::parse(written) {
        return Ok((Token::Number(value, Some(unit)), length + gap + run));
    }
    if written.starts_with(is_chinese) {
        if WORDS.iter().any(|(known, _)| written.starts_with(known)) {
            return Ok((Token::Number(value, None), length));
        }
        if let Some(prefix) = Unit::longest_prefix(written) {
            return Ok((Token::Number(value, Unit::parse(&written[..prefix])), length + gap + prefix));
        }
    }
    if let Some(near) = Unit::near(written) {
        let fault = Fault::new(place..place + run, format!("没有单位 `{written}`"), format!("there is no unit `{written}`"));
        return Err(fault.help(format!("是不是 `{near}`?"), format!("did you mean `{near}`?")));
    }
    // One that only the tag knows, such as rpm.
    Ok((Token::Number(value, Some(Unit::of_tag(written))), length + gap + run))
}

/// Bytes that may be a unit: letters, signs of units, and `/` with a letter right behind it.
fn unit_run(text: &str) -> usize {
    let is_unit = |c: char| c.is_alphabetic() || matches!(c, '%' | '℃' | '°' | '²' | '³' | '·' | 'µ' | 'μ');
    let mut length = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((place, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let part = match c {
            // `80%且…` runs on without a space.
            _ if length > 0 && is_chinese(c) != text.starts_with(is_chinese) => false,
            _ if is_unit(c) => true,
            '0'..='9' => length > 0,
            '/' | '.' => length > 0 && next.is_some_and(is_unit),
            _ => false,
        };
        if !part {
            break;
        }
        length = place + c.len_utf8();
    }
    length
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}
