"""The nouns of windtunnel; no file, no network, and no torch until something is computed."""
