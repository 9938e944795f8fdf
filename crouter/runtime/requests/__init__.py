"""Requests of people about their data: received, acknowledged, answered in time, or refused with a reason."""
