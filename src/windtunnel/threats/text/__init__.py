"""Threats to texts: attacks that ask the victim, and blind perturbations."""
