"""Attacks of torchattacks, run with draws keyed by sample."""
