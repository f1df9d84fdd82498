"""The HTTP API that the Hub's clients call."""
