"""Checks every claim of a published bot."""
