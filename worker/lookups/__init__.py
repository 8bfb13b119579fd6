"""Look-ups: facts about the customers of a chunk of messages, asked for before the model is."""
