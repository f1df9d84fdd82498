"""Fine-tuning: from documents of tokens to weights."""
