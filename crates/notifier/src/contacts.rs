//! Telephone numbers: from a file outside the config tree or from the environment, and nowhere else.
//!
//! The journal, git, logs and pages hold person ids; a number shows as `138****1234`. Only the body of a webhook call sees
//! it whole.

use crate::NotifierError;
use model::PersonId;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A telephone number. Prints masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phone(String);

impl Phone {
    /// Digits at least; shorter ones are service numbers nobody is reached by.
    pub const DIGITS_MIN: usize = 5;
    /// Digits at most (E.164).
    pub const DIGITS_MAX: usize = 15;

    /// Reads a number; blanks and hyphens are dropped, a leading `+` is kept.
    pub fn parse(text: &str) -> Option<Self> {
        let kept: String = text.trim().chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let digits = kept.strip_prefix('+').unwrap_or(&kept);
        let fits = (Self::DIGITS_MIN..=Self::DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then_some(Self(kept))
    }
    /// As shown: `138****1234`.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
    /// The number, for the body of a webhook call only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

fn mask(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    let (head, tail) = if chars.len() >= 9 { (3, 4) } else { (1, 1) };
    let head: String = chars.iter().take(head).collect();
    let tail: String = chars[chars.len().saturating_sub(tail)..].iter().collect();
    format!("{head}****{tail}")
}

/// Masks whatever in `text` may be a telephone number, as gateways like to repeat the number they were given: 11 to 15 digits,
/// in one run or in groups with one blank or hyphen between them. Longer runs are message ids.
pub fn mask_phones(text: &str) -> String {
    const DIGITS_SUSPECT: usize = 11;
    let chars: Vec<char> = text.chars().collect();
    let run = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let first = run(at);
        if first == 0 {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let mut end = at + first;
        let mut digits = first;
        // Groups are joined only as far as a number needs, so that two numbers in a row are two.
        while digits < DIGITS_SUSPECT && matches!(chars.get(end), Some('-' | ' ')) && run((end + 1).min(chars.len())) > 0 {
            let group = run(end + 1);
            digits += group;
            end += 1 + group;
        }
        if (DIGITS_SUSPECT..=Phone::DIGITS_MAX).contains(&digits) {
            let number: String = chars[at..end].iter().filter(|c| c.is_ascii_digit()).collect();
            out.push_str(&mask(&number));
            at = end;
        } else {
            out.extend(&chars[at..at + first]);
            at += first;
        }
    }
    out
}

/// Whether anybody but the file's owner may do anything with it.
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Who is reached at which number.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    phones: BTreeMap<PersonId, Phone>,
}

impl Contacts {
    /// Environment variable with the numbers themselves, as `person=number` separated by commas.
    pub const NUMBERS_VARIABLE: &str = "WATCHFIRE_PHONES";

    /// Reads the text of a contacts file: `person = "number"` lines, optionally under `[phones]`.
    pub fn from_toml(text: &str) -> Result<Self, NotifierError> {
        Self::read(text, "(text)")
    }
    /// Reads a contacts file.
    pub fn load(path: &Path) -> Result<Self, NotifierError> {
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| NotifierError::Contacts { path: shown.clone(), reason: error.to_string() })?;
        if is_open_to_others(path) {
            tracing::warn!("others can read {shown}; chmod 600 {shown}");
        }
        Self::read(&text, &shown)
    }
    /// Reads the file, where there is one, and adds the list in [`Contacts::NUMBERS_VARIABLE`]: who stands in both has the number
    /// of the list.
    pub fn load_with_env(file: Option<&Path>) -> Result<Self, NotifierError> {
        Self::gather(file, std::env::var(Self::NUMBERS_VARIABLE).ok().as_deref())
    }
    /// Sets one person's number.
    pub fn insert(&mut self, person: PersonId, phone: Phone) {
        self.phones.insert(person, phone);
    }
    /// A person's number.
    pub fn phone(&self, person: &PersonId) -> Option<&Phone> {
        self.phones.get(person)
    }
    /// How many people have one.
    pub fn len(&self) -> usize {
        self.phones.len()
    }
    /// Whether nobody has one.
    pub fn is_empty(&self) -> bool {
        self.phones.is_empty()
    }

