"""Augmentation: changes of training inputs that do not ask the network."""
