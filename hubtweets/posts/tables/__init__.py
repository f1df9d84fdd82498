"""Tables of posts: JSON, JSON Lines, CSV, Parquet, Arrow, text, and datasets on the Hub."""
