-- One row: whether the last writer stopped in good order.
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), clean_stop INTEGER NOT NULL) STRICT;
INSERT INTO meta VALUES (1, 1);

-- Tags by the names they have outside, in groups that are sent together.
CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE tags (
    id         INTEGER PRIMARY KEY,
    enterprise TEXT    NOT NULL,
    tag        TEXT    NOT NULL,
    grp        INTEGER NOT NULL,
    UNIQUE (enterprise, tag)
) STRICT;

-- The newest readings, as they came: one row per group and write.
CREATE TABLE tail (
    id          INTEGER PRIMARY KEY,
    grp         INTEGER NOT NULL,
    readings    INTEGER NOT NULL,
    first_taken INTEGER NOT NULL,
    last_taken  INTEGER NOT NULL,
    crc         INTEGER NOT NULL,
    bytes       BLOB    NOT NULL
) STRICT;
CREATE INDEX tail_grp ON tail (grp);

-- A stretch of time of a group. `readings` is what its longest chunk holds.
CREATE TABLE segments (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    grp         INTEGER NOT NULL,
    level       INTEGER NOT NULL,
    readings    INTEGER NOT NULL,
    first_taken INTEGER NOT NULL,
    last_taken  INTEGER NOT NULL
) STRICT;
CREATE INDEX segments_grp ON segments (grp);
CREATE INDEX segments_last_taken ON segments (last_taken);

-- One tag's readings in a segment: what is known of them, and where the three pieces are.
CREATE TABLE chunks (
    tag          INTEGER NOT NULL,
    segment      INTEGER NOT NULL,
    first_taken  INTEGER NOT NULL,
    last_taken   INTEGER NOT NULL,
    first_source INTEGER NOT NULL,
    last_source  INTEGER NOT NULL,
    summary      BLOB    NOT NULL,
    times        INTEGER NOT NULL,
    arrivals     INTEGER NOT NULL,
    own          INTEGER NOT NULL,
    PRIMARY KEY (tag, segment)
) STRICT, WITHOUT ROWID;
CREATE INDEX chunks_segment ON chunks (segment);

-- Ids are never used twice, so a decoded piece may be remembered by its id.
CREATE TABLE pieces (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    segment INTEGER NOT NULL,
    crc     INTEGER NOT NULL,
    bytes   BLOB    NOT NULL
) STRICT;
CREATE INDEX pieces_segment ON pieces (segment);

-- Spans of which readings are missing, in the engine's time.
CREATE TABLE gaps (
    id       INTEGER PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    lost     INTEGER,
    why      TEXT    NOT NULL
) STRICT;
CREATE INDEX gaps_last_at ON gaps (last_at);
