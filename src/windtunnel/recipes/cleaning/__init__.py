"""Cleaning: what is done about bad training samples before they are trained on."""
