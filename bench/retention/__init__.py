"""How long a backlog of usage and charges takes to expire, and how much log PostgreSQL writes for it."""
