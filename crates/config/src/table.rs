//! TOML with places: one table, its keys asked for by name, every fault gathered.
//!
//! serde stops at the first fault and a deserialised struct has lost its places, so tables are read by hand from
//! `toml`'s spanned tree. A key that nobody asked for is refused with what was probably meant.

use crate::fault::{Sink, text};
use crate::source::{At, Place, Source};
use crate::suggest;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parses a file, reports its syntax faults, and hands what could be understood to `read`.
pub(crate) fn with_document<'a, T>(source: &'a Source, sink: &mut Sink, read: impl FnOnce(&mut Table<'_, 'a>, &mut Sink) -> T) -> T {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let place = source.place(error.span().unwrap_or(0..0));
        sink.push(
            place.error("toml-syntax", text(format!("TOML 语法错误:{}", error.message()), format!("TOML syntax: {}", error.message()))),
        );
    }
    let mut table = Table::new(source, document.get_ref(), 0..0);
    let value = read(&mut table, sink);
    // After a syntax fault keys may have landed in the wrong table; one fault is told once.
    if errors.is_empty() {
        table.finish(sink);
    }
    value
}

/// One table of a file.
pub(crate) struct Table<'t, 'a> {
    source: &'a Source,
    table: &'t DeTable<'t>,
    span: Range<usize>,
    asked: BTreeSet<&'static str>,
    renamed: &'static [(&'static str, &'static str)],
    /// The keys are names of the plant, not words of ours.
    names_are_free: bool,
}

