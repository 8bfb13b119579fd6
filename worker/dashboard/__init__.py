"""What the ops team sees and can do: pages for people, JSON for programs, metrics for Prometheus.

Server-rendered, with one stream of server-sent events that all viewers of a page share. Reads
counters and small indexes only: no screen costs more with the size of the tables.
"""
