"""What a filter chooses in Postgres is what it means in plain Python, on random jobs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Select, select, text
from sqlalchemy.dialects import postgresql

from models.jobs import Job
from tests.support.filter_rows import Spec, holds, specs, store
from tests.support.filter_trees import trees
from worker.domain.filter_parsing import parse
from worker.domain.filters import Node
from worker.store.filter_sql import JOINED, condition, joined_for


def jobs_where(node: Node) -> Select[int]:
    return select(Job.id).select_from(JOINED).where(condition(node))


def alone_where(node: Node) -> Select[int]:
    """With no more beside the jobs than the filter looks at."""
    wanted = condition(node)
    return select(Job.id).select_from(joined_for(wanted)).where(wanted)


def test_postgres_and_python_choose_the_same_jobs(engine: Engine) -> None:
    chosen, left = list[int](), list[int]()

    @settings(max_examples=60, deadline=None)
    @given(
        rows=st.lists(specs, min_size=1, max_size=5), nodes=st.lists(trees, min_size=4, max_size=8)
    )
    def each(rows: list[Spec], nodes: list[Node]) -> None:
        for found in _chosen(engine, rows, nodes):
            chosen.append(found)
            left.append(len(rows) - found)

    each()
    # A filter that chooses nothing, or everything, tells little: many do neither.
    assert min(sum(chosen), sum(left)) > 50


def _chosen(engine: Engine, rows: list[Spec], nodes: list[Node]) -> list[int]:
    """How many of these jobs each filter chooses, which are the same ones in both."""
    found = list[int]()
    with engine.connect() as connection, connection.begin() as transaction:
        # given
        for row in rows:
            row.number.clear()
        store(connection, rows)
        for node in nodes:
            # when
            chosen = set(connection.execute(jobs_where(node)).scalars())
            alone = set(connection.execute(alone_where(node)).scalars())
            # then
            assert chosen == alone == {row.number[0] for row in rows if holds(node, row)}
            found.append(len(chosen))
        transaction.rollback()
    return found


def test_no_text_of_the_users_is_in_the_statement(engine: Engine) -> None:
    # given
    bad = "x'; DROP TABLE jobs; --"
    node = parse(
        f'reason = \'{bad.replace(chr(39), chr(39) * 2)}\' or metadata."{bad}" contains "{bad}"'
        f' or run in ("{bad}", b) or finding = "{bad}"'
    )
    # when
    statement = jobs_where(node)
    shown = str(statement.compile(engine))
    # then
    assert "DROP" not in shown
    with engine.connect() as connection:
        assert list(connection.execute(statement)) == []
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 0


def test_what_a_filter_does_not_look_at_is_not_read() -> None:
    joined = {where: str(joined_for(condition(parse(where)))) for where in ALONE}
    beside = {
        where: {table for table in ("messages", "results") if f"JOIN {table}" in found}
        for where, found in joined.items()
    }
    assert beside == ALONE


ALONE = {
    "state = dead and attempts > 1": set[str](),
    "reason contains lost or policy = ladder": set[str](),
    "not (channel = chat)": {"messages"},
    "metadata.region = north": {"messages"},
    "tier = haiku": {"results"},
    "knowledge = changed": {"results"},
    "confidence < 0.5 and subject contains card": {"messages", "results"},
}


@pytest.mark.parametrize(
    "where",
    [
        "reason contains lost",
        "climbed = haiku",
        "finding = schema",
        "prompt = abc",
        "knowledge = changed",
        "reason = lost or climbed = haiku",
    ],
)
def test_what_belongs_to_a_job_is_looked_up_for_it(engine: Engine, where: str) -> None:
    """And not hashed, a whole table of it, for one page of jobs."""
    wanted = jobs_where(parse(where)).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN {wanted}").scalars().all()
    assert [line for line in plan if "SubPlan" in line or "EXISTS" in line]
    assert [line for line in plan if "hashed" in line or "Semi" in line] == []
