//! What of `server.toml` is opened when the program starts: a change of it is told with its place and waits for the next start.

use crate::SERVER;
use crate::fault::{Fault, Sink, text};
use crate::server::{ChannelSetting, Driver, Server};
use crate::source::{Files, Place, Source};
use std::path::Path;
use toml::de::DeTable;

/// Each setting in which what was opened at the start differs from what the files want, where it stands in them.
pub fn waits_for_start(opened: &Server, wanted: &Server, files: &Files) -> Vec<Fault> {
    let source = files.decode_one(Path::new(SERVER), &mut Sink::default());
    let (document, _) = DeTable::parse_recoverable(&source.text);
    let note = |path: Vec<&str>| {
        let name = path.join(".");
        let words = text(format!("`{name}` 有改动,下次启动时生效"), format!("`{name}` differs; it takes effect at the next start"));
        place(&source, document.get_ref(), &path).note("at-next-start", words)
    };
    let mut notes: Vec<Fault> = settings(opened, wanted).into_iter().map(note).collect();
    let with_id = |server: &'_ Server, id| server.channels.iter().position(|channel| channel.id == id);
    for before in opened.channels.iter().filter(|before| with_id(wanted, before.id.clone()).is_none()) {
        let words = text(
            format!("通道 `{}` 已去掉,到下次启动才关闭", before.id),
            format!("channel `{}` is gone; it stays open until the next start", before.id),
        );
        notes.push(place(&source, document.get_ref(), &["channels"]).note("at-next-start", words));
    }
    for after in &wanted.channels {
        let Some(before) = with_id(opened, after.id.clone()).map(|at| &opened.channels[at]) else {
            let words = text(
                format!("通道 `{}` 是新的,下次启动时打开", after.id),
                format!("channel `{}` is new; it is opened at the next start", after.id),
            );
            notes.push(place(&source, document.get_ref(), &["channels", after.id.as_str()]).note("at-next-start", words));
            continue;
        };
        notes.extend(keys_of(before, after).into_iter().map(|key| note(vec!["channels", after.id.as_str(), key])));
    }
    notes
}

/// Where the entry of this id stands in a file, as a fault would show it; the file's beginning where it has none.
pub fn place_of_id(files: &Files, file: &str, id: &str) -> String {
    let source = files.decode_one(Path::new(file), &mut Sink::default());
    let quoted = format!("\"{id}\"");
    let entry = source.text.match_indices(&quoted).find(|(at, _)| source.text[..*at].trim_end_matches([' ', '=']).ends_with("id"));
    let at = entry.map_or(0, |(at, _)| at);
    source.place(at..at).show()
}

fn settings(opened: &Server, wanted: &Server) -> Vec<Vec<&'static str>> {
    let mut changed = Vec::new();
    let mut say = |differs, table, key| {
        if differs {
            changed.push(vec![table, key]);
        }
    };
    let (old, new) = (&opened.mqtt, &wanted.mqtt);
    say(old.url != new.url, "mqtt", "url");
    say(old.client_id != new.client_id, "mqtt", "client_id");
    say(old.subscribe != new.subscribe, "mqtt", "subscribe");
    say(old.keep_alive != new.keep_alive, "mqtt", "keep_alive");
    say(old.protocol != new.protocol, "mqtt", "protocol");
    say(opened.embedded.listen != wanted.embedded.listen, "embedded", "listen");
    say(opened.http.listen != wanted.http.listen, "http", "listen");
    // Where it is not written it follows the address, which has been told.
    say(opened.http.public_url != wanted.http.public_url && opened.http.listen == wanted.http.listen, "http", "public_url");
    say(opened.history.readings != wanted.history.readings, "history", "readings");
    say(opened.history.alarms != wanted.history.alarms, "history", "alarms");
    let (old, new) = (&opened.templates, &wanted.templates);
    say(old.short_zh != new.short_zh, "templates", "short_zh");
    say(old.short_en != new.short_en, "templates", "short_en");
    say(old.long_zh != new.long_zh, "templates", "long_zh");
    say(old.long_en != new.long_en, "templates", "long_en");
    changed
}

fn keys_of(before: &ChannelSetting, after: &ChannelSetting) -> Vec<&'static str> {
    let mut keys = Vec::new();
    let mut say = |differs, key| {
        if differs {
            keys.push(key);
        }
    };
    say(before.kind != after.kind, "kind");
    say(before.template != after.template, "template");
    say(before.lang != after.lang, "lang");
    say(before.budget != after.budget, "budget");
    if let (Driver::Webhook(old), Driver::Webhook(new)) = (&before.driver, &after.driver) {
        say(old.url != new.url, "url");
        say(old.method != new.method, "method");
        say(old.headers != new.headers, "headers");
        say(old.body != new.body, "body");
        say(old.timeout != new.timeout, "timeout");
        say(old.success != new.success, "success");
    }
    keys
}

/// Where a key stands, or the nearest of what it stands in.
fn place<'a>(source: &'a Source, document: &DeTable<'_>, path: &[&str]) -> Place<'a> {
    let (mut table, mut span) = (Some(document), 0..0);
    for name in path {
        let Some((key, value)) = table.and_then(|table| table.get_key_value(*name)) else { break };
        span = key.span();
        table = value.get_ref().as_table();
    }
    source.place(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Lang;
    use crate::server;

    #[test]
    fn each_setting_that_waits_for_a_start_is_told_where_it_is_written() {
        let old = "[channels.sms]\nkind = \"sms\"\nurl = \"http://a/\"\n[channels.voice]\nkind = \"voice\"\nurl = \"http://a/\"\n";
        let new = "[http]\nlisten = \"127.0.0.1:81\"\n[channels.sms]\nkind = \"sms\"\ntimeout = \"9s\"\nurl = \"http://b/\"\n\
                   [channels.spare]\nkind = \"app\"\nurl = \"http://a/\"\n";
        let read = |text: &str| {
            let source = Source::new("server.toml".into(), text.to_owned());
            server::read(Some(&source), &|_| None, &mut Sink::default()).0
        };
        let told = |from: &str, to: &str| {
            let notes = waits_for_start(&read(from), &read(to), &Files::from_memory([("server.toml", to)]));
            notes.iter().map(|note| format!("{}:{} {}", note.line, note.column, note.text.get(Lang::En))).collect::<Vec<_>>()
        };
        assert_eq!(
            told(old, new),
            [
                "2:1 `http.listen` differs; it takes effect at the next start",
                "3:2 channel `voice` is gone; it stays open until the next start",
                "6:1 `channels.sms.url` differs; it takes effect at the next start",
                "5:1 `channels.sms.timeout` differs; it takes effect at the next start",
                "7:11 channel `spare` is new; it is opened at the next start",
            ]
        );
        assert!(told(old, old).is_empty());
    }
}
