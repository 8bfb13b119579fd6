"""How the schema came to be: Alembic's revisions, and the environment that runs them."""