    fn gather(file: Option<&Path>, list: Option<&str>) -> Result<Self, NotifierError> {
        let mut contacts = match file {
            Some(file) => Self::load(file)?,
            None => Self::default(),
        };
        contacts.add_list(list.unwrap_or_default())?;
        Ok(contacts)
    }
    fn add_list(&mut self, list: &str) -> Result<(), NotifierError> {
        let fault = |reason| NotifierError::Contacts { path: Self::NUMBERS_VARIABLE.to_owned(), reason };
        for (at, pair) in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()).enumerate() {
            // The pair itself may hold a number, so the fault names its place only.
            let (person, number) = pair.split_once('=').ok_or_else(|| fault(format!("entry {} is not person=number", at + 1)))?;
            let phone = Phone::parse(number).ok_or_else(|| fault(format!("{}: not a telephone number", person.trim())))?;
            self.insert(PersonId::new(person.trim()), phone);
        }
        Ok(())
    }
    fn read(text: &str, path: &str) -> Result<Self, NotifierError> {
        let fault = |reason| NotifierError::Contacts { path: path.to_owned(), reason };
        // The parser's own message quotes the line, and with it the number.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            fault(format!("line {line}: {}", mask_phones(error.message())))
        })?;
        let mut contacts = Self::default();
        for (key, value) in &table {
            match value {
                toml::Value::Table(inner) if key == "phones" => {
                    for (person, number) in inner {
                        contacts.add(person, number).map_err(&fault)?;
                    }
                }
                number => contacts.add(key, number).map_err(&fault)?,
            }
        }
        Ok(contacts)
    }
    fn add(&mut self, person: &str, number: &toml::Value) -> Result<(), String> {
        let phone = number.as_str().and_then(Phone::parse).ok_or_else(|| format!("{person}: not a telephone number in quotes"))?;
        self.insert(PersonId::new(person), phone);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_prints_masked_and_only_masked() {
        let contacts = Contacts::from_toml("[phones]\nwang = \"138-0000 1234\"\n").unwrap();
        let phone = contacts.phone(&PersonId::new("wang")).unwrap();
        assert_eq!(phone.to_string(), "138****1234");
        assert_eq!(phone.expose(), "13800001234");
        assert!(!format!("{contacts:?}").contains("13800001234"));
    }

    #[test]
    fn a_broken_file_says_where_without_quoting_the_number() {
        let error = Contacts::from_toml("wang = \"13800001234\"\nli = 13800005678 x\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("13800005678"), "{error}");
        let error = Contacts::from_toml("li = \"call me\"\n").unwrap_err().to_string();
        assert!(error.contains("li"), "{error}");
    }

    #[test]
    fn numbers_come_from_a_list_too() {
        let mut contacts = Contacts::default();
        contacts.add_list("a=13800001234, b=+8613800005678").unwrap();
        assert_eq!(contacts.len(), 2);
        assert!(contacts.add_list("c=12x").unwrap_err().to_string().contains("c: not"));
    }

    #[test]
    fn the_list_is_added_to_the_file_and_goes_first() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("contacts.toml");
        std::fs::write(&file, "wang = \"13800001234\"\nli = \"13800005678\"\n").unwrap();
        let contacts = Contacts::gather(Some(&file), Some("li=13900000000,sun=13700000000")).unwrap();
        let number = |person: &str| contacts.phone(&PersonId::new(person)).unwrap().expose().to_owned();
        assert_eq!((number("wang"), number("li"), number("sun")), ("13800001234".into(), "13900000000".into(), "13700000000".into()));
        assert_eq!(Contacts::gather(None, Some("sun=13700000000")).unwrap().len(), 1);
        assert!(Contacts::gather(None, None).unwrap().is_empty());

        for (mode, open) in [(0o600, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&file), open, "{mode:o}");
        }
    }

    #[test]
    fn numbers_inside_an_answer_are_masked() {
        assert_eq!(mask_phones(r#"{"to":"13800001234","code":1024}"#), r#"{"to":"138****1234","code":1024}"#);
        assert_eq!(mask_phones("+86 138-0000-1234 ok"), "+861****1234 ok");
        assert_eq!(mask_phones("13800001234 13800005678"), "138****1234 138****5678");
        assert_eq!(mask_phones("2024-11-24 14:05"), "2024-11-24 14:05");
        assert_eq!(mask_phones("BizId 900619746936498440"), "BizId 900619746936498440");
    }
}
