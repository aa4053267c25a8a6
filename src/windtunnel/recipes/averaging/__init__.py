"""Averaging: averages of weights along the way of a training, and over several."""
