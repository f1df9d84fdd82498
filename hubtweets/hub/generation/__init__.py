"""Text generation with published models, which are untrusted, in processes of their own."""
