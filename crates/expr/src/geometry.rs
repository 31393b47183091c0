//! How much a tank holds at a level, in metres and cubic metres. A level outside the vessel is taken to its edge, and said to be.

use std::f64::consts::PI;

/// The volume, and whether the level lay within the vessel. None where the vessel has no size.
type Volume = Option<(f64, bool)>;

/// An upright cylinder of diameter `d`.
pub(crate) fn cylinder(d: f64, level: f64) -> Volume {
    (d > 0.0).then(|| (PI / 4.0 * d * d * level.max(0.0), level >= 0.0))
}

/// A lying cylinder of diameter `d` and length `l` with flat ends.
pub(crate) fn horizontal(d: f64, l: f64, level: f64) -> Volume {
    if !(d > 0.0 && l > 0.0) {
        return None;
    }
    let h = level.clamp(0.0, d);
    let r = d / 2.0;
    let segment = r * r * ((r - h) / r).clamp(-1.0, 1.0).acos() - (r - h) * (2.0 * r * h - h * h).max(0.0).sqrt();
    Some((segment * l, level == h))
}

/// A sphere of diameter `d`.
pub(crate) fn sphere(d: f64, level: f64) -> Volume {
    if d <= 0.0 || d.is_nan() {
        return None;
    }
    let h = level.clamp(0.0, d);
    Some((PI * h * h * (1.5 * d - h) / 3.0, level == h))
}

/// A strapping table: straight between its points, which ascend.
pub(crate) fn table(points: &[(f64, f64)], level: f64) -> Volume {
    let (first, last) = (points.first()?, points.last()?);
    if level <= first.0 {
        return Some((first.1, level == first.0));
    }
    if level >= last.0 {
        return Some((last.1, level == last.0));
    }
    let upper = points.partition_point(|(at, _)| *at <= level);
    let ((from, low), (to, high)) = (*points.get(upper.checked_sub(1)?)?, *points.get(upper)?);
    Some((low + (high - low) * (level - from) / (to - from), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(volume: Volume, want: f64) -> bool {
        volume.is_some_and(|(volume, within)| within && (volume - want).abs() < 1e-9 * want.max(1.0))
    }

    #[test]
    fn full_and_half_full_vessels_hold_what_the_formulas_of_school_say() {
        assert!(near(cylinder(2.0, 3.0), PI * 3.0));
        assert!(near(horizontal(2.0, 5.0, 2.0), PI * 5.0));
        assert!(near(horizontal(2.0, 5.0, 1.0), PI * 5.0 / 2.0));
        assert!(near(sphere(2.0, 2.0), 4.0 / 3.0 * PI));
        assert!(near(sphere(2.0, 1.0), 2.0 / 3.0 * PI));
        let points = [(0.0, 0.0), (1.0, 10.0), (3.0, 50.0)];
        assert!(near(table(&points, 2.0), 30.0));
        assert!(near(table(&points, 1.0), 10.0));
    }

    #[test]
    fn a_level_outside_the_vessel_is_taken_to_its_edge_and_said_to_be() {
        assert_eq!(sphere(2.0, 2.5).unwrap(), (sphere(2.0, 2.0).unwrap().0, false));
        assert_eq!(horizontal(2.0, 5.0, -1.0).unwrap(), (0.0, false));
        assert_eq!(table(&[(0.0, 1.0), (1.0, 10.0)], 4.0), Some((10.0, false)));
        assert_eq!(cylinder(0.0, 1.0), None);
        assert_eq!(sphere(f64::NAN, 1.0), None);
    }
}
