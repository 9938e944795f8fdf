"""Credit leased to this process: reserving a request's most possible cost without asking the database each time."""
