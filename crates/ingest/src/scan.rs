//! A tolerant reader for the little JSON that readings need.
//!
//! serde_json gives up a whole payload for one bare `NaN`, and gateways do send that. Here an object is judged by its
//! structure alone and its values stay raw tokens for [`crate::decode`] to judge one by one; and in an array, whatever a broken
//! element looks like, the scan finds the next sound one behind it. Nothing recurses, nothing allocates, and the work for
//! broken input is bounded by a multiple of its length.

/// Nested values deeper than this make their object unsound. A reading has none at all.
const DEPTH_MAX: usize = 64;
/// Bytes looked at in search of the next sound element, per byte of payload. Only a payload made to be slow needs more.
const EFFORT_PER_BYTE: usize = 16;

/// The parts of a reading as raw tokens: strings with their quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fields<'a> {
    pub tag: Option<&'a [u8]>,
    pub time: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub quality: Option<&'a [u8]>,
    pub sequence: Option<&'a [u8]>,
    pub inhibit: Option<&'a [u8]>,
    /// Keys nobody asked for.
    pub unknown: u32,
    /// A key came twice with different values.
    pub contradictory: bool,
}

/// An element of a batch, or a single payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Element<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What was found in it.
    pub fields: Fields<'a>,
    /// The structure is sound, so the fields may be believed.
    pub sound: bool,
}

/// Without byte order mark, blanks and the NUL that C programs leave at the end.
pub(crate) fn trim(payload: &[u8]) -> &[u8] {
    let text = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    let blank = |byte: &u8| is_blank(*byte) || *byte == 0;
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// Reads a whole (trimmed) payload as one object.
pub(crate) fn single(text: &[u8]) -> Element<'_> {
    let scanned = object(text, 0, false);
    if scanned.sound && scanned.end == text.len() {
        return Element { bytes: text, fields: scanned.fields, sound: true };
    }
    broken(text)
}

/// Reads a (trimmed) payload that begins with `[`.
pub(crate) fn batch(text: &[u8]) -> Batch<'_> {
    Batch { text, at: 1, effort: text.len().saturating_mul(EFFORT_PER_BYTE) + 4_096, broken_until: 1, after_element: false, done: false }
}

/// The elements of an array, sound and broken ones, in order. Every byte but separators is in one of them.
pub(crate) struct Batch<'a> {
    text: &'a [u8],
    at: usize,
    effort: usize,
    /// Up to here lies a broken stretch that is being handed out piece by piece.
    broken_until: usize,
    after_element: bool,
    done: bool,
}

impl<'a> Iterator for Batch<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.done {
            return None;
        }
        if self.at < self.broken_until {
            return Some(self.broken_piece());
        }
        self.at = blanks(self.text, self.at);
        if self.after_element {
            self.after_element = false;
            match self.text.get(self.at) {
                Some(b',') => self.at = blanks(self.text, self.at + 1),
                // A missing comma loses nothing.
                Some(b'{' | b']') | None => {}
                Some(_) => return Some(self.break_off()),
            }
        } else if self.text.get(self.at) == Some(&b']') && self.at + 1 == self.text.len() && self.at == blanks(self.text, 1) {
            // An empty batch.
            self.done = true;
            return None;
        }
        match self.text.get(self.at) {
            Some(b'{') => {
                let scanned = object(self.text, self.at, false);
                if !scanned.sound {
                    self.effort = self.effort.saturating_sub(scanned.end - self.at);
                    return Some(self.break_off());
                }
                let bytes = &self.text[self.at..scanned.end];
                self.at = scanned.end;
                self.after_element = true;
                Some(Element { bytes, fields: scanned.fields, sound: true })
            }
            Some(b']') if self.at + 1 == self.text.len() => {
                self.done = true;
                None
            }
            // Cut off: say so once, and what came before stands.
            None => {
                self.done = true;
                Some(Element { bytes: &self.text[self.text.len()..], fields: Fields::default(), sound: false })
            }
            Some(_) => Some(self.break_off()),
        }
    }
}

impl<'a> Batch<'a> {
    /// Where the next element begins, if it is an object and nothing before it is broken. [`Self::next`] would begin there too.
    pub fn object(&self) -> Option<usize> {
        let mut at = blanks(self.text, self.at);
        if self.after_element {
            (self.text.get(at) == Some(&b',')).then_some(())?;
            at = blanks(self.text, at + 1);
        }
        (self.at >= self.broken_until && self.text.get(at) == Some(&b'{')).then_some(at)
    }

    /// Goes on behind a sound object, which ends before `end`.
    pub fn behind(&mut self, end: usize) {
        self.at = end;
        self.after_element = true;
    }

