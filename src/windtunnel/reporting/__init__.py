"""Reporting: leaderboard, page, gate and publication, all of them computed from a run's records and nothing else.

Nothing here imports torch, pandas or scipy: a report of a finished run must appear at once.
"""
