"""Where posts come from.

In: a source, which is a path or the name of an account at a service (`bluesky:alice.example`). Out: a Reading, the same for every place: one
Profile and the Posts. One module per place reads its format; nothing after this package knows which one it was.
"""
