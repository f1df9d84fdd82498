"""Every HfApi call about repos, against the embedded Hub.

    python -m tests.hub_client model|dataset|space

In: HF_ENDPOINT, HF_TOKEN (it may write), READ_TOKEN, and HF_HUB_DISABLE_XET as the test sets it.
Each chapter has a repo of its own and compares whole answers; if one fails, the next still runs.
Nothing may leave this machine.
"""
