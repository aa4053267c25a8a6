"""Regularisation: what holds the network back."""
