"""The embedded Hub: a server on loopback that the unmodified huggingface_hub client can use.

storage keeps repos as plain files; xet takes in what the client's Xet half uploads; server speaks the protocol; pages shows the repos to a
person; local starts it all.
"""
