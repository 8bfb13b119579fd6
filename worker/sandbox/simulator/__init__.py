"""A simulator of Claude's API, wire-compatible with the SDK, deterministic from seed and text.

It knows nothing of Rung's tables and Rung nothing of it: they meet over HTTP. Every answer carries
the header `x-rung-simulated: true`, and every text that it makes up says that it is simulated.
"""
