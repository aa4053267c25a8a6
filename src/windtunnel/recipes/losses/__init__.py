"""Losses: what is minimised on the labels."""
