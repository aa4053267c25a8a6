"""Black-box attacks: they see answers only, and are counted by queries."""
