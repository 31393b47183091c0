//! What every store must do, as scenarios over [`Store`] and [`Reader`] alone: SQLite runs them, PostgreSQL will.
//!
//! A broken promise panics with the scenario's name; nothing here knows how a store keeps its rows.

mod model;
pub(crate) mod random;

use crate::{
    ActRecord, Batch, ClosedCase, Entry, EntryKind, OutboxFilter, OutboxRow, OutboxStatus, OutboxUpdate, Piece, QuarantineRow, Reader,
    STAMPS_FROM, Store, TimerRow,
};
use ::model::Timestamp;
use ::model::bounds::{QUARANTINE_BYTES_MAX, QUARANTINE_PER_SOURCE_MAX};

/// One empty place where a store can live; opened again it holds what was committed.
pub trait Place {
    /// Opens the store. The one opened before has been dropped.
    fn open(&self) -> Box<dyn Store>;
    /// Opens readers on it; the store has been opened at least once.
    fn reader(&self) -> Box<dyn Reader>;
}

/// Runs every scenario, each in a fresh place.
pub fn run(fresh: &mut dyn FnMut() -> Box<dyn Place>) {
    for (name, scenario) in SCENARIOS {
        // Printed only when a scenario fails.
        println!("scenario: {name}");
        scenario(&*fresh());
    }
    model::random_histories(fresh);
}

type Scenario = fn(&dyn Place);

/// The scenarios by name.
pub const SCENARIOS: [(&str, Scenario); 16] = [
    ("a new store is empty", a_new_store_is_empty),
    ("what was committed is there after a restart", committed_is_there_after_a_restart),
    ("a repeated batch changes nothing", a_repeated_batch_changes_nothing),
    ("a repeated key with other content is set aside, and the rest stands", a_key_conflict_is_set_aside),
    ("a known key with the same content adds nothing and keeps the rest", a_known_key_adds_nothing),
    ("an empty batch is no commit", an_empty_batch_is_no_commit),
    ("an act gets its first answer", an_act_gets_its_first_answer),
    ("a notification goes from waiting to delivered", a_notification_goes_its_way),
    ("a superseded notification stays so, unless it went out", superseding),
    ("timers are replaced by owner", timers_are_replaced_by_owner),
    ("state rows are replaced and deleted", state_rows_are_replaced_and_deleted),
    ("quarantine is bounded per source and counted past the bound", quarantine_is_bounded),
    ("a clean stop holds until the next opening", a_clean_stop_holds_until_the_next_opening),
    ("journal rows are found by case, kind and key", journal_rows_are_found),
    ("closed cases are paged by time and enterprise", closed_cases_are_paged),
    ("rows past their retention go once they are announced", past_rows_go_once_announced),
];

fn entry(key: Option<&str>, bytes: &str) -> Entry {
    Entry {
        kind: EntryKind::Transition,
        format: 1,
        key: key.map(str::to_owned),
        subject: None,
        at: Timestamp::from_secs(5),
        bytes: bytes.as_bytes().to_vec(),
    }
}

fn of_case(case: &str, kind: EntryKind, bytes: &str) -> Entry {
    Entry { kind, subject: Some(case.to_owned()), ..entry(None, bytes) }
}

fn at(secs: i64) -> Batch {
    Batch { now: Timestamp::from_secs(secs), ..Batch::default() }
}

