"""Sources of data: each loads images with labels, stable ids, checked splits and a fingerprint."""
