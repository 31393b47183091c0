//! Limits that `rules.toml` has: those of calculated tags, those of operating modes, and the numbers that an expression holds a gas
//! against. They pass the checks of a list's limits, so that a limit which no list may have cannot come in by another file.
//!
//! Of an expression only plain comparisons are read: `[GT-201] >= 50 ppm`, `50 ppm < max([GT-201], [GT-202])`. What is first scaled or
//! summed is no longer a concentration at a detector, and has no bound.

use crate::build::{Builder, Draft, Key};
use crate::fault::{Sink, text};
use crate::gas::{Bounds, Gas, GasBounds};
use crate::limits::{self, Limit};
use crate::rules::{RawCalculated, RawCondition, RawModeLimit};
use crate::source::At;
use expr::{Input, Program, Quality, Wanted};
use model::Signal;
use std::collections::BTreeSet;
use std::ops::Range;

impl Builder<'_> {
    /// Checks the limits of a calculated tag and the numbers in its expression.
    pub(crate) fn check_calculated(&mut self, raw: &RawCalculated<'_>, sink: &mut Sink) {
        let Some(at) = self.at.get(&(raw.id.enterprise.value.clone(), raw.id.name.value.clone())).copied() else { return };
        // One whose expression is faulty has been told of.
        if self.tags[at].calculation.is_none() {
            return;
        }
        let of_kind = |kind| raw.conditions.list.iter().find(|condition| condition.condition == kind);
        let written = limits::KINDS.iter().enumerate().filter_map(|(at, kind)| Some((at, of_kind(*kind)?)));
        let limits: Vec<Limit<'_>> = written.filter_map(|(at, condition)| limit_of(at, condition)).collect();
        let range = self.tags[at].tag.range;
        limits::check_beside(&limits, range, None, sink);
        let bounds = self.policies.gas.clone().unwrap_or_default();
        self.check_gas_limits(at, raw, &limits, &bounds, sink);
        self.check_comparisons(raw, &bounds, sink);
    }

    /// Upper bounds of a calculated concentration: those of each detector that it is worked out of.
    fn check_gas_limits(&mut self, at: usize, raw: &RawCalculated<'_>, limits: &[Limit<'_>], bounds: &GasBounds, sink: &mut Sink) {
        let (Draft { tag, .. }, Some(first)) = (&self.tags[at], limits.first()) else { return };
        let detectors = self.detectors([at]);
        let mut gases: Vec<Gas<'_>> = Vec::new();
        for detector in detectors.iter().map(|at| &self.tags[*at]) {
            // Without a signal of its own a number in the detector's unit is taken for its concentration.
            let signal = if raw.signal.is_none() && tag.unit == detector.tag.unit { detector.tag.signal } else { tag.signal };
            if signal == detector.tag.signal {
                let range = tag.range.or(detector.tag.range.filter(|_| tag.unit == detector.tag.unit));
                gases.push(Gas { signal, unit: &tag.unit, medium: &detector.tag.medium, cas: &detector.cas, range });
            }
        }
        if gases.is_empty() {
            gases.push(Gas { signal: tag.signal, unit: &tag.unit, medium: &raw.medium, cas: "", range: tag.range });
        }
        let mut strictest: Option<Bounds> = None;
        for gas in &gases {
            let known = bounds.of_or_tell(gas, first.place, &mut self.unbounded, sink);
            strictest = known.map(|known| strictest.map_or(known, |other| known.and(other))).or(strictest);
        }
        for (bounds, limit) in strictest.iter().flat_map(|bounds| limits.iter().map(move |limit| (bounds, limit))) {
            bounds.check(limit.at, &At { value: limit.value, place: limit.place }, &self.tags[at].tag.unit, sink);
        }
    }

    /// Numbers that a gas is compared with.
    fn check_comparisons(&self, raw: &RawCalculated<'_>, bounds: &GasBounds, sink: &mut Sink) {
        let enterprise = &raw.id.enterprise.value;
        let place_of = |name: &str| self.at.get(&(enterprise.clone(), name.to_owned())).copied();
        let look_up = |name: &str| Some(Input::Number(self.tags[place_of(name)?].tag.unit.clone()));
        let text_of_it = &raw.equals.value;
        for Comparison { value, bound } in comparisons(text_of_it) {
            let value = &text_of_it[value];
            let unit = first_tag(value).and_then(place_of).map(|at| self.tags[at].tag.unit.clone());
            let Some(wanted) = unit.map(Wanted::Number) else { continue };
            let (Ok(compared), Ok(literal)) =
                (Program::parse(value, &wanted, &look_up), Program::parse(&text_of_it[bound.clone()], &wanted, &|_| None))
            else {
                continue;
            };
            let literal = literal.run(&[], 0, &mut literal.memory());
            let inputs: Vec<usize> = compared.inputs().iter().filter_map(|name| place_of(name)).collect();
            let Wanted::Number(unit) = &wanted else { continue };
            let of_detector = |at: &usize| {
                let Draft { tag, cas, .. } = &self.tags[*at];
                // Only toxic bounds are converted; a number in another unit, such as a share of two readings, is no concentration.
                if tag.unit != *unit && tag.signal != Signal::Toxic {
                    return None;
                }
                let range = tag.range.filter(|_| tag.unit == *unit);
                bounds.of(&Gas { signal: tag.signal, unit, medium: &tag.medium, cas, range })?.uppermost()
            };
            let Some(most) = self.detectors(inputs).iter().filter_map(of_detector).reduce(f64::min) else { continue };
            if literal.quality == Quality::Good && literal.value > most {
                let fault = text(
                    format!("{value} 的门限 {} {unit} 超过上限 {most} {unit}", literal.value),
                    format!("the threshold {} {unit} of {value} is above the upper bound {most} {unit}", literal.value),
                );
                sink.push(raw.equals.place.inside(text_of_it, bound).error("gas-bound", fault).suggest(
                    format!("写 {most} {unit} 或更低;上限写在 policies.toml 的 [gas_bounds]"),
                    format!("write {most} {unit} or less; the bounds stand in [gas_bounds] of policies.toml"),
                ));
            }
        }
    }

    /// The gas detectors of the lists that tags are worked out of, or are.
    fn detectors(&self, tags: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let (mut found, mut seen): (BTreeSet<usize>, BTreeSet<usize>) = Default::default();
        let mut next: Vec<usize> = tags.into_iter().collect();
        while let Some(at) = next.pop() {
            let draft = &self.tags[at];
            if !seen.insert(at) {
                continue;
            }
            match &draft.calculation {
                Some((_, program)) => {
                    let key = |input: &String| -> Key { (draft.tag.id.enterprise.to_string(), input.clone()) };
                    next.extend(program.inputs().iter().filter_map(|input| self.at.get(&key(input))));
                }
                None if draft.gateway.is_some() && draft.tag.signal.is_gas() => {
                    found.insert(at);
                }
                None => {}
            }
        }
        found
    }

    /// Checks the limits that a tag has in one mode; `moved` are those that are written for it, with their places in [`limits::KINDS`].
    /// Where the list's own limits do not stand, that has been told.
    pub(crate) fn check_mode_limits(&self, tag: usize, moved: &[(usize, &RawModeLimit<'_>)], sink: &mut Sink) {
        let tag = &self.tags[tag].tag;
        let Some(anywhere) = moved.first().map(|(_, raw)| raw.place) else { return };
        let (mut ordinary, mut in_mode): (Vec<Limit<'_>>, Vec<Limit<'_>>) = Default::default();
        for (at, kind) in limits::KINDS.iter().enumerate() {
            let Some(rule) = tag.rule(*kind) else { continue };
            // A limit of the list has no place in this file: its fault stands at the nearest one of the mode.
            let nearest = moved.iter().rfind(|(of, _)| *of < at).or_else(|| moved.iter().find(|(of, _)| *of > at));
            let place = nearest.and_then(|(_, raw)| raw.limit.as_ref()).map_or(anywhere, |limit| limit.place);
            let listed = Limit { at, value: rule.setpoint, place, deadband: rule.deadband, deadband_place: place };
            ordinary.push(listed);
            match moved.iter().find(|(of, _)| *of == at) {
                None => in_mode.push(listed),
                Some((_, raw)) => {
                    // One that is off stands beside nothing.
                    let Some(limit) = &raw.limit else { continue };
                    let deadband_place = raw.deadband.as_ref().map_or(limit.place, |deadband| deadband.place);
                    let deadband = raw.deadband.as_ref().map_or(rule.deadband, |deadband| deadband.value);
                    in_mode.push(Limit { at, value: limit.value, place: limit.place, deadband, deadband_place });
                }
            }
        }
        let mut listed = Sink::default();
        limits::check_beside(&ordinary, tag.range, tag.interlock, &mut listed);
        if listed.errors() == 0 {
            limits::check_beside(&in_mode, tag.range, tag.interlock, sink);
        }
    }
}

/// The limit of a condition, if it has one.
fn limit_of<'a>(at: usize, condition: &RawCondition<'a>) -> Option<Limit<'a>> {
    let limit = condition.limit.as_ref()?;
    let deadband = condition.deadband.as_ref();
    let (deadband, deadband_place) = deadband.map_or((0.0, limit.place), |deadband| (deadband.value, deadband.place));
    Some(Limit { at, value: limit.value, place: limit.place, deadband, deadband_place })
}

