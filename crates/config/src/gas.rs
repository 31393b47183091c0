//! How high a gas limit may be: bounds as data of `policies.toml`, and the check of a row against them.
//!
//! GB/T 50493 bounds a setpoint from above (at the bound is fine), so what is checked is "not above", never "equal". The
//! numbers are the site's data with their source beside them. A toxic bound is written in one unit; a list in another is
//! converted, which between mg/m³ and ppm takes the molar mass and a temperature. Where one of these is not known the
//! limit is refused rather than let through unchecked.

use crate::fault::{Sink, text};
use crate::limits::{self, HIGH, HIGH_HIGH, LOW};
use crate::setpoints::{Row, tidy};
use crate::suggest;
use crate::table::Table;
use model::Signal;
use std::collections::BTreeSet;

/// Upper bounds of gas setpoints. A bound that is not given is not checked.
#[derive(Clone, Default)]
pub(crate) struct GasBounds {
    combustible_lel: Option<(f64, f64)>,
    /// Of a line of sight, in LEL·m.
    line_lel_m: Option<(f64, f64)>,
    oxygen: Option<(f64, f64)>,
    /// Lower explosive limit in %VOL by medium, for detectors that read in %VOL.
    lel: Vec<(Vec<String>, f64)>,
    /// At which mg/m³ and ppm are converted, in ℃; the pressure is 101.325 kPa.
    temperature: Option<f64>,
    toxic: Vec<ToxicBound>,
}

#[derive(Clone)]
struct ToxicBound {
    media: Vec<String>,
    /// CAS numbers of the same.
    cas: Vec<String>,
    unit: String,
    high: f64,
    high_high: f64,
    /// In g/mol.
    molar_mass: Option<f64>,
    /// Concentration immediately dangerous to life or health, and the range from which on a detector is bound by it.
    idlh: Option<(f64, f64)>,
}

/// Shares of the IDLH that bound the limits of a detector whose range cannot do the OEL.
const IDLH_SHARES: (f64, f64) = (0.05, 0.10);
/// Litres of one mole of an ideal gas at 0 ℃ and 101.325 kPa.
const MOLAR_VOLUME: f64 = 22.414;
const KELVIN: f64 = 273.15;
const TOXIC_UNITS: [&str; 4] = ["ppm", "ppb", "mg/m³", "%VOL"];

/// Reads `[gas_bounds]`.
pub(crate) fn read(table: &mut Table<'_, '_>, sink: &mut Sink) -> GasBounds {
    let combustible_lel = pair(table, "combustible_lel", ("high", "high_high"), sink);
    let line_lel_m = pair(table, "line_lel_m", ("high", "high_high"), sink);
    let oxygen = pair(table, "oxygen", ("low", "high"), sink);
    let temperature = table.number("temperature", (-50.0, 60.0), sink).map(|degrees| degrees.value);
    let toxic = table.tables("toxic", sink, read_toxic);
    let lel = table.tables("lel", sink, |table, sink| {
        let media = names(table, "medium", sink);
        let percent = table.number("vol", (0.01, 100.0), sink);
        let percent = table.required("vol", percent, sink);
        Some((media?, percent?.value))
    });
    GasBounds { combustible_lel, line_lel_m, oxygen, lel: lel.unwrap_or_default(), temperature, toxic: toxic.unwrap_or_default() }
}

const ANY: (f64, f64) = (0.0, 1e6);

fn pair(table: &mut Table<'_, '_>, key: &'static str, (low, high): (&'static str, &'static str), sink: &mut Sink) -> Option<(f64, f64)> {
    let read = table.table(key, sink, |table, sink| {
        let first = table.number(low, ANY, sink);
        let first = table.required(low, first, sink);
        let second = table.number(high, ANY, sink);
        let second = table.required(high, second, sink);
        Some((first?.value, second?.value))
    });
    read.flatten()
}

fn names(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink) -> Option<Vec<String>> {
    let names = table.strings(key, sink);
    Some(table.required(key, names, sink)?.into_iter().map(|name| name.value).collect())
}