impl<'t, 'a> Table<'t, 'a> {
    fn new(source: &'a Source, table: &'t DeTable<'t>, span: Range<usize>) -> Self {
        Self { source, table, span, asked: BTreeSet::new(), renamed: &[], names_are_free: false }
    }
    /// Keys of earlier versions and other products: the fault answers with the name used here.
    pub(crate) fn renamed(&mut self, renamed: &'static [(&'static str, &'static str)]) {
        self.renamed = renamed;
    }
    pub(crate) fn place(&self) -> Place<'a> {
        self.source.place(self.span.clone())
    }
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }
    /// Whether a text stands under a key that may also hold something else.
    pub(crate) fn is_text(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_str())
    }
    /// The place of a key that has a fault of its own.
    pub(crate) fn forbidden(&mut self, key: &'static str) -> Option<Place<'a>> {
        self.asked.insert(key);
        self.table.get_key_value(key).map(|(key, _)| self.source.place(key.span()))
    }

    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.insert(key);
        self.table.get(key)
    }
    fn at(&self, span: Range<usize>) -> Place<'a> {
        self.source.place(span)
    }

    /// A key that must be there.
    pub(crate) fn required<T>(&mut self, key: &'static str, value: Option<T>, sink: &mut Sink) -> Option<T> {
        if value.is_none() && !self.has(key) {
            sink.push(self.place().error("missing-key", text(format!("缺少 `{key}`"), format!("`{key}` is missing"))));
        }
        value
    }

    pub(crate) fn string(&mut self, key: &'static str, sink: &mut Sink) -> Option<At<'a, String>> {
        let value = self.get(key)?;
        string_of(self.source, value, sink)
    }
    pub(crate) fn required_string(&mut self, key: &'static str, sink: &mut Sink) -> Option<At<'a, String>> {
        let value = self.string(key, sink);
        let value = self.required(key, value, sink)?;
        if value.value.trim().is_empty() {
            sink.push(value.place.error("empty", text(format!("`{key}` 不能为空"), format!("`{key}` must not be empty"))));
            return None;
        }
        Some(value)
    }
    pub(crate) fn bool(&mut self, key: &'static str, sink: &mut Sink) -> Option<At<'a, bool>> {
        let value = self.get(key)?;
        let place = self.at(value.span());
        match value.get_ref().as_bool() {
            Some(value) => Some(At { value, place }),
            None => {
                sink.push(place.error("wrong-type", text("这里要 true 或 false", "expected true or false")));
                None
            }
        }
    }
    /// A finite number within bounds.
    pub(crate) fn number(&mut self, key: &'static str, bounds: (f64, f64), sink: &mut Sink) -> Option<At<'a, f64>> {
        let value = self.get(key)?;
        let place = self.at(value.span());
        let Some(number) = number_of(value.get_ref()) else {
            sink.push(place.error("wrong-type", text("这里要一个数", "expected a number")));
            return None;
        };
        let (low, high) = bounds;
        if !number.is_finite() {
            sink.push(place.error("not-finite", text("NaN 和无穷大不是有效的值", "NaN and infinity are no values")));
            return None;
        }
        if number < low || number > high {
            let fault = text(format!("`{key}` 必须在 {low} 到 {high} 之间"), format!("`{key}` must be between {low} and {high}"));
            sink.push(place.error("out-of-bounds", fault));
            return None;
        }
        Some(At { value: number, place })
    }
    /// A whole number within bounds.
    pub(crate) fn integer(&mut self, key: &'static str, bounds: (i64, i64), sink: &mut Sink) -> Option<At<'a, i64>> {
        let number = self.number(key, (bounds.0 as f64, bounds.1 as f64), sink)?;
        if number.value.fract() != 0.0 {
            sink.push(number.place.error("wrong-type", text("这里要一个整数", "expected a whole number")));
            return None;
        }
        Some(At { value: number.value as i64, place: number.place })
    }
    /// One string or an array of strings.
    pub(crate) fn strings(&mut self, key: &'static str, sink: &mut Sink) -> Option<Vec<At<'a, String>>> {
        let value = self.get(key)?;
        if value.get_ref().is_str() {
            return string_of(self.source, value, sink).map(|one| vec![one]);
        }
        let Some(array) = value.get_ref().as_array() else {
            sink.push(self.at(value.span()).error("wrong-type", text("这里要一个字符串数组", "expected an array of strings")));
            return None;
        };
        Some(array.iter().filter_map(|value| string_of(self.source, value, sink)).collect())
    }
    /// A table under a key, read and then searched for unknown keys.
    pub(crate) fn table<T>(
        &mut self,
        key: &'static str,
        sink: &mut Sink,
        read: impl FnOnce(&mut Table<'t, 'a>, &mut Sink) -> T,
    ) -> Option<T> {
        let value = self.get(key)?;
        self.read_table(value, sink, read)
    }
    /// Every table of an array under a key.
    pub(crate) fn tables<T>(
        &mut self,
        key: &'static str,
        sink: &mut Sink,
        mut read: impl FnMut(&mut Table<'t, 'a>, &mut Sink) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let fault = text(format!("`{key}` 要写成 [[{key}]] 或数组"), format!("`{key}` must be an array of tables"));
            sink.push(self.at(value.span()).error("wrong-type", fault));
            return None;
        };
        Some(array.iter().filter_map(|value| self.read_table(value, sink, &mut read).flatten()).collect())
    }
    /// Reads every entry of this table, its keys being names that an engineer chose.
    pub(crate) fn each<T>(
        &mut self,
        sink: &mut Sink,
        mut read: impl FnMut(At<'a, String>, Entry<'t, 'a>, &mut Sink) -> Option<T>,
    ) -> Vec<T> {
        self.names_are_free = true;
        let mut list = Vec::new();
        for (key, value) in self.table.iter() {
            let name = At { value: key.get_ref().to_string(), place: self.at(key.span()) };
            list.extend(read(name, Entry { source: self.source, value }, sink));
        }
        list
    }

    fn read_table<T>(
        &self,
        value: &'t Spanned<DeValue<'t>>,
        sink: &mut Sink,
        read: impl FnOnce(&mut Table<'t, 'a>, &mut Sink) -> T,
    ) -> Option<T> {
        Entry { source: self.source, value }.table(sink, read)
    }

    fn finish(&self, sink: &mut Sink) {
        if self.names_are_free {
            return;
        }
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if self.asked.contains(name) {
                continue;
            }
            let fault = self.at(key.span()).error("unknown-key", text(format!("不认识的键 `{name}`"), format!("unknown key `{name}`")));
            let renamed = self
                .renamed
                .iter()
                .find(|(old, _)| *old == name)
                .map(|(_, new)| text(format!("已改名为 `{new}`"), format!("it is called `{new}` now")));
            let known = || suggest::did_you_mean(name, self.asked.iter().copied()).or_else(|| suggest::one_of(self.asked.iter().copied()));
            sink.push(fault.suggest_some(renamed.or_else(known)));
        }
    }
}

/// The value of an entry whose key is a name.
pub(crate) struct Entry<'t, 'a> {
    source: &'a Source,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t, 'a> Entry<'t, 'a> {
    pub(crate) fn table<T>(&self, sink: &mut Sink, read: impl FnOnce(&mut Table<'t, 'a>, &mut Sink) -> T) -> Option<T> {
        let Some(inner) = self.value.get_ref().as_table() else {
            let place = self.source.place(self.value.span());
            sink.push(place.error("wrong-type", text("这里要一个表", "expected a table")));
            return None;
        };
        let mut table = Table::new(self.source, inner, self.value.span());
        let value = read(&mut table, sink);
        table.finish(sink);
        Some(value)
    }
    pub(crate) fn string(&self, sink: &mut Sink) -> Option<At<'a, String>> {
        string_of(self.source, self.value, sink)
    }
    /// A number, a bool or a string, or an array of them, each as it is written.
    pub(crate) fn words(&self, sink: &mut Sink) -> Vec<At<'a, String>> {
        let one = std::slice::from_ref(self.value);
        let list = self.value.get_ref().as_array().map_or(one, |array| &array[..]);
        let written = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            _ => self.source.text[value.span()].to_owned(),
        };
        if let Some(value) = list.iter().find(|value| matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_))) {
            let place = self.source.place(value.span());
            sink.push(place.error("wrong-type", text("这里要一个数或一个字符串", "expected a number or a string")));
            return Vec::new();
        }
        list.iter().map(|value| At { value: written(value), place: self.source.place(value.span()) }).collect()
    }
}

/// Reads every entry of the table under a key, its keys being names that an engineer chose.
pub(crate) fn named<'t, 'a, T>(
    table: &mut Table<'t, 'a>,
    key: &'static str,
    sink: &mut Sink,
    read: impl FnMut(At<'a, String>, Entry<'t, 'a>, &mut Sink) -> Option<T>,
) -> Vec<T> {
    table.table(key, sink, |table, sink| table.each(sink, read)).unwrap_or_default()
}

fn string_of<'a>(source: &'a Source, value: &Spanned<DeValue<'_>>, sink: &mut Sink) -> Option<At<'a, String>> {
    let place = source.place(value.span());
    match value.get_ref().as_str() {
        Some(found) => Some(At { value: found.to_owned(), place }),
        None => {
            let written = &source.text[value.span()];
            let fault = place.error("wrong-type", text("这里要一个字符串", "expected a string"));
            sink.push(fault.suggest(format!("加上引号:\"{written}\""), format!("put it in quotes: \"{written}\"")));
            None
        }
    }
}

fn number_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number as f64),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}
