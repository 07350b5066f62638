-- How the user arranges works: a star, and boards by name. A thumbnail is a marked file, kept because a gallery asks for it often.
CREATE TABLE stars (work TEXT PRIMARY KEY REFERENCES works (id) ON DELETE CASCADE) STRICT;
CREATE TABLE boards (
  work TEXT NOT NULL REFERENCES works (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (work, name)
) STRICT;
CREATE INDEX boards_by_name ON boards (name);
CREATE TABLE thumbnails (
  work TEXT PRIMARY KEY REFERENCES works (id) ON DELETE CASCADE,
  content BLOB NOT NULL
) STRICT;
