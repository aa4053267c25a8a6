"""Conditions: ways in which training data may be bad."""
