"""Every call of HfApi that is about repos, asked of the embedded Hub: `python -m tests.hub_client model|dataset|space`.

In: HF_ENDPOINT, HF_TOKEN (it may write), READ_TOKEN, and HF_HUB_DISABLE_XET as the test wants it. Each chapter has a repo of its own and compares
whole answers; one that fails does not keep the next from running. Nothing may leave this machine.
"""
