"""What pages are made of: negotiation, headers, cookies, templates. No HTTP server here."""
