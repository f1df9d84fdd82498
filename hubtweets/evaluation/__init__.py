"""What a model learnt: scores, samples, and copies of training posts."""
