"""Work that no request waits for: once however many nodes there are, watched, and one job apart from the other."""
