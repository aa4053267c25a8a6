"""Ways to change inputs: attacks that query the victim, corruptions and shifts that do not."""
