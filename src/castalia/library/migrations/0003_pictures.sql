-- Pictures of works and of their briefs, apart from the JSON that names them, so that a list of works reads none.
CREATE TABLE pictures (
  work TEXT NOT NULL REFERENCES works (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  png BLOB NOT NULL,
  PRIMARY KEY (work, name)
) STRICT;
