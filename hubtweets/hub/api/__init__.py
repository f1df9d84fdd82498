"""The HTTP API that clients of the Hub use."""
