"""Who signs in, and for how long: providers, sessions, and what a browser holds of them. No HTTP server here."""
