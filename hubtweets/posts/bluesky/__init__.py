"""Bluesky: repository exports (CAR) and the public API."""
