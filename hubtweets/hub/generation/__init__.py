"""Texts from models of unknown origin, in processes of their own."""
