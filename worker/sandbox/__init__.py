"""What pretends: embedded Postgres and Redis, the Claude simulator, the demo.

Imported by `worker.cli` only; production needs none of it. Whatever the simulator says is marked
as simulated, in every answer and in the database.
"""
