-- Marked files that left the studio, of its own works and of others'. The bytes are with the user.
CREATE TABLE files (
  sha256 TEXT PRIMARY KEY,
  work TEXT NOT NULL,
  payload TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  name TEXT NOT NULL,
  face TEXT NOT NULL,
  label TEXT NOT NULL,
  made TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX files_by_work ON files (work);
CREATE INDEX files_by_time ON files (made DESC);
CREATE INDEX files_by_payload ON files (payload, made);
CREATE INDEX files_by_fingerprint ON files (fingerprint, made);
