-- What an account may have; null: as much as there is room for.
ALTER TABLE accounts ADD COLUMN most_works INTEGER;
ALTER TABLE accounts ADD COLUMN most_bytes BIGINT;
ALTER TABLE accounts ADD COLUMN most_jobs INTEGER;
-- Jobs that were begun, by day since 1970 (UTC): rows of jobs can be removed, and one job can be tried again.
CREATE TABLE days (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (account, day)
);
