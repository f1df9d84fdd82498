"""Repos, commits and file contents, as plain files on disk."""