/// A comparison that holds where a value is high: the value and what it is held against.
struct Comparison {
    value: Range<usize>,
    bound: Range<usize>,
}

/// A stretch without the blanks around it.
fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    let written = &text[at.clone()];
    let begin = at.start + written.len() - written.trim_start().len();
    begin..begin + written.trim().len()
}

/// The signs of comparisons, the longer first; upwards is one that holds where its left side is high.
const SIGNS: [(&str, bool); 8] =
    [(">=", true), ("≥", true), ("<=", false), ("≤", false), (">", true), ("\u{ff1e}", true), ("<", false), ("\u{ff1c}", false)];
/// What ends the side of a comparison.
const ENDS: [char; 7] = [',', '\u{ff0c}', '、', '(', '\u{ff08}', ')', '\u{ff09}'];
const WORDS: [&str; 15] = ["and", "or", "not", "if", "then", "else", "且", "或", "非", "如果", "若", "则", "否则", "真", "假"];
/// A value that was made with one of these is no concentration at a detector any more.
const ARITHMETIC: [char; 11] = ['+', '\u{ff0b}', '-', '\u{ff0d}', '−', '*', '×', '/', '÷', '=', '!'];
/// Functions that give one of the values they are given, or one between them; a mere bracket among them.
const LIKE_THEIR_INPUT: [&str; 5] = ["", "min", "max", "avg", "mean"];

