//! One column of a chunk as bytes: integers along a line, decimals as integers, and whatever remains as it is.
//!
//! Gateways send at an interval and instruments have a resolution, so most columns are a straight line with a little noise in a
//! coarse unit. That line and that unit are taken out here, exactly, and only the noise goes through pco: half the bytes of pco
//! on the bare numbers, and several times as fast to read. What does not fit is stored bit for bit. How many numbers there are
//! is said by the chunk, so a damaged length can never ask for memory.

use super::Damage;
use super::lean::{Scale, Values};
use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, ModeSpec};

/// All numbers are the same.
const SAME: u8 = 0;
/// Each is the one before plus a step.
const LINE: u8 = 1;
/// A line plus noise of 32 bits in a unit.
const NEAR_LINE: u8 = 2;
/// A line plus noise of 64 bits in a unit.
const FAR_FROM_LINE: u8 = 3;
/// As they are.
const BARE: u8 = 4;
/// Whole numbers divided by a power of ten, with exceptions.
const DECIMAL: u8 = 5;
/// All numbers are the same but for a few, which are listed.
const FEW: u8 = 6;

/// One number in so many, at most, may differ from the usual one before a column is no longer a list of exceptions.
const FEW_EVERY: usize = 64;

/// Decimals looked for: instruments resolve no finer.
const DECIMALS_MAX: usize = 9;
const POWERS: [f64; DECIMALS_MAX + 1] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Whole numbers above this have neighbours that a double cannot tell apart.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Levels and units below these, with noise of 32 bits, make numbers that a double counts exactly.
const LEVEL_MAX: u64 = 1 << 52;
const UNIT_MAX: i64 = 1 << 20;
/// Numbers further apart than this are not put on a line: no sum below may overflow.
const SPREAD_MAX: i128 = 1 << 61;
/// One value in so many may be no decimal (a bad reading without a number, say) before all are stored as they are.
const EXCEPTION_EVERY: usize = 32;

/// Appends whole numbers. `climbing` says that they go up with their place, as times and sequence numbers do.
pub(super) fn put_ints(numbers: &[i64], climbing: bool, out: &mut Vec<u8>) {
    let Some((&first, &last)) = numbers.first().zip(numbers.last()) else { return };
    if numbers.iter().all(|number| *number == first) {
        out.push(SAME);
        return put_signed(first, out);
    }
    if let Some((usual, exceptions)) = few(numbers) {
        out.push(FEW);
        put_signed(usual, out);
        put_unsigned(exceptions.len() as u64, out);
        for at in exceptions {
            put_unsigned(at as u64, out);
            put_signed(numbers[at], out);
        }
        return;
    }
    let (low, high) = numbers.iter().fold((first, first), |(low, high), number| (low.min(*number), high.max(*number)));
    if i128::from(high) - i128::from(low) > SPREAD_MAX {
        out.push(BARE);
        return put_bytes(&packed(numbers), out);
    }
    let steps = numbers.len() as i64 - 1;
    if numbers.windows(2).all(|pair| pair[1] - pair[0] == numbers[1] - first) {
        out.push(LINE);
        put_signed(first, out);
        return put_signed(numbers[1] - first, out);
    }
    let unit = numbers.iter().fold(0, |unit, number| if unit == 1 { 1 } else { common_divisor(unit, number.abs_diff(first)) });
    let unit = i64::try_from(unit).unwrap_or(1).max(1);
    let step = if climbing { (last - first) / unit / steps * unit } else { 0 };
    let noise: Vec<i64> = numbers.iter().enumerate().map(|(at, number)| (number - first - step * at as i64) / unit).collect();
    let narrow: Result<Vec<i32>, _> = noise.iter().map(|number| i32::try_from(*number)).collect();
    let (kind, bytes) = match narrow {
        Ok(narrow) => (NEAR_LINE, packed(&narrow)),
        Err(_) => (FAR_FROM_LINE, packed(&noise)),
    };
    out.push(kind);
    for number in [first, step, unit] {
        put_signed(number, out);
    }
    put_bytes(&bytes, out);
}

