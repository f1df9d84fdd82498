"""What the Hub keeps on disk."""