/// Every plain comparison of a value with something else; both sides are still to be read.
fn comparisons(text: &str) -> Vec<Comparison> {
    let bare = without_names(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((begin, sign, upwards)) = next_sign(&bare, at) {
        at = begin + sign.len();
        let (left, right) = (trimmed(&bare, left_side(&bare, begin)..begin), trimmed(&bare, at..right_side(&bare, at)));
        let (value, bound) = if upwards { (left, right) } else { (right, left) };
        let side = &bare[value.clone()];
        let function = side.split_once(['(', '\u{ff08}']).map(|(name, _)| name.trim().to_lowercase());
        if !side.contains(ARITHMETIC) && function.is_none_or(|name| LIKE_THEIR_INPUT.contains(&&*name)) {
            found.push(Comparison { value, bound });
        }
    }
    found
}

fn next_sign(bare: &str, from: usize) -> Option<(usize, &'static str, bool)> {
    let first = |(sign, upwards): (&'static str, bool)| Some((bare[from..].find(sign)? + from, sign, upwards));
    // `<>` is "not equal".
    let found = SIGNS.into_iter().filter_map(first).min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())))?;
    if bare[found.0..].starts_with("<>") { next_sign(bare, found.0 + 2) } else { Some(found) }
}

/// The text with the names of tags blotted out, byte for byte: they may hold any sign.
fn without_names(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut close = None;
    for c in text.chars() {
        close = close.or(match c {
            '[' => Some(']'),
            '【' => Some('】'),
            _ => None,
        });
        if close.is_some() {
            bare.extend(std::iter::repeat_n('#', c.len_utf8()));
        } else {
            bare.push(c);
        }
        if close == Some(c) {
            close = None;
        }
    }
    bare
}

