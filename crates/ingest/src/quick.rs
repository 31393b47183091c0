//! A reading as nearly every gateway writes it, read in one pass: known keys, each once, plain numbers, blanks only after `:` and `,`.
//!
//! It either reads just what the careful way (`scan`, `decode`) would, or says nothing and leaves the reading to that. It never rejects
//! anything. Where a field ends is decided by branches rather than worked out: what follows is read while that is still being judged,
//! and the next payload looks much like the last.

use model::Quality;
use std::hint::cold_path;

/// What a plain object says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plain<'a> {
    /// The name, which holds no escapes. Nobody has looked whether it is UTF-8.
    pub tag: Option<&'a [u8]>,
    /// Epoch milliseconds.
    pub millis: Option<i64>,
    pub value: f64,
    pub quality: Quality,
    pub sequence: Option<u64>,
}

/// Numbers with more digits are left to the careful way: up to here whole numbers are floats without loss.
const DIGITS_MAX: usize = 15;
/// Powers of ten, all of them floats without loss.
const TENS: [f64; DIGITS_MAX + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Reads the object that begins here, and how long it is; none where it is anything but plain. `NAMED`: it may name its tag.
#[inline(always)]
pub(crate) fn read<const NAMED: bool>(text: &[u8]) -> Option<(Plain<'_>, usize)> {
    let mut rest = Rest { text, at: 0 };
    let (mut tag, mut millis, mut value, mut quality, mut sequence) = (None, None, None, None, None);
    rest.skip(b"{").then_some(())?;
    loop {
        let before = rest.at;
        let mut is_end = false;
        // In the usual order one round reads them all, a name before them another.
        if rest.key(b"\"ts\":") {
            once(&mut millis, rest.millis()?)?;
            is_end = rest.is_end()?;
        }
        if !is_end && rest.key(b"\"value\":") {
            once(&mut value, rest.value()?)?;
            is_end = rest.is_end()?;
        }
        if !is_end && rest.key(b"\"quality\":") {
            once(&mut quality, rest.quality()?)?;
            is_end = rest.is_end()?;
        }
        if !is_end && rest.key(b"\"seq\":") {
            once(&mut sequence, rest.whole()?.0)?;
            is_end = rest.is_end()?;
        }
        if NAMED && !is_end && rest.key(b"\"tag\":") {
            once(&mut tag, rest.name()?)?;
            is_end = rest.is_end()?;
        }
        if is_end {
            let quality = quality.unwrap_or(Quality::Good);
            return Some((Plain { tag, millis, value: value?, quality, sequence }, rest.at));
        }
        if rest.at == before && !rest.skip(b" ") {
            return None;
        }
    }
}

#[inline(always)]
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// What is not read yet.
struct Rest<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    #[inline(always)]
    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline(always)]
    fn skip(&mut self, text: &[u8]) -> bool {
        let is_next = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(text));
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// A key and the blank that may follow it.
    #[inline(always)]
    fn key(&mut self, key: &[u8]) -> bool {
        let is_next = self.skip(key);
        if is_next && self.next() == Some(b' ') {
            cold_path();
            self.at += 1;
        }
        is_next
    }

    /// Whether the object ends behind a value; none where it does not go on either.
    #[inline(always)]
    fn is_end(&mut self) -> Option<bool> {
        let byte = self.next()?;
        self.at += 1;
        match byte {
            b',' => Some(false),
            b'}' => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    fn name(&mut self) -> Option<&'a [u8]> {
        let text = self.text.get(self.at..)?.strip_prefix(b"\"")?;
        let length = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        self.at += length + 2;
        (text[length] == b'"').then_some(&text[..length])
    }

    #[inline(always)]
    fn quality(&mut self) -> Option<Quality> {
        let words = [(&b"\"good\""[..], Quality::Good), (b"\"uncertain\"", Quality::Uncertain), (b"\"bad\"", Quality::Bad)];
        words.into_iter().find_map(|(word, quality)| self.skip(word).then_some(quality))
    }

    /// A time has thirteen digits from 2001 to 2286.
    #[inline(always)]
    fn millis(&mut self) -> Option<i64> {
        if let Some(digits) = self.text.get(self.at..).and_then(<[u8]>::first_chunk::<13>)
            && let Some(upper) = eight_digits(u64::from_le_bytes(*digits.first_chunk()?))
            && let Some(lower) = eight_digits(u64::from_le_bytes(*digits.last_chunk()?) >> 24 << 24 | 0x30_3030)
            && digits[0] != b'0'
        {
            self.at += 13;
            return Some((upper * 100_000 + lower) as i64);
        }
        cold_path();
        let is_negative = self.skip(b"-");
        let count = self.whole()?.0 as i64;
        Some(if is_negative { -count } else { count })
    }

    #[inline(always)]
    fn value(&mut self) -> Option<f64> {
        let is_negative = self.next()? == b'-';
        if is_negative {
            self.at += 1;
        }
        let Some((whole, length)) = self.whole() else {
            return match () {
                () if is_negative => None,
                () if self.skip(b"true") => Some(1.0),
                () if self.skip(b"false") => Some(0.0),
                () => None,
            };
        };
        let mut value = whole as i64 as f64;
        if self.next()? == b'.' {
            self.at += 1;
            let (mantissa, places) = self.digits(whole)?;
            if length + places > DIGITS_MAX {
                return None;
            }
            // Both are exact, so the quotient is the nearest float.
            value = mantissa as i64 as f64 / TENS[places];
        }
        Some(if is_negative { -value } else { value })
    }

    /// A number without sign, point and leading zeros, and how many digits it has.
    #[inline(always)]
    fn whole(&mut self) -> Option<(u64, usize)> {
        if self.next()? == b'0' {
            self.at += 1;
            return Some((0, 1));
        }
        self.digits(0)
    }

    /// The digits behind `number`, at least one and no more than [`DIGITS_MAX`], and how many they are.
    #[inline(always)]
    fn digits(&mut self, mut number: u64) -> Option<(u64, usize)> {
        let from = self.at;
        while let Some(digit @ 0..=9) = self.next().map(|byte| byte.wrapping_sub(b'0')) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let length = self.at - from;
        (0 < length && length <= DIGITS_MAX).then_some((number, length))
    }
}

