"""Language: WordNet, stop words and the package textattack.

Threats to texts and augmentations of texts both read them; those are siblings, which may not import each other, so that this lies below both.
"""
