"""One threat, one recipe and one model family for windtunnel."""
