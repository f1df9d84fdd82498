"""The model card: its text, metadata and pictures, and how it is merged with the owner's."""
