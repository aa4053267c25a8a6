"""windtunnel: which way of fine-tuning a pre-trained model leaves it most robust, and can you trust the number?"""
