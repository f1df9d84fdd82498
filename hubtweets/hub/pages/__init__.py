"""The pages of the embedded Hub for a browser."""
