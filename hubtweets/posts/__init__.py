"""The sources of posts.

In: a source, which is a path or the name of an account at a service (`bluesky:alice.example`).
Out: a Reading, the same for every source: one Profile and the Posts. Each source has one module
that reads its format (see `source_kinds`); no other package knows the format.
"""
