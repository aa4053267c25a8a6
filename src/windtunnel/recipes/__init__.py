"""Recipes: ways to fine-tune, one module for each published method."""
