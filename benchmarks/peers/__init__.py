"""What else one would use for this: the same messages, the same simulator, one after another."""