/// The number that nearly all are, and the places of those that are not.
fn few(numbers: &[i64]) -> Option<(i64, Vec<usize>)> {
    // Whatever more than half of the numbers are outlives the rest.
    let (usual, _) = numbers.iter().fold((0, 0_usize), |(usual, lead), number| match lead {
        0 => (*number, 1),
        _ if *number == usual => (usual, lead + 1),
        _ => (usual, lead - 1),
    });
    let most = numbers.len() / FEW_EVERY;
    let exceptions: Vec<usize> = (0..numbers.len()).filter(|at| numbers[*at] != usual).take(most + 1).collect();
    (exceptions.len() <= most).then_some((usual, exceptions))
}

/// Reads what [`put_ints`] wrote into `out`, which is emptied first: `count` numbers.
pub(super) fn get_ints(bytes: &mut &[u8], count: usize, scratch: &mut Vec<i32>, out: &mut Vec<i64>) -> Result<(), Damage> {
    out.clear();
    if count == 0 {
        return Ok(());
    }
    let mut others = Vec::new();
    if let Some(usual) = get_usual(bytes, count, |at, number| others.push((at, number)))? {
        out.resize(count, usual);
        others.into_iter().for_each(|(at, number)| out[at] = number);
        return Ok(());
    }
    match get_byte(bytes)? {
        LINE => {
            let (first, step) = (get_signed(bytes)?, get_signed(bytes)?);
            out.extend((0..count as i64).map(|at| first.wrapping_add(step.wrapping_mul(at))));
        }
        NEAR_LINE => {
            let (first, step, unit) = (get_signed(bytes)?, get_signed(bytes)?, get_signed(bytes)?);
            scratch.clear();
            scratch.resize(count, 0);
            unpack(get_bytes(bytes)?, scratch)?;
            let line = (0..count as i64).map(|at| first.wrapping_add(step.wrapping_mul(at)));
            out.extend(line.zip(scratch.iter()).map(|(line, noise)| line.wrapping_add(unit.wrapping_mul(i64::from(*noise)))));
        }
        FAR_FROM_LINE => {
            let (first, step, unit) = (get_signed(bytes)?, get_signed(bytes)?, get_signed(bytes)?);
            out.resize(count, 0);
            unpack(get_bytes(bytes)?, out)?;
            for (at, number) in out.iter_mut().enumerate() {
                *number = number.wrapping_mul(unit).wrapping_add(first).wrapping_add(step.wrapping_mul(at as i64));
            }
        }
        BARE => {
            out.resize(count, 0);
            unpack(get_bytes(bytes)?, out)?;
        }
        _ => return Err(Damage("a column is of no known kind")),
    }
    Ok(())
}

/// Reads numbers of which all, or all but a few, are the same; none, and nothing read, where they are not. Gives the usual one and hands
/// out the others by their places, which ascend.
pub(super) fn get_usual(bytes: &mut &[u8], count: usize, mut other: impl FnMut(usize, i64)) -> Result<Option<i64>, Damage> {
    let Some((&kind @ (SAME | FEW), rest)) = bytes.split_first() else { return Ok(None) };
    *bytes = rest;
    let usual = get_signed(bytes)?;
    let (others, mut next) = (if kind == FEW { get_unsigned(bytes)? } else { 0 }, 0);
    for _ in 0..others {
        let at = usize::try_from(get_unsigned(bytes)?).ok().filter(|at| (next..count).contains(at));
        let at = at.ok_or(Damage("an exception lies outside its column"))?;
        next = at + 1;
        other(at, get_signed(bytes)?);
    }
    Ok(Some(usual))
}

/// Reads whole numbers that lie in units around a level, if a double counts all that is worked out of them exactly; nothing is read
/// otherwise. Such a column needs no number of 64 bits, which takes half the time.
fn get_near_level(bytes: &mut &[u8], count: usize, noise: &mut Vec<i32>) -> Result<Option<(f64, f64)>, Damage> {
    let Some((&NEAR_LINE, mut rest)) = bytes.split_first() else { return Ok(None) };
    let (first, step, unit) = (get_signed(&mut rest)?, get_signed(&mut rest)?, get_signed(&mut rest)?);
    if step != 0 || first.unsigned_abs() >= LEVEL_MAX || !(1..UNIT_MAX).contains(&unit) {
        return Ok(None);
    }
    noise.clear();
    noise.resize(count, 0);
    unpack(get_bytes(&mut rest)?, noise)?;
    *bytes = rest;
    Ok(Some((first as f64, unit as f64)))
}

