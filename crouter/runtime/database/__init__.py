"""PostgreSQL: connections that act as a declared role, and errors that carry nothing of a row."""
