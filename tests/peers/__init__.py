"""Test suites of other projects, run against the embedded Hub on demand."""
