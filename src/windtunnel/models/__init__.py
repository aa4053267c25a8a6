"""Where pre-trained networks come from; one class per family of MODELS, none of which imports torch before it loads."""
