"""The stages of a bot, in order: curate, train, evaluate, sample, render, push.

Each takes the RunFolder, does its work unless nothing changed since the last time, and adds its
section to the record. Heavy libraries are imported by the stage that needs them.
"""