    /// Begins a broken stretch at `at`: it ends where the next sound element begins.
    fn break_off(&mut self) -> Element<'a> {
        let mut from = self.at + 1;
        self.broken_until = loop {
            let Some(found) = self.text.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'{')) else {
                break self.text.len();
            };
            let start = from + found;
            if self.effort == 0 {
                break self.text.len();
            }
            let scanned = object(self.text, start, false);
            self.effort = self.effort.saturating_sub(scanned.end - start);
            // An object inside a broken one is followed by that one's brace.
            let next = blanks(self.text, scanned.end);
            if scanned.sound && scanned.fields.tag.is_some() && matches!(self.text.get(next), Some(b',' | b']' | b'{') | None) {
                break start;
            }
            from = start + 1;
        };
        self.broken_piece()
    }

    /// The next piece of a broken stretch: up to what looks like the beginning of another object in it.
    fn broken_piece(&mut self) -> Element<'a> {
        let stretch = &self.text[self.at..self.broken_until];
        let mut end = stretch.len();
        let mut after_comma = false;
        for (at, byte) in stretch.iter().enumerate().skip(1) {
            match byte {
                b'{' if after_comma && stretch.get(blanks(stretch, at + 1)) == Some(&b'"') => {
                    end = at;
                    break;
                }
                b',' => after_comma = true,
                byte if is_blank(*byte) => {}
                _ => after_comma = false,
            }
        }
        self.at += end;
        self.done = self.at >= self.text.len();
        let piece = stretch[..end].trim_ascii_end();
        broken(piece.strip_suffix(b",").unwrap_or(piece).trim_ascii_end())
    }
}

/// A piece whose structure is unsound: its fields are read as far as possible, to know whose it was.
fn broken(bytes: &[u8]) -> Element<'_> {
    let fields = if bytes.first() == Some(&b'{') { object(bytes, 0, true).fields } else { Fields::default() };
    Element { bytes, fields, sound: false }
}

struct Scanned<'a> {
    fields: Fields<'a>,
    /// Behind the closing brace, or where the scan gave up.
    end: usize,
    sound: bool,
}

/// Reads the object that begins at `start`. `recover` goes on after a fault at the next comma.
fn object(text: &[u8], start: usize, recover: bool) -> Scanned<'_> {
    let mut fields = Fields::default();
    let mut sound = true;
    if text.get(start) != Some(&b'{') {
        return Scanned { fields, end: start, sound: false };
    }
    let mut at = blanks(text, start + 1);
    if text.get(at) == Some(&b'}') {
        return Scanned { fields, end: at + 1, sound };
    }
    loop {
        match member(text, at) {
            Ok((key, token, end)) => {
                at = end;
                // A member read after a fault may be a fragment of another, but it is only used to know whose it was.
                fields.set(key, token);
            }
            Err(end) => {
                sound = false;
                at = end;
            }
        }
        if !sound && !recover {
            return Scanned { fields, end: at, sound };
        }
        at = blanks(text, at);
        match text.get(at) {
            Some(b',') => at = blanks(text, at + 1),
            Some(b'}') => return Scanned { fields, end: at + 1, sound },
            None => return Scanned { fields, end: at, sound: false },
            Some(_) if recover => {
                sound = false;
                at = separator(text, at);
                match text.get(at) {
                    Some(b',') => at = blanks(text, at + 1),
                    _ => return Scanned { fields, end: at, sound },
                }
            }
            Some(_) => return Scanned { fields, end: at, sound: false },
        }
    }
}

/// `"key": value`; the key without quotes. Err: where it went wrong.
fn member(text: &[u8], at: usize) -> Result<(&[u8], &[u8], usize), usize> {
    let end = string(text, at)?;
    let key = &text[at + 1..end - 1];
    let colon = blanks(text, end);
    if text.get(colon) != Some(&b':') {
        return Err(colon);
    }
    let from = blanks(text, colon + 1);
    let to = match text.get(from) {
        Some(b'"') => string(text, from)?,
        Some(b'{' | b'[') => nested(text, from)?,
        _ => token(text, from)?,
    };
    Ok((key, &text[from..to], to))
}

/// Behind the string that begins at `at`.
fn string(text: &[u8], at: usize) -> Result<usize, usize> {
    if text.get(at) != Some(&b'"') {
        return Err(at);
    }
    let mut at = at + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err(text.len())
}

/// Behind the object or array that begins at `at`; its inside is nobody's business here.
fn nested(text: &[u8], mut at: usize) -> Result<usize, usize> {
    let mut depth = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                at = string(text, at)?;
                continue;
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Ok(at);
        }
        if depth > DEPTH_MAX {
            return Err(at);
        }
    }
    Err(text.len())
}

/// Behind a number, a literal, or anything else without structure, bare `NaN` and `-Infinity` included.
fn token(text: &[u8], at: usize) -> Result<usize, usize> {
    let is_end = |byte: &u8| is_blank(*byte) || matches!(byte, b',' | b'}' | b']' | b'{' | b'[' | b':' | b'"');
    let end = text[at..].iter().position(is_end).map_or(text.len(), |length| at + length);
    if end == at { Err(at) } else { Ok(end) }
}

/// From the midst of a fault to the next comma or brace of the same object.
fn separator(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        at = match byte {
            b',' | b'}' => return at,
            b'"' => string(text, at).unwrap_or(at + 1),
            b'{' | b'[' => nested(text, at).unwrap_or(at + 1),
            _ => at + 1,
        };
    }
    at
}

fn blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl<'a> Fields<'a> {
    fn set(&mut self, key: &[u8], token: &'a [u8]) {
        let known = match key {
            b"tag" => &mut self.tag,
            b"ts" => &mut self.time,
            b"value" => &mut self.value,
            b"quality" => &mut self.quality,
            b"seq" => &mut self.sequence,
            b"inhibit" => &mut self.inhibit,
            _ => {
                self.unknown += 1;
                return;
            }
        };
        match known {
            Some(first) if *first != token => self.contradictory = true,
            _ => *known = Some(token),
        }
    }
}
