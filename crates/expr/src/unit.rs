//! Units: what may be added and compared, and by which factor.
//!
//! A value stays in the unit in which it came; a factor is applied only where two different ones meet, so a limit written in the tag's
//! own unit is compared exactly as it stands. A temperature is a point on a scale, a difference of two is not: the one cannot be
//! multiplied and the other has no zero to shift. A percentage is no bare number: `[LIA-101] >= 80` would be true of an empty tank.

/// Exponents of length, mass, time, temperature, share of the explosive limit, share of volume, and gas at normal conditions.
type Dimension = [i8; 7];

/// What the numbers of a unit mean beside their dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Percent,
    /// A temperature on the Celsius scale.
    Celsius,
    /// A temperature on the Kelvin scale.
    Kelvin,
}

/// A unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    dimension: Dimension,
    /// What one of it is in SI units.
    factor: f64,
    pub(crate) form: Form,
    /// As it is shown.
    name: String,
    /// A unit that the table does not know goes with itself only.
    strange: bool,
}

const NONE: Dimension = [0; 7];
const LENGTH: Dimension = [1, 0, 0, 0, 0, 0, 0];
const AREA: Dimension = [2, 0, 0, 0, 0, 0, 0];
const VOLUME: Dimension = [3, 0, 0, 0, 0, 0, 0];
const MASS: Dimension = [0, 1, 0, 0, 0, 0, 0];
const TIME: Dimension = [0, 0, 1, 0, 0, 0, 0];
const TEMPERATURE: Dimension = [0, 0, 0, 1, 0, 0, 0];
const PRESSURE: Dimension = [-1, 1, -2, 0, 0, 0, 0];
const LEL: Dimension = [0, 0, 0, 0, 1, 0, 0];
const LEL_PATH: Dimension = [1, 0, 0, 0, 1, 0, 0];
const SHARE: Dimension = [0, 0, 0, 0, 0, 1, 0];
const NORMAL_VOLUME: Dimension = [3, 0, 0, 0, 0, 0, 1];

/// Every unit with a place of its own; others are made of these, as `m³/h`.
const UNITS: &[(&str, Dimension, f64, Form)] = &[
    ("%", NONE, 0.01, Form::Percent),
    ("℃", TEMPERATURE, 1.0, Form::Celsius),
    ("K", TEMPERATURE, 1.0, Form::Kelvin),
    ("MPa", PRESSURE, 1e6, Form::Plain),
    ("kPa", PRESSURE, 1e3, Form::Plain),
    ("Pa", PRESSURE, 1.0, Form::Plain),
    ("bar", PRESSURE, 1e5, Form::Plain),
    ("mbar", PRESSURE, 100.0, Form::Plain),
    ("kgf/cm²", PRESSURE, 98_066.5, Form::Plain),
    ("mmHg", PRESSURE, 133.322_387_415, Form::Plain),
    ("m", LENGTH, 1.0, Form::Plain),
    ("cm", LENGTH, 0.01, Form::Plain),
    ("mm", LENGTH, 0.001, Form::Plain),
    ("m²", AREA, 1.0, Form::Plain),
    ("m³", VOLUME, 1.0, Form::Plain),
    ("L", VOLUME, 0.001, Form::Plain),
    ("Nm³", NORMAL_VOLUME, 1.0, Form::Plain),
    ("t", MASS, 1_000.0, Form::Plain),
    ("kg", MASS, 1.0, Form::Plain),
    ("g", MASS, 0.001, Form::Plain),
    ("mg", MASS, 1e-6, Form::Plain),
    ("ms", TIME, 0.001, Form::Plain),
    ("s", TIME, 1.0, Form::Plain),
    ("min", TIME, 60.0, Form::Plain),
    ("h", TIME, 3_600.0, Form::Plain),
    ("d", TIME, 86_400.0, Form::Plain),
    ("%LEL", LEL, 0.01, Form::Plain),
    ("LEL·m", LEL_PATH, 1.0, Form::Plain),
    ("%VOL", SHARE, 0.01, Form::Plain),
    ("ppm", SHARE, 1e-6, Form::Plain),
    ("ppb", SHARE, 1e-9, Form::Plain),
];

