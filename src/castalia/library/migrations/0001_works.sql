-- Works with everything that export and remake need. Texts are JSON so that a value's own schema stays in one place.
CREATE TABLE works (
  id TEXT PRIMARY KEY,
  genre TEXT NOT NULL,
  language TEXT NOT NULL,
  created TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  tries INTEGER NOT NULL,
  rating INTEGER CHECK (rating BETWEEN 1 AND 5),
  brief TEXT NOT NULL,
  content TEXT NOT NULL,
  findings TEXT NOT NULL,
  evidence TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX works_by_time ON works (created DESC, id);
CREATE INDEX works_by_fingerprint ON works (fingerprint);

CREATE TABLE lineage (
  child TEXT NOT NULL REFERENCES works (id) ON DELETE CASCADE,
  parent TEXT NOT NULL,
  PRIMARY KEY (child, parent)
) STRICT;
CREATE INDEX lineage_by_parent ON lineage (parent);

CREATE TABLE ratings (
  work TEXT NOT NULL REFERENCES works (id) ON DELETE CASCADE,
  rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
  at TEXT NOT NULL
) STRICT;

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- Trigrams find any three characters in a row, in scripts without spaces too.
CREATE VIRTUAL TABLE words USING fts5 (id UNINDEXED, body, tokenize = 'trigram');
