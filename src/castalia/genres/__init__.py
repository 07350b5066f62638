"""One file a genre: the fields of its brief, its plan, its rules, its faces."""
