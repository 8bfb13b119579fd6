"""The only writers of SQL. Postgres is the queue of record: every promise is kept here.

Life of a job: `intake` accepts it, `dispatch` publishes its id, `claim` takes a lease and reserves
the worst case, `record` writes what happened, `rescue` gives back what a dead worker held.
"""
