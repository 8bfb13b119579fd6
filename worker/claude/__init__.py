"""The only door to `anthropic`: requests, prices, prompts, and what its errors mean.

Third-party errors are translated here, once; everything behind this door deals in values.
"""
