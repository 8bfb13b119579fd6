"""Prompts with pages are stored, whatever becomes of the transaction that stored them first."""

from sqlalchemy import Engine

from models.vocabulary import Purpose
from tests.support.promises import do, one
from worker.domain.prompts import Prompt
from worker.store.prompts import KeptPrompts

MADE = Prompt(purpose=Purpose.ANSWER, text="Answer by these pages.", version="abc123abc123")
STORED = "SELECT count(*) FROM prompts WHERE version = 'abc123abc123'"


def test_what_was_rolled_back_is_stored_again(engine: Engine) -> None:
    kept = KeptPrompts()
    with engine.connect() as connection:
        kept.keep(connection, MADE)
        connection.rollback()
    with engine.begin() as connection:
        kept.keep(connection, MADE)
    assert one(engine, STORED)[0] == 1


def test_what_was_read_again_is_not_asked_about_any_more(engine: Engine) -> None:
    kept = KeptPrompts()
    for _ in range(2):
        with engine.begin() as connection:
            kept.keep(connection, MADE)
    do(engine, "DELETE FROM prompts WHERE version = 'abc123abc123'")
    with engine.begin() as connection:
        kept.keep(connection, MADE)
    assert one(engine, STORED)[0] == 0
