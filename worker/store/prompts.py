"""The text behind every prompt version that was ever in force."""

from sqlalchemy import Connection, text

from models.vocabulary import Purpose


def store_prompt(connection: Connection, version: str, purpose: Purpose, words: str) -> None:
    """Keeps a prompt; one that is known already stays as it is."""
    values = {"version": version, "purpose": purpose, "text": words}
    connection.execute(INSERT, values)


INSERT = text("""
INSERT INTO prompts (version, purpose, text) VALUES (:version, :purpose, :text)
ON CONFLICT (version) DO NOTHING
""")
