//! Which units a signal may have, and how they are written on pages.

use crate::fault::{Text, text};
use crate::values::MEASURED;
use model::Signal;

/// Units of a signal in the form in which they are shown.
pub(crate) const fn of(signal: Signal) -> &'static [&'static str] {
    match signal {
        Signal::Temperature => &["℃", "K"],
        Signal::Pressure => &["MPa", "kPa", "Pa", "bar", "mbar", "kgf/cm²", "mmHg"],
        Signal::Level => &["%", "m", "cm", "mm"],
        Signal::Stock => &["t", "kg", "m³", "L"],
        Signal::Flow => &["m³/h", "Nm³/h", "L/min", "kg/h", "t/h", "kscmh"],
        Signal::Combustible => &["%LEL", "%VOL", "LEL·m"],
        Signal::Toxic => &["ppm", "ppb", "mg/m³", "%VOL"],
        Signal::Oxygen => &["%VOL"],
        Signal::StaticEarthing | Signal::Switch | Signal::Other | Signal::Gateway | Signal::System => &[],
    }
}

/// Other ways to write the same unit.
const SYNONYMS: &[(&str, &str)] = &[
    ("°C", "℃"),
    ("C", "℃"),
    ("degC", "℃"),
    ("摄氏度", "℃"),
    ("m3", "m³"),
    ("立方米", "m³"),
    ("吨", "t"),
    ("米", "m"),
    ("毫米", "mm"),
    ("m3/h", "m³/h"),
    ("Nm3/h", "Nm³/h"),
    ("mg/m3", "mg/m³"),
    ("LEL%", "%LEL"),
    ("VOL%", "%VOL"),
    ("%vol", "%VOL"),
    ("kgf/cm2", "kgf/cm²"),
    ("LEL.m", "LEL·m"),
];

/// Every unit that a number of a list may have behind it, in every way to write it; of times only the second, in which lists have them.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    let written = SYNONYMS.iter().flat_map(|(other, unit)| [*other, *unit]);
    MEASURED.into_iter().flat_map(of).copied().chain(written).chain(["s", "秒"])
}

/// The unit in the form in which it is shown, if it fits the signal.
pub(crate) fn parse(signal: Signal, written: &str) -> Result<String, Option<Text>> {
    let units = of(signal);
    let known = SYNONYMS.iter().find(|(other, _)| *other == written).map_or(written, |(_, unit)| *unit);
    if matches!(signal, Signal::Other) {
        return if written.chars().count() <= 16 { Ok(known.to_owned()) } else { Err(None) };
    }
    if units.contains(&known) || (units.is_empty() && known.is_empty()) {
        return Ok(known.to_owned());
    }
    // mPa is not MPa, so another case is not read but asked back.
    let near = units.iter().find(|unit| unit.eq_ignore_ascii_case(known));
    Err(match near {
        Some(near) => Some(text(format!("是不是 `{near}`?"), format!("did you mean `{near}`?"))),
        None if units.is_empty() => Some(text("开关量的单位留空或写 /", "a discrete signal has no unit: leave it empty or write /")),
        None => crate::suggest::one_of(units.iter().copied()),
    })
}
