"""Models: loaded, saved, adapted, and found out about."""
