-- How long jobs of a kind usually take is asked whenever one is taken.
CREATE INDEX jobs_kind ON jobs (kind, state, finished);
