//! The payload as nearly every gateway sends it, read in one pass: known keys, each once, plain numbers, at most a blank after `:` and `,`.
//!
//! It either reads just what the careful way (`scan`, `decode`) would, or says nothing and leaves the payload to that. It never rejects
//! anything. Numbers are those whose nearest float one exact division gives (Clinger): up to 2^53.

use model::Quality;

/// What a plain payload says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plain {
    /// Epoch milliseconds.
    pub millis: Option<i64>,
    pub value: f64,
    pub quality: Quality,
    pub sequence: Option<u64>,
}

const POWERS: [f64; DIGITS_MAX + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Powers of ten.
const TENS: [u64; DIGITS_MAX + 1] = {
    let mut tens = [1; DIGITS_MAX + 1];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};
/// Whole numbers up to this are floats without loss.
const EXACT_MAX: u64 = 1 << 53;
/// Numbers with more digits are left to the careful way.
const DIGITS_MAX: usize = 15;

/// Reads a payload; none where it is anything but plain.
pub(crate) fn read(text: &[u8]) -> Option<Plain> {
    let mut rest = text.strip_prefix(b"{")?;
    let (mut millis, mut value, mut quality, mut sequence) = (None, None, None, None);
    loop {
        rest = match rest.get(1)? {
            b't' => {
                let (time, rest) = signed(key(rest, b"\"ts\":")?)?;
                once(&mut millis, time)?;
                rest
            }
            b'v' => {
                let (number, rest) = number(key(rest, b"\"value\":")?)?;
                once(&mut value, number)?;
                rest
            }
            b'q' => {
                let (claimed, rest) = claimed(key(rest, b"\"quality\":")?)?;
                once(&mut quality, claimed)?;
                rest
            }
            _ => {
                let (count, _, rest) = digits(key(rest, b"\"seq\":")?)?;
                once(&mut sequence, count)?;
                rest
            }
        };
        rest = match rest {
            [b',', b' ', rest @ ..] | [b',', rest @ ..] => rest,
            [b'}'] => break,
            _ => return None,
        };
    }
    Some(Plain { millis, value: value?, quality: quality.unwrap_or(Quality::Good), sequence })
}

/// Behind a key and the blank that may follow it.
#[inline(always)]
fn key<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let token = text.strip_prefix(key)?;
    Some(token.strip_prefix(b" ").unwrap_or(token))
}

#[inline(always)]
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

fn claimed(text: &[u8]) -> Option<(Quality, &[u8])> {
    let words = [(&b"\"good\""[..], Quality::Good), (b"\"uncertain\"", Quality::Uncertain), (b"\"bad\"", Quality::Bad)];
    words.into_iter().find_map(|(word, quality)| Some((quality, text.strip_prefix(word)?)))
}

fn signed(text: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, text) = sign(text);
    let (count, _, rest) = digits(text)?;
    let count = i64::try_from(count).ok()?;
    Some((if negative { -count } else { count }, rest))
}

fn number(text: &[u8]) -> Option<(f64, &[u8])> {
    if let Some(rest) = text.strip_prefix(b"true") {
        return Some((1.0, rest));
    }
    if let Some(rest) = text.strip_prefix(b"false") {
        return Some((0.0, rest));
    }
    let (negative, text) = sign(text);
    let (mut mantissa, length, mut rest) = digits(text)?;
    let mut places = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (behind, count, end) = run(fraction)?;
        (places, rest) = (count, end);
        if length + places > DIGITS_MAX {
            return None;
        }
        mantissa = mantissa * TENS[places] + behind;
    }
    if mantissa > EXACT_MAX {
        return None;
    }
    // Both are exact, so the quotient is the nearest float.
    let value = if places == 0 { mantissa as f64 } else { mantissa as f64 / POWERS[places] };
    Some((if negative { -value } else { value }, rest))
}

#[inline(always)]
fn sign(text: &[u8]) -> (bool, &[u8]) {
    text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest))
}

/// A whole number without sign and without leading zeros, how many digits it has, and what comes behind.
#[inline(always)]
fn digits(text: &[u8]) -> Option<(u64, usize, &[u8])> {
    let (number, length, rest) = run(text)?;
    let leading_zero = length > 1 && text[0] == b'0';
    (!leading_zero).then_some((number, length, rest))
}

/// A run of digits, at least one and no more than [`DIGITS_MAX`]. Eight at a time where there are: a reading's time has thirteen.
#[inline(always)]
fn run(text: &[u8]) -> Option<(u64, usize, &[u8])> {
    let (mut number, mut rest) = match text.first_chunk::<8>().and_then(eight_digits) {
        Some(eight) => (eight, &text[8..]),
        None => (0, text),
    };
    while let [byte @ b'0'..=b'9', behind @ ..] = rest {
        number = number * 10 + u64::from(byte - b'0');
        rest = behind;
        if text.len() - rest.len() > DIGITS_MAX {
            return None;
        }
    }
    let length = text.len() - rest.len();
    (length > 0).then_some((number, length, rest))
}

/// The value of eight digits, worked out in pairs, fours and eights within one word.
#[inline(always)]
fn eight_digits(text: &[u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(*text);
    let low = word.wrapping_sub(0x3030_3030_3030_3030);
    let high = word.wrapping_add(0x4646_4646_4646_4646);
    if (low | high) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = (low.wrapping_mul(10) + (low >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gateways_send_is_plain() {
        let good = Plain { millis: Some(1_732_451_674_123), value: 83.2, quality: Quality::Good, sequence: Some(17) };
        assert_eq!(read(br#"{"ts":1732451674123,"value":83.2,"quality":"good","seq":17}"#), Some(good));
        assert_eq!(read(br#"{"seq": 17, "quality": "good", "value": 83.2, "ts": 1732451674123}"#), Some(good));
        let bare = Plain { millis: None, value: -0.5, quality: Quality::Good, sequence: None };
        assert_eq!(read(br#"{"value":-0.50}"#), Some(bare));
        assert_eq!(read(br#"{"value":true}"#).map(|plain| plain.value), Some(1.0));
        assert_eq!(read(br#"{"value":12345678.5}"#).map(|plain| plain.value), Some(12_345_678.5));
    }

    #[test]
    fn anything_else_is_left_to_the_careful_way() {
        let texts = [
            "",
            "{",
            "{}",
            "{\"value\":}",
            "{\"value\":1",
            "{\"value\":1}}",
            "{\"value\":1} ",
            " {\"value\":1}",
            "{\"value\":1,}",
            "{\"value\":1.}",
            "{\"value\":.5}",
            "{\"value\":007}",
            "{\"value\":1e5}",
            "{\"value\":+1}",
            "{\"value\":--1}",
            "{\"value\":null}",
            "{\"value\":NaN}",
            "{\"value\":\"1\"}",
            "{\"value\":1,\"value\":1}",
            "{\"value\":1,\"tag\":\"T\"}",
            "{\"ts\":1}",
            "{\"ts\":1.5,\"value\":1}",
            "{\"value\":1,\"ts\":-}",
            "{\"value\":truely}",
            "{\"value\":1,\"quality\":\"GOOD\"}",
            "{\"value\":9007199254740993}",
            "{\"value\":12345678901234567890}",
            "{\"value\":1,\"seq\":18446744073709551616}",
            "{\"value\":1,\"seq\":-1}",
            "{\"value\":1,\"seq\":01}",
            "{\"value\":0.12345678901234567890}",
        ];
        for text in texts {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
