"""Who may come in, as whom, and what they are told when they may not."""