/// The name of the first tag.
fn first_tag(text: &str) -> Option<&str> {
    let rest = &text[text.find(['[', '【'])?..];
    let mut chars = rest.chars();
    let close = if chars.next()? == '[' { ']' } else { '】' };
    Some(chars.as_str().split(close).next()?.trim())
}

/// Where the side that ends at `end` begins: after the comma, bracket or word before it.
fn left_side(bare: &str, end: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in bare[..end].char_indices().rev() {
        let after = at + c.len_utf8();
        match c {
            ')' | '\u{ff09}' => depth += 1,
            '(' | '\u{ff08}' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ if ENDS.contains(&c) => return after,
            _ => {
                if WORDS.iter().any(|word| bare[..after].ends_with(word) && stands_alone(bare, after - word.len()..after)) {
                    return after;
                }
            }
        }
    }
    0
}

/// Where the side that begins at `begin` ends.
fn right_side(bare: &str, begin: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in bare[begin..].char_indices().map(|(at, c)| (begin + at, c)) {
        match c {
            '(' | '\u{ff08}' => depth += 1,
            ')' | '\u{ff09}' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ if ENDS.contains(&c) => return at,
            _ => {
                if WORDS.iter().any(|word| bare[at..].starts_with(word) && stands_alone(bare, at..at + word.len())) {
                    return at;
                }
            }
        }
    }
    bare.len()
}

/// Chinese runs on without spaces; a word of letters does not.
fn stands_alone(bare: &str, at: Range<usize>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    !bare[at.clone()].is_ascii() || !is_letter(bare[..at.start].chars().next_back()) && !is_letter(bare[at.end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(text: &str) -> Vec<(&str, &str)> {
        comparisons(text).into_iter().map(|found| (&text[found.value], &text[found.bound])).collect()
    }

    #[test]
    fn plain_comparisons_are_found_whichever_way_they_are_written() {
        assert_eq!(
            sides("vote(2, [A] >= 50 ppm, 【B>1】>60ppm,[C,(] ≥ (2 * 30 ppm))"),
            [("[A]", "50 ppm"), ("【B>1】", "60ppm"), ("[C,(]", "(2 * 30 ppm)")]
        );
        assert_eq!(sides("[A]>50ppm且非[B]>60ppm"), [("[A]", "50ppm"), ("[B]", "60ppm")]);
        assert_eq!(sides("50 ppm <= max([A], [B]) and not [C] > 1 ppm"), [("max([A], [B])", "50 ppm"), ("[C]", "1 ppm")]);
        assert_eq!(sides("if mean([A], 5 min) > 5 ppm then 1 else 0"), [("mean([A], 5 min)", "5 ppm")]);
    }

    #[test]
    fn what_is_scaled_summed_or_wanted_low_is_no_plain_comparison() {
        assert_eq!(sides("[A] * 2 > 50 ppm or sum([A], [B]) > 50 ppm or rate([A], 1 min) > 1 or [A] <> 50 ppm"), []);
        assert_eq!(sides("[A] < 50 ppm"), [("50 ppm", "[A]")], "its value is no tag, so it is left alone");
    }
}
