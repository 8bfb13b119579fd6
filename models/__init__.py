"""What is stored: SQLAlchemy models, one aggregate a file, and the shared vocabulary.

Imports nothing of `worker`. The schema in force is what `migrations/` builds; a test holds the two
together. `models.tables` imports all of them; this package imports nothing, so that whoever needs
only the vocabulary does not wait for an ORM.
"""
