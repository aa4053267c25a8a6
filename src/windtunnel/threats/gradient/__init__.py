"""Gradient attacks: steps along the gradient of a loss, inside a norm ball."""
