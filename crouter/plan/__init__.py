"""Names and values that several outputs share, decided once from a checked policy. Does no I/O, draws nothing."""