fn read_toxic(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<ToxicBound> {
    let media = names(table, "medium", sink);
    let cas = table.strings("cas", sink).unwrap_or_default();
    let unit = table.required_string("unit", sink);
    let high = table.number("high", ANY, sink);
    let high = table.required("high", high, sink);
    let high_high = table.number("high_high", ANY, sink);
    let high_high = table.required("high_high", high_high, sink);
    let molar_mass = table.number("molar_mass", (1.0, 1_000.0), sink);
    let idlh = pair(table, "idlh", ("value", "from_range"), sink);
    for wrong in cas.iter().filter(|cas| !crate::cell::cas_is_right(&cas.value)) {
        sink.push(wrong.place.error("cas", text("CAS 号的校验位不对", "the CAS number's check digit is wrong")));
    }
    let unit = unit?;
    if !TOXIC_UNITS.contains(&unit.value.as_str()) {
        let fault = unit.place.error("unit", text("有毒气体没有这个单位", "toxic gas has no such unit"));
        sink.push(fault.suggest_some(suggest::one_of(TOXIC_UNITS)));
        return None;
    }
    Some(ToxicBound {
        media: media?,
        cas: cas.into_iter().map(|cas| cas.value).collect(),
        unit: unit.value,
        high: high?.value,
        high_high: high_high?.value,
        molar_mass: molar_mass.map(|mass| mass.value),
        idlh,
    })
}

impl GasBounds {
    /// Checks the limits of a gas detector. `unbounded` holds the media without a bound that were warned of.
    pub(crate) fn check(&self, row: &Row<'_>, unbounded: &mut BTreeSet<(String, String)>, sink: &mut Sink) {
        if limits::of(row).is_empty() && row.in_service {
            let fault = text("气体探测器没有任何报警设定值", "a gas detector without any limit");
            sink.push(row.tag.place.warning("gas-without-limits", fault));
        }
        match row.signal {
            Signal::Combustible => self.combustible(row, sink),
            Signal::Oxygen => self.oxygen(row, sink),
            Signal::Toxic => self.toxic(row, unbounded, sink),
            _ => {}
        }
    }

    fn combustible(&self, row: &Row<'_>, sink: &mut Sink) {
        let lel = self.lel.iter().find(|(media, _)| media.contains(&row.medium)).map(|(_, percent)| *percent);
        let (bounds, scale) = match (row.unit.as_str(), lel) {
            ("%LEL", _) => (self.combustible_lel, 1.0),
            ("%VOL", Some(lel)) => (self.combustible_lel, lel / 100.0),
            ("%VOL", None) => {
                let fault = text(
                    format!("%VOL 的可燃气体要知道 `{}` 的爆炸下限才能核对", row.medium),
                    format!("a combustible gas in %VOL cannot be checked without the LEL of `{}`", row.medium),
                );
                sink.push(row.tag.place.error("lel-unknown", fault).suggest(
                    "在 policies.toml 的 [gas_bounds] lel 里写上,或用 %LEL",
                    "add it to `lel` in [gas_bounds] of policies.toml, or use %LEL",
                ));
                return;
            }
            _ => (self.line_lel_m, 1.0),
        };
        if let Some((high, high_high)) = bounds {
            at_most(row, HIGH, tidy(high * scale), sink);
            at_most(row, HIGH_HIGH, tidy(high_high * scale), sink);
        }
    }

    fn oxygen(&self, row: &Row<'_>, sink: &mut Sink) {
        let Some((low, high)) = self.oxygen else { return };
        let rich = row.limits[HIGH].as_ref().filter(|limit| limit.value > high);
        let poor = row.limits[LOW].as_ref().filter(|limit| limit.value < low);
        for limit in rich.into_iter().chain(poor) {
            let fault = text(
                format!("氧气设定值 {} 不在 {low} 到 {high} %VOL 之间", limit.value),
                format!("the oxygen limit {} does not lie between {low} and {high} %VOL", limit.value),
            );
            sink.push(change_bound(limit.place.error("gas-bound", fault)));
        }
    }

    fn toxic(&self, row: &Row<'_>, unbounded: &mut BTreeSet<(String, String)>, sink: &mut Sink) {
        let known = || self.toxic.iter().filter(|bound| bound.is_of(row));
        let Some(bound) = known().find(|bound| bound.unit == row.unit).or_else(|| known().next()) else {
            if unbounded.insert((row.medium.clone(), row.unit.clone())) {
                let fault = text(
                    format!("policies.toml 的 [gas_bounds] 里没有介质 `{}`({})的上限,没有核对", row.medium, row.unit),
                    format!("[gas_bounds] of policies.toml has no bound for `{}` in {}; the limits were not checked", row.medium, row.unit),
                );
                sink.push(row.tag.place.warning("gas-bound-unknown", fault));
            }
            return;
        };
        let Some(factor) = bound.factor_to(&row.unit, self.temperature) else {
            let fault = text(
                format!("上限用 {},这里用 {},换算要知道 `{}` 的摩尔质量和温度", bound.unit, row.unit, row.medium),
                format!(
                    "the bound is in {} and this list in {}: converting takes the molar mass of `{}` and a temperature",
                    bound.unit, row.unit, row.medium
                ),
            );
            sink.push(row.tag.place.error("molar-mass-unknown", fault).suggest(
                "在 policies.toml 的 [gas_bounds] 里写 temperature 和这一介质的 molar_mass,或另写一条同单位的上限",
                "write `temperature` and the medium's `molar_mass` in [gas_bounds] of policies.toml, or a bound in this unit",
            ));
            return;
        };
        let (high, high_high) = bound.bounds(row.range.map(|(_, high)| high / factor));
        at_most(row, HIGH, tidy(high * factor), sink);
        at_most(row, HIGH_HIGH, tidy(high_high * factor), sink);
    }
}

impl ToxicBound {
    fn is_of(&self, row: &Row<'_>) -> bool {
        self.media.contains(&row.medium) || (!row.cas.is_empty() && self.cas.contains(&row.cas))
    }

    /// The bounds in the bound's own unit, for a detector that reads up to `range_high`.
    fn bounds(&self, range_high: Option<f64>) -> (f64, f64) {
        match (self.idlh, range_high) {
            (Some((idlh, from)), Some(range_high)) if range_high >= from => (idlh * IDLH_SHARES.0, idlh * IDLH_SHARES.1),
            _ => (self.high, self.high_high),
        }
    }

    /// What a value in the bound's unit is multiplied with to be in another; none where that is not known.
    fn factor_to(&self, unit: &str, temperature: Option<f64>) -> Option<f64> {
        if unit == self.unit {
            return Some(1.0);
        }
        // One ppm in mg/m³.
        let density = || Some(self.molar_mass? / (MOLAR_VOLUME * (temperature? + KELVIN) / KELVIN));
        let in_ppm = |unit: &str| match unit {
            "ppm" => Some(1.0),
            "ppb" => Some(1e-3),
            "%VOL" => Some(1e4),
            "mg/m³" => Some(1.0 / density()?),
            _ => None,
        };
        Some(in_ppm(&self.unit)? / in_ppm(unit)?)
    }
}

fn change_bound(fault: crate::fault::Fault) -> crate::fault::Fault {
    fault.suggest(
        "上限写在 policies.toml 的 [gas_bounds],核对依据后再改",
        "the bounds stand in [gas_bounds] of policies.toml; change them only with their source in hand",
    )
}

fn at_most(row: &Row<'_>, at: usize, bound: f64, sink: &mut Sink) {
    let Some(limit) = row.limits[at].as_ref().filter(|limit| limit.value > bound) else { return };
    let (zh, en) = limits::name(at);
    let unit = &row.unit;
    let fault = text(
        format!("{zh} {} {unit} 超过上限 {bound} {unit}", limit.value),
        format!("{en} {} {unit} is above the upper bound {bound} {unit}", limit.value),
    );
    sink.push(change_bound(limit.place.error("gas-bound", fault)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(unit: &str, molar_mass: Option<f64>) -> ToxicBound {
        ToxicBound {
            media: Vec::new(),
            cas: Vec::new(),
            unit: unit.to_owned(),
            high: 1.0,
            high_high: 2.0,
            molar_mass,
            idlh: Some((10.0, 50.0)),
        }
    }

    #[test]
    fn ammonia_at_twenty_degrees_is_seven_tenths_of_a_milligram_a_ppm() {
        let factor = bound("ppm", Some(17.03)).factor_to("mg/m³", Some(20.0)).expect("both are known");
        assert!((factor - 0.7079).abs() < 1e-4, "{factor}");
        let back = bound("mg/m³", Some(17.03)).factor_to("ppm", Some(20.0)).expect("both are known");
        assert!((factor * back - 1.0).abs() < 1e-12);
        assert_eq!(bound("ppm", None).factor_to("mg/m³", Some(20.0)), None);
        assert_eq!(bound("ppm", Some(17.03)).factor_to("mg/m³", None), None);
        assert_eq!(bound("%VOL", None).factor_to("ppb", None), Some(1e7));
    }

    #[test]
    fn a_detector_whose_range_cannot_do_the_oel_is_bound_by_the_idlh() {
        let bound = bound("ppm", None);
        assert_eq!(bound.bounds(Some(49.0)), (1.0, 2.0));
        assert_eq!(bound.bounds(Some(50.0)), (0.5, 1.0));
        assert_eq!(bound.bounds(None), (1.0, 2.0));
    }
}
