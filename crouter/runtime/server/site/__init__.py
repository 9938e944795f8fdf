"""The web site beside the API: pages and forms of people who are signed in, and what everybody may see of it."""
