"""The record of a run: what the stages write and everything that shows a bot reads."""
