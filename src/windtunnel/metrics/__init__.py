"""Metrics turn outcomes into Estimates; with the intervals and paired tests that say how far to trust them."""
