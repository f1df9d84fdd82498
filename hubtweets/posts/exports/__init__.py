"""Exports of Threads, Instagram, Reddit, Telegram and Misskey."""
