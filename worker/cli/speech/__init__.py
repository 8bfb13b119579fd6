"""How the commands speak: data on stdout, talk on stderr, names completed, amounts read."""
