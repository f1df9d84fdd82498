"""The embedded Hub: a server on loopback that the unmodified huggingface_hub client can use.

storage keeps repos as plain files; xet takes in what the client's Xet half uploads; requests tells who asks; reading and writing answer the
client, pages a person; server routes; local starts it all.
"""
