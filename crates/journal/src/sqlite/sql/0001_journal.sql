-- The journal: append-only, chained. Rows are never changed; a correction is a new row.
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY,
    stream  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    format  INTEGER NOT NULL,
    key     TEXT,
    subject TEXT,
    at      INTEGER NOT NULL,
    bytes   BLOB    NOT NULL,
    prev    BLOB    NOT NULL,
    hash    BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_key ON journal (key) WHERE key IS NOT NULL;
CREATE INDEX journal_subject ON journal (subject) WHERE subject IS NOT NULL;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal WHEN EXISTS (SELECT 1 FROM journal WHERE seq >= NEW.seq) BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

-- One row: where the journal and the engine's time are, and which batch came last.
CREATE TABLE meta (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    last_seq   INTEGER NOT NULL,
    head       BLOB    NOT NULL,
    last_now   INTEGER,
    batch      INTEGER NOT NULL,
    digest     BLOB    NOT NULL,
    first_seq  INTEGER NOT NULL,
    clean_stop INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, zeroblob(32), NULL, 0, x'', 1, 0);

-- Not chained from here on: it can be made again from the journal or is worth nothing as evidence.
CREATE TABLE state (key TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE soft  (key TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE timers (
    owner    TEXT    NOT NULL,
    position INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    PRIMARY KEY (owner, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL UNIQUE,
    subject  TEXT    NOT NULL,
    person   TEXT,
    at       INTEGER NOT NULL,
    bytes    BLOB    NOT NULL,
    status   TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    answer   TEXT    NOT NULL,
    words    TEXT    NOT NULL,
    updated  INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_subject ON outbox (subject);
CREATE INDEX outbox_person ON outbox (person);
CREATE INDEX outbox_open ON outbox (status) WHERE status IN ('waiting', 'retrying');

CREATE TABLE acts (id TEXT PRIMARY KEY, request BLOB NOT NULL, answer BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    position INTEGER PRIMARY KEY,
    source   TEXT    NOT NULL,
    topic    TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    length   INTEGER NOT NULL,
    bytes    BLOB    NOT NULL
) STRICT;
CREATE INDEX quarantine_source ON quarantine (source);
CREATE TABLE quarantine_totals (
    source   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (source, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE closed_cases (
    subject    TEXT PRIMARY KEY,
    enterprise TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    bytes      BLOB    NOT NULL
) STRICT;
CREATE INDEX closed_cases_at ON closed_cases (at);
