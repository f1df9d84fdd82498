"""The record of a run: the narrow waist between the stages that make a bot and everything that shows it."""
