"""The roles of the database. Two are ours; the others are those of Supabase."""

SERVICE = "crouter_service"
"""Serves requests: reads, adds, and changes what has a life of its own. Never removes."""
RETENTION = "crouter_retention"
"""Removes what has reached its end, and writes the evidence of it."""
OWN = (SERVICE, RETENTION)

AUTHENTICATED = "authenticated"
"""A signed-in person, through Supabase's API: reads rows of its own."""
ANONYMOUS = "anon"
"""Anybody, through Supabase's API: nothing."""
SUPABASE_SERVICE = "service_role"
"""Supabase's own back-end role, which passes over row-level security: nothing of ours is granted to it."""
