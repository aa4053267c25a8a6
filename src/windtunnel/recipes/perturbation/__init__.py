"""Perturbation: training on inputs that are changed against the network."""
