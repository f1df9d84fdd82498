"""Publishing: what must hold before, what is pushed, and how it is taken down."""
