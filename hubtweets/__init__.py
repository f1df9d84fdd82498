"""Fine-tunes a language model on a person's posts and publishes it on the Hugging Face Hub with a card that can be checked."""

__version__ = "0.1.0"
