"""Mastodon: account archives and the API."""