/// The value of eight digits, worked out in pairs, fours and eights within one word.
#[inline(always)]
fn eight_digits(word: u64) -> Option<u64> {
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

    /// A whole payload.
    fn plain(text: &str) -> Option<Plain<'_>> {
        read::<true>(text.as_bytes()).filter(|(_, length)| *length == text.len()).map(|(plain, _)| plain)
    }

    #[test]
    fn what_gateways_send_is_plain() {
        let good = Plain { tag: None, millis: Some(1_732_451_674_123), value: 83.2, quality: Quality::Good, sequence: Some(17) };
        assert_eq!(plain(r#"{"ts":1732451674123,"value":83.2,"quality":"good","seq":17}"#), Some(good));
        assert_eq!(plain(r#"{"seq": 17, "quality": "good", "value": 83.2, "ts": 1732451674123}"#), Some(good));
        let bare = Plain { tag: None, millis: None, value: -0.5, quality: Quality::Good, sequence: None };
        assert_eq!(plain(r#"{"value":-0.50}"#), Some(bare));
        assert_eq!(plain(r#"{"value":true}"#).map(|plain| plain.value), Some(1.0));
        assert_eq!(plain(r#"{"value":12345678.5}"#).map(|plain| plain.value), Some(12_345_678.5));
    }

    #[test]
    fn a_named_reading_ends_where_the_next_begins() {
        let text = r#"{"tag":"1#罐","ts":1732451674123,"value":3},{"tag":"B","value":4}]"#.as_bytes();
        let read_on = read::<true>(text).map(|(plain, length)| (plain.tag, plain.value, &text[length..]));
        assert_eq!(read_on, Some((Some("1#罐".as_bytes()), 3.0, &br#",{"tag":"B","value":4}]"#[..])));
        assert_eq!(read::<false>(text), None, "only in a batch does a reading name its tag");
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
            "{\"value\":1,\"tag\":null}",
            "{\"value\":1,\"tag\":\"T}",
            "{\"value\":1,\"tag\":\"\\u0054\"}",
            "{\"tag\":\"T\",\"value\":1,\"tag\":\"T\"}",
            "{\"ts\":1}",
            "{\"ts\":1732451674123.5,\"value\":1}",
            "{\"ts\":17324516741234,\"value\":1}",
            "{\"ts\":0732451674123,\"value\":1}",
            "{\"ts\":17324516741x3,\"value\":1}",
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
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