fn notification(key: &str, case: &str, person: &str) -> OutboxRow {
    OutboxRow {
        key: key.to_owned(),
        case: case.to_owned(),
        bytes: format!(r#"{{"key":{{"recipient":"{person}","channel":"sms"}},"level":"red"}}"#).into_bytes(),
        at: Timestamp::from_secs(7),
    }
}

fn news(key: &str, status: OutboxStatus, attempts: u32, answer: &str, words: &str) -> OutboxUpdate {
    OutboxUpdate { key: key.to_owned(), status, attempts, answer: answer.to_owned(), words: words.to_owned(), at: Timestamp::from_secs(8) }
}

/// One of everything.
pub(crate) fn full(secs: i64) -> Batch {
    Batch {
        entries: vec![entry(Some(&format!("t{secs}")), r#"{"a":1}"#), of_case("case", EntryKind::Case, "{}"), entry(None, "{}")],
        state: vec![("rules/ent/tag".to_owned(), Some(b"hard".to_vec()))],
        soft: vec![("rules/soft".to_owned(), b"soft".to_vec())],
        timers: vec![("case".to_owned(), vec![timer(9, "sign"), timer(7, "remind")])],
        outbox: vec![notification(&format!("n{secs}"), "case", "li")],
        acts: vec![ActRecord { id: format!("act{secs}"), request: b"accept".to_vec(), answer: b"done".to_vec() }],
        quarantine: vec![rejected("gw", 1, b"bad".to_vec())],
        ..at(secs)
    }
}

fn timer(secs: i64, kind: &str) -> TimerRow {
    TimerRow { due: Timestamp::from_secs(secs), kind: kind.to_owned() }
}

fn rejected(source: &str, secs: i64, bytes: Vec<u8>) -> QuarantineRow {
    QuarantineRow {
        source: source.to_owned(),
        topic: format!("watchfire/v1/{source}"),
        reason: "undecodable".to_owned(),
        detail: "not JSON".to_owned(),
        at: Timestamp::from_secs(secs),
        bytes,
    }
}

/// The first and the last row that the commit added to the journal; the first is past the last where it added none.
fn commit(store: &mut dyn Store, batch: &Batch) -> (u64, u64) {
    let before = store.load().expect("a load").last_seq;
    store.commit(batch).expect("the batch is in order");
    (before + 1, store.load().expect("a load").last_seq)
}

fn a_new_store_is_empty(place: &dyn Place) {
    let mut store = place.open();
    let snapshot = store.load().expect("an empty store can be loaded");
    assert_eq!((snapshot.last_now, snapshot.last_seq, snapshot.clean_stop), (None, 0, false));
    assert!(snapshot.hard.is_empty() && snapshot.soft.is_empty() && snapshot.timers.is_empty() && snapshot.outbox_open.is_empty());
    assert_eq!(store.act_answer("none").expect("a question"), None);
    let reader = place.reader();
    assert!(reader.entries(&[], 0, 10).expect("a question").rows.is_empty());
    assert_eq!(reader.head().expect("a question").seq, 0);
}

fn committed_is_there_after_a_restart(place: &dyn Place) {
    let mut store = place.open();
    assert_eq!(commit(&mut *store, &full(10)), (1, 3));
    assert_eq!(commit(&mut *store, &full(11)), (4, 6));
    let before = store.load().expect("a load");
    drop(store);
    let mut store = place.open();
    let snapshot = store.load().expect("a load");
    assert_eq!(snapshot, before);
    assert_eq!(snapshot.last_now, Some(Timestamp::from_secs(11)));
    assert_eq!(snapshot.hard, [("rules/ent/tag".to_owned(), b"hard".to_vec())]);
    assert_eq!(snapshot.soft, [("rules/soft".to_owned(), b"soft".to_vec())]);
    assert_eq!(snapshot.timers, [("case".to_owned(), vec![timer(9, "sign"), timer(7, "remind")])]);
    let open: Vec<_> = snapshot.outbox_open.iter().map(|(row, status, attempts)| (row.key.as_str(), *status, *attempts)).collect();
    assert_eq!(open, [("n10", OutboxStatus::Waiting, 0), ("n11", OutboxStatus::Waiting, 0)]);
    assert_eq!(store.act_answer("act10").expect("a question").expect("it was committed").answer, b"done");
    assert_eq!(commit(&mut *store, &full(12)), (7, 9), "the journal goes on where it ended");
    assert_eq!(commit(&mut *store, &at_earlier()), (10, 10));
    assert_eq!(store.load().expect("a load").last_now, Some(Timestamp::from_secs(12)), "the engine's time never runs backwards");
}

fn at_earlier() -> Batch {
    Batch { entries: vec![entry(None, "early")], ..at(3) }
}

fn a_repeated_batch_changes_nothing(place: &dyn Place) {
    let mut store = place.open();
    // With and without keyed rows: whether the first attempt went through is unknown to the engine in both.
    for batch in [full(20), Batch { entries: vec![entry(None, "unkeyed")], quarantine: vec![rejected("gw", 1, vec![1])], ..at(21) }] {
        commit(&mut *store, &batch);
        let before = (store.load().expect("a load"), place.reader().quarantine(None, 10).expect("a question"));
        store.commit(&batch).expect("the batch is in order");
        drop(store);
        store = place.open();
        // Also after a restart.
        store.commit(&batch).expect("the batch is in order");
        assert_eq!((store.load().expect("a load"), place.reader().quarantine(None, 10).expect("a question")), before);
    }
    // The same rows at another time are another batch.
    let (first, last) = commit(&mut *store, &Batch { entries: vec![entry(None, "unkeyed")], ..at(22) });
    assert_eq!((first, last), (5, 5));
}

fn a_key_conflict_is_set_aside(place: &dyn Place) {
    let mut store = place.open();
    commit(&mut *store, &full(30));
    let others = [
        Batch { entries: vec![entry(None, "new"), entry(Some("t30"), r#"{"a":2}"#)], ..full(31) },
        Batch { entries: vec![Entry { kind: EntryKind::Act, ..entry(Some("t30"), r#"{"a":1}"#) }], ..full(32) },
        Batch { outbox: vec![OutboxRow { bytes: b"{}".to_vec(), ..notification("n30", "case", "li") }], entries: vec![], ..full(33) },
        Batch { acts: vec![ActRecord { id: "act30".to_owned(), request: b"close".to_vec(), answer: b"done".to_vec() }], ..full(34) },
    ];
    let rows = [2, 1, 1, 4];
    let mut last = 3;
    for (at, ((batch, wanted), rows)) in others.iter().zip(["t30", "t30", "n30", "act30"]).zip(rows).enumerate() {
        assert_eq!(commit(&mut *store, batch), (last + 1, last + rows), "{wanted}");
        last += rows;
        // Its outcome may have been unknown.
        store.commit(batch).expect("a repeat");
        assert_eq!(store.load().expect("a load").last_seq, last, "{wanted}");
        assert_eq!(store.health().conflicts, at as u64 + 1);
        let row = place.reader().newest(&[], None, 1).expect("a question").rows.remove(0);
        let said = String::from_utf8(row.bytes).expect("JSON");
        assert!(row.kind == EntryKind::System && said.contains("key-conflict") && said.contains(wanted), "{said}");
    }
    let reader = place.reader();
    let first = reader.entry("t30").expect("a question").expect("it is there");
    assert_eq!(first.bytes, br#"{"a":1}"#, "the first content stands");
    assert!(
        String::from_utf8(reader.newest(&[], Some(6), 1).expect("a question").rows.remove(0).bytes).expect("JSON").contains(r#"{\"a\":2}"#)
    );
    assert_eq!(store.act_answer("act30").expect("a question").expect("it is there").request, b"accept");
    assert_eq!(store.load().expect("a load").outbox_open[0].0, notification("n30", "case", "li"));
    assert_eq!(commit(&mut *store, &full(35)), (last + 1, last + 3), "and the store goes on");
}

fn a_known_key_adds_nothing(place: &dyn Place) {
    let mut store = place.open();
    commit(&mut *store, &Batch { entries: vec![entry(Some("config/1"), "{}")], ..at(40) });
    // The same configuration at the next start, beside news.
    let again = Batch {
        entries: vec![entry(Some("config/1"), "{}"), entry(None, "started")],
        state: vec![("s".to_owned(), Some(vec![1]))],
        ..at(41)
    };
    assert_eq!(commit(&mut *store, &again), (2, 2));
    assert_eq!(store.load().expect("a load").hard, [("s".to_owned(), vec![1])]);
    // Twice in one batch.
    let twice = Batch { entries: vec![entry(Some("k"), "{}"), entry(Some("k"), "{}")], ..at(42) };
    assert_eq!(commit(&mut *store, &twice), (3, 3));
}

fn an_empty_batch_is_no_commit(place: &dyn Place) {
    let mut store = place.open();
    assert_eq!(commit(&mut *store, &at(50)), (1, 0));
    commit(&mut *store, &full(51));
    store.mark_clean_stop(Timestamp::from_secs(52)).expect("a stop");
    assert_eq!(commit(&mut *store, &at(53)), (4, 3));
    assert_eq!(store.load().expect("a load").last_now, Some(Timestamp::from_secs(52)));
    // Rows that are no journal rows are durable as well, and say so by an empty range.
    assert_eq!(commit(&mut *store, &Batch { soft: vec![("x".to_owned(), vec![])], ..at(54) }), (4, 3));
    assert_eq!(store.load().expect("a load").soft.len(), 2);
}

fn an_act_gets_its_first_answer(place: &dyn Place) {
    let mut store = place.open();
    let act = |answer: &str| ActRecord { id: "a-1".to_owned(), request: b"accept".to_vec(), answer: answer.as_bytes().to_vec() };
    commit(&mut *store, &Batch { acts: vec![act("done")], ..at(60) });
    commit(&mut *store, &Batch { acts: vec![act("refused")], ..at(61) });
    assert_eq!(store.act_answer("a-1").expect("a question"), Some(act("done")));
    drop(store);
    assert_eq!(place.open().act_answer("a-1").expect("a question"), Some(act("done")));
}

fn a_notification_goes_its_way(place: &dyn Place) {
    let mut store = place.open();
    let open_keys = |store: &mut dyn Store| -> Vec<(String, OutboxStatus, u32)> {
        store.load().expect("a load").outbox_open.into_iter().map(|(row, status, attempts)| (row.key, status, attempts)).collect()
    };
    let rows = vec![notification("n1", "c1", "li"), notification("n2", "c1", "wang"), notification("n3", "c2", "li")];
    commit(&mut *store, &Batch { outbox: rows, ..at(70) });
    // What becomes of one may ride in the batch that brings another.
    let first = news("n1", OutboxStatus::Retrying, 1, "HTTP 500", "first words");
    commit(&mut *store, &Batch { outbox: vec![notification("n4", "c2", "zhao")], outbox_updates: vec![first], ..at(71) });
    assert_eq!(open_keys(&mut *store)[0], ("n1".to_owned(), OutboxStatus::Retrying, 1));
    assert_eq!(open_keys(&mut *store).len(), 4);
    commit(&mut *store, &Batch { outbox_updates: vec![news("n1", OutboxStatus::Accepted, 2, "id 7", "second words")], ..at(72) });
    // The receipt has no words, an empty answer, and counts no attempt.
    let receipts = vec![news("n1", OutboxStatus::Delivered, 0, "", ""), news("n1", OutboxStatus::Accepted, 2, "late", "")];
    commit(&mut *store, &Batch { outbox_updates: receipts, ..at(73) });
    commit(&mut *store, &Batch { outbox_updates: vec![news("n2", OutboxStatus::Failed, 3, "no such number", "w")], ..at(74) });
    // A receipt for something never sent is no fault of ours.
    commit(&mut *store, &Batch { outbox_updates: vec![news("nobody", OutboxStatus::Delivered, 1, "", "")], ..at(75) });
    assert_eq!(open_keys(&mut *store).iter().map(|open| open.0.as_str()).collect::<Vec<_>>(), ["n3", "n4"]);
    let reader = place.reader();
    let to_li = reader.outbox(&OutboxFilter { person: Some("li".to_owned()), ..OutboxFilter::default() }, 10).expect("a question");
    assert_eq!(to_li.iter().map(|found| found.row.key.as_str()).collect::<Vec<_>>(), ["n3", "n1"], "newest first");
    let delivered = &to_li[1];
    assert_eq!((delivered.status, delivered.attempts), (OutboxStatus::Delivered, 2));
    assert_eq!((delivered.words.as_str(), delivered.answer.as_str()), ("second words", "late"));
    assert_eq!(delivered.updated, Timestamp::from_secs(8));
    let older = OutboxFilter { before: Some(to_li[0].position), ..OutboxFilter::default() };
    assert_eq!(reader.outbox(&older, 1).expect("a question")[0].row.key, "n2");
    let both = OutboxFilter { person: Some("li".to_owned()), case: Some("c2".to_owned()), before: None };
    assert_eq!(reader.outbox(&both, 10).expect("a question").len(), 1);
    let case = OutboxFilter { case: Some("c1".to_owned()), ..OutboxFilter::default() };
    assert_eq!(reader.outbox(&case, 10).expect("a question").len(), 2);
    assert_eq!(reader.outbox(&OutboxFilter::default(), 3).expect("a question").len(), 3);
}

fn superseding(place: &dyn Place) {
    let mut store = place.open();
    let rows = ["n1", "n2", "n3", "n4"].map(|key| notification(key, "c1", "li"));
    commit(&mut *store, &Batch { outbox: [rows.to_vec(), vec![notification("other", "c2", "li")]].concat(), ..at(80) });
    let sent = vec![news("n1", OutboxStatus::Accepted, 1, "", "w"), news("n2", OutboxStatus::Retrying, 1, "", "w")];
    commit(&mut *store, &Batch { outbox_updates: sent, ..at(81) });
    // The word that the case is closed comes with the batch that supersedes what was not sent yet.
    let close = Batch { supersede: vec!["c1".to_owned()], outbox: vec![notification("closed", "c1", "li")], ..at(82) };
    commit(&mut *store, &close);
    // An attempt was under way: one failed, one went out.
    let late = vec![news("n3", OutboxStatus::Retrying, 1, "", ""), news("n4", OutboxStatus::Accepted, 1, "", "w")];
    commit(&mut *store, &Batch { outbox_updates: late, ..at(83) });
    let case = OutboxFilter { case: Some("c1".to_owned()), ..OutboxFilter::default() };
    let found: Vec<_> = place.reader().outbox(&case, 10).expect("a question").into_iter().map(|n| (n.row.key, n.status)).collect();
    let wanted = [
        ("closed", OutboxStatus::Waiting),
        ("n4", OutboxStatus::Accepted),
        ("n3", OutboxStatus::Superseded),
        ("n2", OutboxStatus::Superseded),
        ("n1", OutboxStatus::Accepted),
    ];
    assert_eq!(found, wanted.map(|(key, status)| (key.to_owned(), status)));
    let open: Vec<_> = store.load().expect("a load").outbox_open.into_iter().map(|open| open.0.key).collect();
    assert_eq!(open, ["other", "closed"]);
}

fn timers_are_replaced_by_owner(place: &dyn Place) {
    let mut store = place.open();
    let timers = vec![("a".to_owned(), vec![timer(1, "x"), timer(1, "x")]), ("b".to_owned(), vec![timer(2, "y")])];
    commit(&mut *store, &Batch { timers, ..at(90) });
    let timers = vec![("a".to_owned(), vec![timer(3, "z")]), ("b".to_owned(), vec![]), ("c".to_owned(), vec![timer(4, "w")])];
    commit(&mut *store, &Batch { timers, ..at(91) });
    let wanted = [("a".to_owned(), vec![timer(3, "z")]), ("c".to_owned(), vec![timer(4, "w")])];
    assert_eq!(store.load().expect("a load").timers, wanted);
}

fn state_rows_are_replaced_and_deleted(place: &dyn Place) {
    let mut store = place.open();
    let put = |key: &str, bytes: &[u8]| (key.to_owned(), Some(bytes.to_vec()));
    commit(&mut *store, &Batch { state: vec![put("rules/a", b"1"), put("rules/b", b"2"), put("rulesx", b"3")], ..at(100) });
    commit(&mut *store, &Batch { state: vec![put("rules/a", b"4"), ("rules/b".to_owned(), None)], ..at(101) });
    // The last word in a batch counts.
    commit(&mut *store, &Batch { state: vec![("escalation/c".to_owned(), None), put("escalation/c", b"5")], ..at(102) });
    let hard = store.load().expect("a load").hard;
    let wanted = [("escalation/c", b"5"), ("rules/a", b"4"), ("rulesx", b"3")].map(|(key, bytes)| (key.to_owned(), bytes.to_vec()));
    assert_eq!(hard, wanted);
    assert_eq!(place.reader().state("rules/").expect("a question"), [("rules/a".to_owned(), b"4".to_vec())]);
}

fn quarantine_is_bounded(place: &dyn Place) {
    let mut store = place.open();
    let many = QUARANTINE_PER_SOURCE_MAX + 25;
    let flood = (0..many).map(|n| rejected("flood", i64::try_from(n).expect("small"), vec![0; QUARANTINE_BYTES_MAX + n])).collect();
    commit(&mut *store, &Batch { quarantine: flood, ..at(110) });
    commit(&mut *store, &Batch { quarantine: vec![rejected("quiet", 5, b"x".to_vec())], ..at(111) });
    let reader = place.reader();
    let all = reader.quarantine(None, many * 2).expect("a question");
    let of = |source: &str| all.rows.iter().filter(|found| found.row.source == source).count();
    assert_eq!((of("flood"), of("quiet")), (QUARANTINE_PER_SOURCE_MAX, 1), "a flood pushes out only its own");
    let counts: Vec<_> = all.totals.iter().map(|total| (total.source.as_str(), total.reason.as_str(), total.count)).collect();
    assert_eq!(counts, [("flood", "undecodable", many as u64), ("quiet", "undecodable", 1)]);
    let newest = &reader.quarantine(Some("flood"), 1).expect("a question").rows[0];
    assert_eq!(newest.length, (QUARANTINE_BYTES_MAX + many - 1) as u64, "the newest are kept");
    assert_eq!(newest.row.bytes.len(), QUARANTINE_BYTES_MAX);
    // Invented sources are counted together once there are too many of them.
    for round in 0..30 {
        let invented = (0..100).map(|n| rejected(&format!("invented-{round}-{n}"), 6, vec![1])).collect();
        commit(&mut *store, &Batch { quarantine: invented, ..at(112 + round) });
    }
    let all = reader.quarantine(None, 1).expect("a question");
    assert!(all.totals.len() <= 2_001, "{} totals", all.totals.len());
    assert_eq!(all.totals.iter().map(|total| total.count).sum::<u64>(), many as u64 + 1 + 3_000, "and none is forgotten");
}

fn a_clean_stop_holds_until_the_next_opening(place: &dyn Place) {
    let clean = || place.open().load().expect("a load").clean_stop;
    let mut store = place.open();
    commit(&mut *store, &full(120));
    drop(store);
    assert!(!clean(), "nobody said so");
    let mut store = place.open();
    store.mark_clean_stop(Timestamp::from_secs(121)).expect("a stop");
    drop(store);
    assert!(clean());
    assert!(!clean(), "the engine in between did not stop cleanly");
    let mut store = place.open();
    store.mark_clean_stop(Timestamp::from_secs(122)).expect("a stop");
    commit(&mut *store, &full(123));
    drop(store);
    assert!(!clean(), "it went on after it");
}

fn journal_rows_are_found(place: &dyn Place) {
    let mut store = place.open();
    let entries = (0..10)
        .map(|n| match n % 2 {
            0 => of_case("even", EntryKind::Case, &n.to_string()),
            _ => Entry { kind: EntryKind::Act, key: Some(format!("k{n}")), ..of_case("odd", EntryKind::Act, &n.to_string()) },
        })
        .collect();
    commit(&mut *store, &Batch { entries, ..at(130) });
    let reader = place.reader();
    let seqs = |page: &crate::Page<crate::Record>| page.rows.iter().map(|row| row.seq).collect::<Vec<_>>();
    let page = reader.timeline("odd", 0, 3).expect("a question");
    assert_eq!((seqs(&page), page.next), (vec![2, 4, 6], Some(8)));
    let page = reader.timeline("odd", 8, 3).expect("a question");
    assert_eq!((seqs(&page), page.next), (vec![8, 10], None));
    assert_eq!((page.rows[0].kind, page.rows[0].bytes.as_slice(), page.rows[0].format), (EntryKind::Act, b"7".as_slice(), 1));
    let page = reader.entries(&[EntryKind::Case], 4, 2).expect("a question");
    assert_eq!(seqs(&page), [5, 7]);
    let page = reader.entries(&[EntryKind::Case], page.next.expect("there is more"), 9).expect("a question");
    assert_eq!((seqs(&page), page.next), (vec![9], None));
    let page = reader.newest(&[EntryKind::Act], None, 2).expect("a question");
    assert_eq!(seqs(&page), [10, 8]);
    let page = reader.newest(&[EntryKind::Act], page.next, 9).expect("a question");
    assert_eq!(seqs(&page), [6, 4, 2]);
    assert_eq!(seqs(&reader.newest(&[], None, 3).expect("a question")), [10, 9, 8]);
    assert_eq!(reader.entry("k3").expect("a question").expect("it is there").seq, 4);
    assert_eq!(reader.entry("k2").expect("a question"), None);
    let (head, snapshot) = (reader.head().expect("a question"), store.load().expect("a load"));
    assert_eq!((head.seq, head.hash), (10, snapshot.chain_head));
}

fn closed_cases_are_paged(place: &dyn Place) {
    let mut store = place.open();
    let closed = |case: &str, enterprise: &str, secs: i64| ClosedCase {
        case: case.to_owned(),
        enterprise: enterprise.to_owned(),
        at: Timestamp::from_secs(secs),
        bytes: case.as_bytes().to_vec(),
    };
    let cases = vec![closed("c1", "hx", 1), closed("c2", "jy", 2), closed("c3", "hx", 3), closed("c4", "jy", 3)];
    commit(&mut *store, &Batch { closed: cases, ..at(140) });
    let reader = place.reader();
    let names = |enterprises: Option<&[String]>, before: Option<i64>, limit: usize| -> Vec<String> {
        let found = reader.closed_cases(enterprises, before.map(Timestamp::from_secs), limit).expect("a question");
        found.into_iter().map(|closed| closed.case).collect()
    };
    assert_eq!(names(None, None, 10), ["c4", "c3", "c2", "c1"]);
    assert_eq!(names(None, None, 1), ["c4", "c3"], "those closed at one moment stay together");
    assert_eq!(names(None, Some(3), 1), ["c2"]);
    assert_eq!(names(Some(&["hx".to_owned()]), None, 10), ["c3", "c1"]);
    assert_eq!(names(Some(&[]), None, 10), Vec::<String>::new(), "who may see no enterprise sees no case");
    assert_eq!(reader.closed_case("c2").expect("a question"), Some(closed("c2", "jy", 2)));
    assert_eq!(reader.closed_case("c9").expect("a question"), None);
}

/// The first so many rows as a piece.
pub(crate) fn piece(reader: &dyn Reader, rows: usize) -> Piece {
    let oldest = reader.oldest(rows).expect("a reader");
    let (first, last) = (oldest.first().expect("a row"), oldest.last().expect("a row"));
    Piece { through: last.seq, hash: last.hash, rows: oldest.len() as u64, oldest: first.at, newest: last.at }
}

fn past_rows_go_once_announced(place: &dyn Place) {
    const DAY: i64 = 86_400;
    let start = STAMPS_FROM.0 / 1_000_000;
    let mut store = place.open();
    // The first row was written by a clock that nobody had set.
    store.commit(&Batch { entries: vec![entry(Some("unset"), "{}")], ..at(5) }).unwrap();
    for day in 0..4 {
        let now = Timestamp::from_secs(start + day * DAY);
        let mut batch = Batch { now, ..full(day) };
        batch.entries = vec![
            Entry { at: now, ..entry(Some(&format!("t{day}")), "{}") },
            Entry { at: now, kind: EntryKind::Act, ..entry(Some(&format!("act:act{day}")), "{}") },
        ];
        batch.outbox[0].at = now;
        batch.quarantine[0].at = now;
        batch.closed = vec![ClosedCase { case: format!("c{day}"), enterprise: "e".to_owned(), at: now, bytes: Vec::new() }];
        batch.outbox_updates = vec![OutboxUpdate { at: now, ..news(&format!("n{day}"), OutboxStatus::Delivered, 1, "", "") }];
        if day == 0 {
            // One that is still to be sent.
            batch.outbox_updates.clear();
        }
        store.commit(&batch).unwrap();
    }
    let (head, reader) = (store.load().unwrap().last_seq, place.reader());
    assert_eq!(reader.oldest(1).unwrap()[0].at, Timestamp::from_secs(start), "as old as the next one with a credible stamp");
    let piece = piece(&*reader, 5);
    assert_eq!((piece.through, piece.rows, piece.newest), (5, 5, Timestamp::from_secs(start + DAY)));

    store.cut(&piece);
    store.load().unwrap();
    assert!(store.health().uncut.is_some_and(|why| why.contains("announces")));
    assert_eq!(reader.oldest(1).unwrap()[0].seq, 1, "unannounced, it stays");

    let now = Timestamp::from_secs(start + 99 * DAY);
    let announcing = Batch { now, entries: vec![piece.announcement(now)], ..Batch::default() };
    store.commit(&announcing).unwrap();
    let other = Piece { rows: 4, ..piece };
    store.cut(&other);
    store.load().unwrap();
    assert!(store.health().uncut.is_some(), "only whole");
    store.cut(&piece);
    // Asked again it is gone already.
    store.cut(&piece);
    assert_eq!(store.load().unwrap().last_seq, head + 1);
    assert_eq!(store.health().uncut, None);
    assert_eq!(reader.oldest(100).unwrap().iter().map(|row| row.seq).collect::<Vec<_>>(), (6..=head + 1).collect::<Vec<_>>());
    assert_eq!(store.act_answer("act1").unwrap(), None, "with its row");
    assert!(store.act_answer("act2").unwrap().is_some());
    let closed: Vec<_> = reader.closed_cases(None, None, 10).unwrap().into_iter().map(|closed| closed.case).collect();
    assert_eq!(closed, ["c3", "c2", "c1"]);
    let sent: Vec<_> = reader.outbox(&OutboxFilter::default(), 10).unwrap().into_iter().map(|sent| sent.row.key).collect();
    assert_eq!(sent, ["n3", "n2", "n1", "n0"], "one that is still to be sent stays");
    drop(store);
    let mut store = place.open();
    store.commit(&full(99)).unwrap();
    assert_eq!(reader.entry("t1").unwrap(), None);
    assert!(reader.entry("t2").unwrap().is_some());
}
