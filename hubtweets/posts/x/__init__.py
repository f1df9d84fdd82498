"""X: account archives, saved API answers and the API."""
