"""Language: WordNet, stop words, the package textattack and what else threats to texts and augmentations of texts both read."""
