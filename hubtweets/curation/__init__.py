"""Which posts are kept and how they are split."""
