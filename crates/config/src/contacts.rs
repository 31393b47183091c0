//! Phone numbers and app accounts, which live in a file outside the configuration folder and never enter git or the journal.

use crate::fault::{Fault, Faults, Sink, text};
use crate::server::Secret;
use crate::source::Files;
use crate::suggest;
use crate::table::{named, with_document};
use model::plant::ChannelKind;
use model::{PersonId, Plant};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Contact {
    /// For voice and SMS.
    pub phone: Option<Secret>,
    /// The account in DingTalk, WeCom and the like.
    pub app: Option<Secret>,
}

/// Contacts by person.
pub type Contacts = BTreeMap<PersonId, Contact>;

/// `138****1234`: enough to recognise a number, too little to dial it.
pub fn mask(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    if digits.len() < 8 {
        return "****".to_owned();
    }
    let (head, tail) = (&digits[..3], &digits[digits.len() - 4..]);
    format!("{}****{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}

/// Reads a contacts file and says who is missing in it: people with a voice or SMS channel and no number are warned of.
pub fn load_contacts(path: &Path, plant: &Plant) -> Result<(Contacts, Vec<Fault>), Faults> {
    let files = Files::read_one(path);
    let mut sink = Sink::default();
    let sources = files.decode(&mut sink);
    let mut contacts = Contacts::new();
    if let Some(source) = sources.values().next() {
        let list = with_document(source, &mut sink, |file, sink| {
            named(file, "contacts", sink, |person, entry, sink| {
                let contact = entry.table(sink, |table, sink| {
                    let phone = table.string("phone", sink);
                    let app = table.string("app", sink);
                    if let Some(phone) = phone.as_ref().filter(|phone| !is_number(&phone.value)) {
                        let fault = phone.place.error("phone-number", text("不是电话号码", "not a phone number"));
                        sink.push(fault.suggest("只写数字,可以以 + 开头", "digits only, with a leading + if need be"));
                    }
                    let secret = |value: crate::source::At<'_, String>| Secret::new(value.value);
                    Contact { phone: phone.map(secret), app: app.map(secret) }
                });
                if plant.person(&PersonId::new(&person.value)).is_none() {
                    let known = plant.people.iter().map(|person| person.id.as_str());
                    let fault = text(format!("people.toml 里没有 `{}`", person.value), format!("people.toml has no `{}`", person.value));
                    let fault = person.place.warning("unknown-person", fault);
                    sink.push(fault.suggest_some(suggest::did_you_mean(&person.value, known)));
                    return None;
                }
                Some((PersonId::new(&person.value), contact?))
            })
        });
        contacts.extend(list);
        for person in &plant.people {
            let kinds = person.channels.iter().filter_map(|id| plant.channel(id)).map(|channel| channel.kind);
            let dials = kinds.into_iter().any(|kind| matches!(kind, ChannelKind::Voice | ChannelKind::Sms));
            if dials && contacts.get(&person.id).is_none_or(|contact| contact.phone.is_none()) {
                let fault = text(format!("没有 `{}` 的电话号码", person.id), format!("no phone number of `{}`", person.id));
                sink.push(source.top().warning("no-number", fault));
            }
        }
    }
    // The lines of this file hold numbers: a fault shows its place, not the line.
    let hide = |mut fault: Fault| {
        fault.source_line.clear();
        fault.mark = 0..0;
        fault
    };
    match sink.finish() {
        Ok(warnings) => Ok((contacts, warnings.into_iter().map(hide).collect())),
        Err(faults) => Err(faults.map(hide)),
    }
}

fn is_number(written: &str) -> bool {
    let digits = written.strip_prefix('+').unwrap_or(written);
    (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

impl Files {
    /// One file by its own path.
    pub(crate) fn read_one(path: &Path) -> Self {
        let mut files = Self::default();
        files.read_file(PathBuf::from(path));
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_only_masked() {
        assert_eq!(mask("13800001234"), "138****1234");
        assert_eq!(mask("110"), "****");
        assert_eq!(
            format!("{:?}", Contact { phone: Some(Secret::new("10000000001")), app: None }),
            "Contact { phone: Some(***), app: None }"
        );
    }
}
