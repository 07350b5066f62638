-- Accounts, ways in, jobs and the audit log. Nothing that a user wrote stands here in the clear. Times are Unix seconds.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    admin INTEGER NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    created DOUBLE PRECISION NOT NULL
);
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, -- session, key
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the token
    sealed BLOB NOT NULL, -- the vault's key, wrapped by the token
    scopes TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL,
    expires DOUBLE PRECISION, -- null: never
    used DOUBLE PRECISION
);
CREATE INDEX tokens_account ON tokens (account);
CREATE TABLE invitations (
    digest BLOB PRIMARY KEY, -- SHA-256 of the code
    created DOUBLE PRECISION NOT NULL,
    expires DOUBLE PRECISION NOT NULL
);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, -- what is made: a genre's name, or what the worker calls it
    live INTEGER NOT NULL, -- somebody waits on an open connection, and it ends with that
    state TEXT NOT NULL, -- waiting, running, done, refused, failed, cancelled
    attempts INTEGER NOT NULL DEFAULT 0,
    created DOUBLE PRECISION NOT NULL,
    started DOUBLE PRECISION,
    finished DOUBLE PRECISION,
    asked BLOB NOT NULL, -- sealed by the owner's vault
    outcome BLOB -- likewise
);
CREATE INDEX jobs_state ON jobs (state, account);
CREATE INDEX jobs_account ON jobs (account, created);
CREATE TABLE audit (
    at DOUBLE PRECISION NOT NULL,
    account TEXT, -- null: nobody who is known
    event TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX audit_event ON audit (event, at);
