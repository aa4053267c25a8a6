"""Scopes: which parameters move."""
