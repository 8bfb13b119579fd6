"""The command `rung`: what people type, and the sentences that they read."""