/// Appends values, bit for bit: NaN and the sign of zero too.
pub(super) fn put_floats(values: &[f64], out: &mut Vec<u8>) {
    let Some(first) = values.first() else { return };
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        out.push(SAME);
        return out.extend(first.to_bits().to_le_bytes());
    }
    let Some((decimals, whole, exceptions)) = as_decimals(values) else {
        out.push(BARE);
        return put_bytes(&pressed(values, &ChunkConfig::default()), out);
    };
    out.push(DECIMAL);
    out.push(decimals as u8);
    put_unsigned(exceptions.len() as u64, out);
    for at in exceptions {
        put_unsigned(at as u64, out);
        out.extend(values[at].to_bits().to_le_bytes());
    }
    put_ints(&whole, false, out);
}

/// Reads what [`put_floats`] wrote, in the memory of `out`: `count` values.
pub(super) fn get_values(bytes: &mut &[u8], count: usize, scratch: &mut (Vec<i32>, Vec<i64>), out: &mut Values) -> Result<(), Damage> {
    if let Some((&SAME, mut rest)) = bytes.split_first().filter(|_| count > 0) {
        *out = Values::Same(get_bits(&mut rest)?, count);
        *bytes = rest;
        return Ok(());
    }
    if let [DECIMAL, decimals, 0, rest @ ..] = *bytes
        && count > 0
        && let Some(power) = POWERS.get(usize::from(*decimals)).copied()
    {
        let (mut rest, mut numbers) = (rest, if let Values::Scaled(numbers, _) = out { std::mem::take(numbers) } else { Vec::new() });
        if let Some((first, unit)) = get_near_level(&mut rest, count, &mut numbers)? {
            *out = Values::Scaled(numbers, Scale { first, unit, power });
            *bytes = rest;
            return Ok(());
        }
    }
    let mut values = if let Values::Plain(values) = out { std::mem::take(values) } else { Vec::new() };
    get_floats(bytes, count, scratch, &mut values)?;
    *out = Values::Plain(values);
    Ok(())
}

/// Reads what [`put_floats`] wrote into `out`, which is emptied first: `count` values.
fn get_floats(bytes: &mut &[u8], count: usize, scratch: &mut (Vec<i32>, Vec<i64>), out: &mut Vec<f64>) -> Result<(), Damage> {
    out.clear();
    if count == 0 {
        return Ok(());
    }
    match get_byte(bytes)? {
        SAME => out.resize(count, get_bits(bytes)?),
        BARE => {
            out.resize(count, 0.0);
            unpack(get_bytes(bytes)?, out)?;
        }
        DECIMAL => {
            let power = *POWERS.get(usize::from(get_byte(bytes)?)).ok_or(Damage("a column has too many decimals"))?;
            let mut exceptions = Vec::new();
            let listed = get_unsigned(bytes)?;
            for _ in 0..listed.min(count as u64) {
                exceptions.push((get_unsigned(bytes)?, get_bits(bytes)?));
            }
            // Correctly rounded, so it is the very double that the decimal text was read as.
            get_ints(bytes, count, &mut scratch.0, &mut scratch.1)?;
            out.extend(scratch.1.iter().map(|whole| *whole as f64 / power));
            for (at, value) in exceptions {
                let at = usize::try_from(at).ok().and_then(|at| out.get_mut(at));
                *at.ok_or(Damage("an exception lies outside its column"))? = value;
            }
        }
        _ => return Err(Damage("a column is of no known kind")),
    }
    Ok(())
}

/// The values as whole numbers over a power of ten, and the places of those that are none.
fn as_decimals(values: &[f64]) -> Option<(usize, Vec<i64>, Vec<usize>)> {
    let mut decimals = 0;
    let mut exceptions = Vec::new();
    for (at, value) in values.iter().enumerate() {
        match (decimals..=DECIMALS_MAX).find(|decimals| whole(*value, *decimals).is_some()) {
            Some(needed) => decimals = needed,
            None => exceptions.push(at),
        }
        if exceptions.len() > values.len() / EXCEPTION_EVERY + 1 {
            return None;
        }
    }
    // More decimals can push a large value out of what a double counts exactly; then all are stored as they are.
    let mut last = 0;
    let numbers = values.iter().enumerate().map(|(at, value)| match whole(*value, decimals) {
        Some(number) => {
            last = number;
            Some(number)
        }
        None => exceptions.binary_search(&at).is_ok().then_some(last),
    });
    let numbers: Option<Vec<i64>> = numbers.collect();
    Some((decimals, numbers?, exceptions))
}

