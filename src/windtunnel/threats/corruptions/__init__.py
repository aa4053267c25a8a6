"""Common corruptions: image degradations that nobody aimed at the victim, in five published severities."""
