//! How high a gas limit may be: bounds as data of `policies.toml`, and the check of a row against them. `rules.toml` asks for the same
//! bounds in [`crate::thresholds`].
//!
//! GB/T 50493 bounds a setpoint from above (at the bound is fine), so what is checked is "not above", never "equal". The
//! numbers are the site's data with their source beside them. A toxic bound is written in one unit; a list in another is
//! converted, which between mg/m³ and ppm takes the molar mass and a temperature. Where one of these is not known the
//! limit is refused rather than let through unchecked.

use crate::fault::{Sink, text};
use crate::limits::{self, HIGH, HIGH_HIGH, LOW};
use crate::setpoints::{Row, tidy};
use crate::source::{At, Place};
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

/// A gas as a detector sees it, or what is calculated from one.
pub(crate) struct Gas<'g> {
    pub(crate) signal: Signal,
    pub(crate) unit: &'g str,
    pub(crate) medium: &'g str,
    pub(crate) cas: &'g str,
    pub(crate) range: Option<(f64, f64)>,
}

impl<'g> Gas<'g> {
    fn of(row: &'g Row<'_>) -> Self {
        Self { signal: row.signal, unit: &row.unit, medium: &row.medium, cas: &row.cas, range: row.range }
    }
}

/// Between what the limits of one gas must lie, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bounds {
    /// Upper bounds of the high and of the high-high limit.
    Upper(f64, f64),
    /// Low and high limit of oxygen lie in this band; the limits beyond them are free.
    Band(f64, f64),
}

impl Bounds {
    /// Checks one limit, by its place in [`limits::KINDS`].
    pub(crate) fn check(self, at: usize, limit: &At<'_, f64>, unit: &str, sink: &mut Sink) {
        match self {
            Self::Upper(high, _) if at == HIGH => at_most(at, limit, high, unit, sink),
            Self::Upper(_, high_high) if at == HIGH_HIGH => at_most(at, limit, high_high, unit, sink),
            Self::Band(low, high) if at == HIGH && limit.value > high || at == LOW && limit.value < low => {
                let fault = text(
                    format!("氧气设定值 {} 不在 {low} 到 {high} %VOL 之间", limit.value),
                    format!("the oxygen limit {} does not lie between {low} and {high} %VOL", limit.value),
                );
                sink.push(change_bound(limit.place.error("gas-bound", fault)));
            }
            Self::Upper(..) | Self::Band(..) => {}
        }
    }
    /// What keeps within both.
    pub(crate) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Upper(high, high_high), Self::Upper(other_high, other_high_high)) => {
                Self::Upper(high.min(other_high), high_high.min(other_high_high))
            }
            (this, _) => this,
        }
    }
    /// What nothing that raises upwards may stand above.
    pub(crate) const fn uppermost(self) -> Option<f64> {
        match self {
            Self::Upper(_, high_high) => Some(high_high),
            Self::Band(..) => None,
        }
    }
}

/// Why the bounds of a gas are not known.
enum Unknown<'b> {
    Lel,
    Medium,
    Conversion(&'b ToxicBound),
}

impl GasBounds {
    /// Checks the limits of a gas detector. `unbounded` holds the media without a bound that were warned of.
    pub(crate) fn check(&self, row: &Row<'_>, unbounded: &mut BTreeSet<(String, String)>, sink: &mut Sink) {
        if limits::of(row).is_empty() && row.in_service {
            let fault = text("气体探测器没有任何报警设定值", "a gas detector without any limit");
            sink.push(row.tag.place.warning("gas-without-limits", fault));
        }
        let Some(bounds) = self.of_or_tell(&Gas::of(row), row.tag.place, unbounded, sink) else { return };
        for at in [HIGH, HIGH_HIGH, LOW] {
            if let Some(limit) = &row.limits[at] {
                bounds.check(at, limit, &row.unit, sink);
            }
        }
    }