/// Other ways to write them.
const SYNONYMS: &[(&str, &str)] = &[
    ("°C", "℃"),
    ("degC", "℃"),
    ("摄氏度", "℃"),
    ("度", "℃"),
    ("m2", "m²"),
    ("m3", "m³"),
    ("Nm3", "Nm³"),
    ("立方米", "m³"),
    ("升", "L"),
    ("吨", "t"),
    ("千克", "kg"),
    ("公斤", "kg"),
    ("米", "m"),
    ("厘米", "cm"),
    ("毫米", "mm"),
    ("秒", "s"),
    ("sec", "s"),
    ("分", "min"),
    ("分钟", "min"),
    ("小时", "h"),
    ("天", "d"),
    ("LEL%", "%LEL"),
    ("VOL%", "%VOL"),
    ("%vol", "%VOL"),
    ("kgf/cm2", "kgf/cm²"),
    ("LEL.m", "LEL·m"),
];

impl Unit {
    /// The unit of a bare number.
    pub(crate) fn none() -> Self {
        Self { dimension: NONE, factor: 1.0, form: Form::Plain, name: String::new(), strange: false }
    }
    pub(crate) fn metre() -> Self {
        Self::known("m").unwrap_or_else(Self::none)
    }
    pub(crate) fn cubic_metre() -> Self {
        Self::known("m³").unwrap_or_else(Self::none)
    }
    pub(crate) fn second() -> Self {
        Self::known("s").unwrap_or_else(Self::none)
    }

    /// As it is shown.
    pub fn name(&self) -> &str {
        &self.name
    }
    pub(crate) fn is_none(&self) -> bool {
        self.dimension == NONE && self.form == Form::Plain && !self.strange
    }
    pub(crate) fn is_point(&self) -> bool {
        matches!(self.form, Form::Celsius | Form::Kelvin)
    }
    pub(crate) fn is_time(&self) -> bool {
        self.dimension == TIME && !self.strange
    }
    /// What one of it is in SI units.
    pub(crate) fn factor(&self) -> f64 {
        self.factor
    }

    /// The unit that a tag shows; one that the table does not know goes with itself only.
    pub(crate) fn of_tag(written: &str) -> Self {
        let written = written.trim();
        if written.is_empty() {
            return Self::none();
        }
        Self::parse(written).unwrap_or_else(|| Self { name: written.to_owned(), strange: true, ..Self::none() })
    }

    /// A unit of the table, or a quotient of two such as `m³/h`.
    pub(crate) fn parse(written: &str) -> Option<Self> {
        if let Some(unit) = Self::known(written) {
            return Some(unit);
        }
        let (over, under) = written.split_once('/')?;
        let (over, under) = (Self::known(over)?.as_difference(), Self::known(under)?.as_difference());
        Some(over.divided(&under))
    }

