"""Selection: which epoch is kept."""