fn whole(value: f64, decimals: usize) -> Option<i64> {
    let number = (value * POWERS[decimals]).round_ties_even();
    let fits = number.abs() < WHOLE_MAX && (number / POWERS[decimals]).to_bits() == value.to_bits();
    // Minus zero is no whole number: it would come back as zero.
    (fits && !(number == 0.0 && number.is_sign_negative())).then_some(number as i64)
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The unit is taken out already, so pco need not look for one.
fn packed<T: pco::data_types::Number>(numbers: &[T]) -> Vec<u8> {
    pressed(numbers, &ChunkConfig::default().with_mode_spec(ModeSpec::Classic))
}

fn pressed<T: pco::data_types::Number>(numbers: &[T], config: &ChunkConfig) -> Vec<u8> {
    // It writes into memory, and the configuration is a constant of ours.
    simple_compress(numbers, config).expect("pco takes any numbers")
}

fn unpack<T: pco::data_types::Number>(bytes: &[u8], out: &mut [T]) -> Result<(), Damage> {
    match simple_decompress_into(bytes, out) {
        Ok(progress) if progress.finished && progress.n_processed == out.len() => Ok(()),
        Ok(_) => Err(Damage("a column is too short")),
        Err(_) => Err(Damage("a column cannot be unpacked")),
    }
}

/// Appends a number in as few bytes as it needs, seven bits each.
pub(super) fn put_unsigned(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number, small ones of either sign in few bytes.
pub(super) fn put_signed(number: i64, out: &mut Vec<u8>) {
    put_unsigned(((number << 1) ^ (number >> 63)) as u64, out);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_unsigned(bytes.len() as u64, out);
    out.extend(bytes);
}

/// Reads one byte.
pub(super) fn get_byte(bytes: &mut &[u8]) -> Result<u8, Damage> {
    let (first, rest) = bytes.split_first().ok_or(Damage("it ends early"))?;
    *bytes = rest;
    Ok(*first)
}

/// Reads what [`put_unsigned`] wrote.
pub(super) fn get_unsigned(bytes: &mut &[u8]) -> Result<u64, Damage> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = get_byte(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Damage("a number has no end"))
}

/// Reads what [`put_signed`] wrote.
pub(super) fn get_signed(bytes: &mut &[u8]) -> Result<i64, Damage> {
    let number = get_unsigned(bytes)?;
    Ok((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// Reads a double bit for bit.
pub(super) fn get_bits(bytes: &mut &[u8]) -> Result<f64, Damage> {
    let (bits, rest) = bytes.split_first_chunk().ok_or(Damage("it ends early"))?;
    *bytes = rest;
    Ok(f64::from_bits(u64::from_le_bytes(*bits)))
}

fn get_bytes<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Damage> {
    let length = usize::try_from(get_unsigned(bytes)?).map_err(|_| Damage("it ends early"))?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Damage("it ends early"))?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ints(numbers: &[i64], climbing: bool) -> usize {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        put_ints(numbers, climbing, &mut bytes);
        let mut rest = &bytes[..];
        get_ints(&mut rest, numbers.len(), &mut Vec::new(), &mut out).unwrap();
        assert_eq!(out, numbers);
        assert!(rest.is_empty());
        bytes.len()
    }

    fn floats(values: &[f64]) -> usize {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        put_floats(values, &mut bytes);
        let mut rest = &bytes[..];
        get_floats(&mut rest, values.len(), &mut Default::default(), &mut out).unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&out), bits(values));
        assert!(rest.is_empty());
        let (mut rest, mut lean) = (&bytes[..], Values::Scaled(vec![7], Scale { first: 1.0, unit: 1.0, power: 1.0 }));
        get_values(&mut rest, values.len(), &mut Default::default(), &mut lean).unwrap();
        let lean: Vec<f64> = (0..lean.len()).map(|at| lean.view().at(at)).collect();
        assert_eq!(bits(&lean), bits(values));
        assert!(rest.is_empty());
        bytes.len()
    }

    #[test]
    fn a_gateway_that_keeps_time_costs_nothing() {
        assert!(ints(&(0..8192).map(|at| 1_764_000_000_000_000 + at * 1_000_000).collect::<Vec<_>>(), true) < 20);
        assert!(ints(&[17; 8192], false) < 20);
    }

    #[test]
    fn a_flag_that_is_seldom_set_costs_next_to_nothing() {
        let mut flags = [8; 8192];
        assert!(ints(&flags, false) < 5);
        (flags[0], flags[77], flags[8191]) = (9, 1, i64::MIN);
        assert!(ints(&flags, false) < 30);
    }

    #[test]
    fn jitter_of_a_few_milliseconds_costs_a_few_bits() {
        let mut random = 1_u64;
        let mut jitter = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as i64 % 4
        };
        let times: Vec<i64> = (0..8192).map(|at| 1_764_000_000_000_000 + at * 2_000_000 + jitter() * 1_000).collect();
        assert!(ints(&times, true) < 8192 * 3 / 8, "two bits of jitter");
    }

    #[test]
    fn decimals_are_stored_as_whole_numbers_and_their_exceptions_survive() {
        let mut values: Vec<f64> = (0..4096).map(|at| f64::from(80_000 + at % 8) / 1_000.0).collect();
        assert!(floats(&values) < 4096 / 2);
        values[7] = f64::NAN;
        values[9] = -0.0;
        values[11] = 1e300;
        assert!(floats(&values) < 4096 / 2 + 40);
    }

    #[test]
    fn hard_numbers_come_back_bit_for_bit() {
        ints(&[i64::MIN, i64::MAX, 0, -1], true);
        ints(&[0, 1 << 40, -5, 1 << 50], true);
        ints(&[5], false);
        ints(&[], false);
        floats(&[]);
        floats(&[f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), -0.0, 5e-324]);
        floats(&[0.1, 0.2, 0.1 + 0.2, 9_007_199_254_740_993.0, 1.0 / 3.0]);
        floats(&[123_456_789.5, 0.123_456_789, 9_000_000_000_000_000.0]);
        floats(&(0..2000).map(|at| f64::from((at as f32).sin())).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic() {
        let mut bytes = Vec::new();
        put_floats(&(0..300).map(|at| f64::from(at * at % 77) / 10.0).collect::<Vec<_>>(), &mut bytes);
        for cut in 0..bytes.len() {
            assert!(get_floats(&mut &bytes[..cut], 300, &mut Default::default(), &mut Vec::new()).is_err(), "cut at {cut}");
        }
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                // A flipped bit of a value is another value; the checksum around it tells.
                let _ = get_floats(&mut &bytes[..], 300, &mut Default::default(), &mut Vec::new());
            }
        }
    }

    proptest! {
        #[test]
        fn any_whole_numbers_come_back(numbers in prop::collection::vec(any::<i64>(), 0..200), climbing: bool) {
            ints(&numbers, climbing);
        }
        #[test]
        fn any_small_steps_come_back(steps in prop::collection::vec(-5_000_i64..5_000, 0..300), unit in 1_i64..2_000, climbing: bool) {
            let mut at = 1_764_000_000_000_000;
            ints(&steps.iter().map(|step| { at += step * unit; at }).collect::<Vec<_>>(), climbing);
        }
        #[test]
        fn any_few_exceptions_come_back(at in prop::collection::vec((0_usize..400, any::<i64>()), 0..9), usual: i64, count in 1_usize..400) {
            let mut numbers = vec![usual; count];
            at.iter().filter(|(at, _)| *at < count).for_each(|(at, number)| numbers[*at] = *number);
            ints(&numbers, false);
        }
        #[test]
        fn any_values_come_back(bits in prop::collection::vec(any::<u64>(), 0..200)) {
            floats(&bits.into_iter().map(f64::from_bits).collect::<Vec<_>>());
        }
        #[test]
        fn any_decimals_come_back(whole in prop::collection::vec(-9_999_999_i64..9_999_999, 0..200), decimals in 0_usize..12) {
            let power = 10_f64.powi(decimals as i32);
            floats(&whole.into_iter().map(|number| number as f64 / power).collect::<Vec<_>>());
        }
        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..120), count in 0_usize..500) {
            let _ = get_ints(&mut &bytes[..], count, &mut Vec::new(), &mut Vec::new());
            let _ = get_floats(&mut &bytes[..], count, &mut Default::default(), &mut Vec::new());
            let _ = get_values(&mut &bytes[..], count, &mut Default::default(), &mut Values::default());
        }
    }
}