    /// A known unit that differs only in the case of its letters: mPa is not MPa, so it is asked back and not read.
    pub(crate) fn near(written: &str) -> Option<&'static str> {
        UNITS.iter().map(|(name, ..)| *name).find(|name| name.eq_ignore_ascii_case(written) && *name != written)
    }

    fn known(written: &str) -> Option<Self> {
        let name = SYNONYMS.iter().find(|(other, _)| *other == written).map_or(written, |(_, name)| *name);
        let (name, dimension, factor, form) = UNITS.iter().find(|(known, ..)| *known == name)?;
        Some(Self { dimension: *dimension, factor: *factor, form: *form, name: (*name).to_owned(), strange: false })
    }

    /// How many bytes of the text are a unit, for texts that run on without a space (`5分钟且…`).
    pub(crate) fn longest_prefix(text: &str) -> Option<usize> {
        let names = UNITS.iter().map(|(name, ..)| *name).chain(SYNONYMS.iter().map(|(name, _)| *name));
        names.filter(|name| text.starts_with(name)).map(str::len).max()
    }

    /// A temperature as the difference of two; any other unit as it stands.
    pub(crate) fn as_difference(&self) -> Self {
        let mut unit = self.clone();
        if unit.is_point() {
            unit.form = Form::Plain;
        }
        unit
    }

    /// The factor that turns a value of `other` into this unit; none where the two do not go together.
    pub(crate) fn from(&self, other: &Self) -> Option<f64> {
        let forms = self.form == other.form || !self.is_point() && !other.is_point();
        let strange = self.strange == other.strange && (!self.strange || self.name == other.name);
        let fits = forms && strange && self.dimension == other.dimension;
        fits.then(|| if self.factor == other.factor { 1.0 } else { other.factor / self.factor })
    }

    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        // A share of a share is a share; of anything else it is that.
        let unit = match (self.is_none(), other.is_none()) {
            (true, _) if self.factor == 1.0 => other.clone(),
            (_, true) if other.factor == 1.0 => self.clone(),
            _ if self.strange || other.strange => return None,
            _ => Self {
                dimension: add(self.dimension, other.dimension, 1)?,
                factor: self.factor * other.factor,
                form: Form::Plain,
                name: format!("{}·{}", self.name, other.name),
                strange: false,
            },
        };
        Some(unit)
    }

    fn divided(&self, other: &Self) -> Self {
        self.over(other).unwrap_or_else(Self::none)
    }

    pub(crate) fn over(&self, other: &Self) -> Option<Self> {
        if other.is_none() && other.factor == 1.0 {
            return Some(self.clone());
        }
        if self.strange || other.strange {
            return (self.strange && other.strange && self.name == other.name).then(Self::none);
        }
        let dimension = add(self.dimension, other.dimension, -1)?;
        let factor = self.factor / other.factor;
        Some(Self { dimension, factor, form: Form::Plain, name: format!("{}/{}", self.name, other.name), strange: false })
    }
}

fn add(a: Dimension, b: Dimension, sign: i8) -> Option<Dimension> {
    let mut sum = NONE;
    for (place, sum) in sum.iter_mut().enumerate() {
        *sum = a[place].checked_add(b[place].checked_mul(sign)?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str) -> Unit {
        Unit::parse(name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn units_of_one_kind_are_turned_into_one_another_and_others_are_not() {
        assert_eq!(unit("kPa").from(&unit("MPa")), Some(1_000.0));
        assert_eq!(unit("ppm").from(&unit("%VOL")), Some(0.01 / 1e-6));
        assert_eq!(unit("m³/h").from(&unit("m3/h")), Some(1.0));
        assert_eq!(unit("m³/h").from(&unit("Nm³/h")), None, "a normal cubic metre is a mass");
        assert_eq!(unit("%LEL").from(&unit("%VOL")), None);
        assert_eq!(unit("ppm").from(&unit("mg/m³")), None, "that needs the molar mass");
        assert_eq!(unit("℃").from(&unit("K")), None, "another zero");
        assert_eq!(Unit::near("mpa"), Some("MPa"));
    }

    #[test]
    fn a_unit_the_table_does_not_know_goes_with_itself_only() {
        let rpm = Unit::of_tag("rpm");
        assert_eq!(rpm.from(&Unit::of_tag("rpm")), Some(1.0));
        assert_eq!(rpm.from(&Unit::of_tag("A")), None);
        assert_eq!(rpm.from(&Unit::none()), None);
        assert_eq!(rpm.over(&rpm), Some(Unit::none()));
        assert_eq!(rpm.times(&unit("m")), None);
    }

    #[test]
    fn a_percentage_of_a_length_is_a_length() {
        let level = unit("%").times(&unit("m")).unwrap();
        assert_eq!(unit("m").from(&level), Some(0.01));
        assert_eq!(unit("%").times(&Unit::none()).unwrap().form, Form::Percent);
    }
}