    /// The bounds of a gas; none where none are given, or where they cannot be known, which is told at `place`.
    pub(crate) fn of_or_tell(
        &self,
        gas: &Gas<'_>,
        place: Place<'_>,
        unbounded: &mut BTreeSet<(String, String)>,
        sink: &mut Sink,
    ) -> Option<Bounds> {
        match self.find(gas) {
            Ok(bounds) => return bounds,
            Err(Unknown::Lel) => {
                let fault = text(
                    format!("%VOL 的可燃气体要知道 `{}` 的爆炸下限才能核对", gas.medium),
                    format!("a combustible gas in %VOL cannot be checked without the LEL of `{}`", gas.medium),
                );
                sink.push(place.error("lel-unknown", fault).suggest(
                    "在 policies.toml 的 [gas_bounds] lel 里写上,或用 %LEL",
                    "add it to `lel` in [gas_bounds] of policies.toml, or use %LEL",
                ));
            }
            Err(Unknown::Medium) => {
                if unbounded.insert((gas.medium.to_owned(), gas.unit.to_owned())) {
                    let fault = text(
                        format!("policies.toml 的 [gas_bounds] 里没有介质 `{}`({})的上限,没有核对", gas.medium, gas.unit),
                        format!(
                            "[gas_bounds] of policies.toml has no bound for `{}` in {}; the limits were not checked",
                            gas.medium, gas.unit
                        ),
                    );
                    sink.push(place.warning("gas-bound-unknown", fault));
                }
            }
            Err(Unknown::Conversion(bound)) => {
                let fault = text(
                    format!("上限用 {},这里用 {},换算要知道 `{}` 的摩尔质量和温度", bound.unit, gas.unit, gas.medium),
                    format!(
                        "the bound is in {} and this list in {}: converting takes the molar mass of `{}` and a temperature",
                        bound.unit, gas.unit, gas.medium
                    ),
                );
                sink.push(place.error("molar-mass-unknown", fault).suggest(
                    "在 policies.toml 的 [gas_bounds] 里写 temperature 和这一介质的 molar_mass,或另写一条同单位的上限",
                    "write `temperature` and the medium's `molar_mass` in [gas_bounds] of policies.toml, or a bound in this unit",
                ));
            }
        }
        None
    }

    /// The bounds of a gas; none where none are known.
    pub(crate) fn of(&self, gas: &Gas<'_>) -> Option<Bounds> {
        self.find(gas).ok().flatten()
    }

    fn find(&self, gas: &Gas<'_>) -> Result<Option<Bounds>, Unknown<'_>> {
        match gas.signal {
            Signal::Combustible => self.combustible(gas),
            Signal::Oxygen => Ok(self.oxygen.map(|(low, high)| Bounds::Band(low, high))),
            Signal::Toxic => self.toxic(gas).map(Some),
            _ => Ok(None),
        }
    }

    fn combustible(&self, gas: &Gas<'_>) -> Result<Option<Bounds>, Unknown<'_>> {
        let lel = || self.lel.iter().find(|(media, _)| media.iter().any(|medium| medium == gas.medium)).map(|(_, percent)| *percent);
        let (bounds, scale) = match gas.unit {
            "%LEL" => (self.combustible_lel, 1.0),
            "%VOL" => (self.combustible_lel, lel().ok_or(Unknown::Lel)? / 100.0),
            _ => (self.line_lel_m, 1.0),
        };
        Ok(bounds.map(|(high, high_high)| Bounds::Upper(tidy(high * scale), tidy(high_high * scale))))
    }

    fn toxic(&self, gas: &Gas<'_>) -> Result<Bounds, Unknown<'_>> {
        let known = || self.toxic.iter().filter(|bound| bound.is_of(gas));
        let bound = known().find(|bound| bound.unit == gas.unit).or_else(|| known().next()).ok_or(Unknown::Medium)?;
        let factor = bound.factor_to(gas.unit, self.temperature).ok_or(Unknown::Conversion(bound))?;
        let (high, high_high) = bound.bounds(gas.range.map(|(_, high)| high / factor));
        Ok(Bounds::Upper(tidy(high * factor), tidy(high_high * factor)))
    }
}

impl ToxicBound {
    fn is_of(&self, gas: &Gas<'_>) -> bool {
        let is_among = |known: &[String], written: &str| known.iter().any(|known| known == written);
        is_among(&self.media, gas.medium) || (!gas.cas.is_empty() && is_among(&self.cas, gas.cas))
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

fn at_most(at: usize, limit: &At<'_, f64>, bound: f64, unit: &str, sink: &mut Sink) {
    if limit.value <= bound {
        return;
    }
    let (zh, en) = limits::name(at);
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
