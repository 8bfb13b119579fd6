"""Each condition of the statements that find filters in which somebody is named."""

import datetime as dt

import pytest

from tests.support.near_misses import Rows
from worker.store.actions import named_in_filters as named

HOURS = "now() - interval '{} hours'"
WORDS = {"c": "customer = c-1", "s": "subject contains x", "i": "external_id = 7",
         "m": "metadata.order = 5"}  # fmt: skip
NAMES_NOBODY = "customers = 1 and state = dead"


@pytest.fixture
def times(rows: Rows) -> dict[str, dt.datetime]:
    """Between the third hour and the first."""
    since, until = (rows.firsts(f"SELECT {HOURS.format(n)}")[0] for n in (3, 1))
    return {"since": since, "until": until}


def test_what_messages_say_and_when_they_came(rows: Rows) -> None:
    # given
    ids = [rows.message(created_at=HOURS.format(hours)) for hours in (1, 2, 5)]
    # then
    found = rows.connection.execute(named.NAMES, {"ids": ids[:2]}).mappings()
    assert sorted(row["external_id"] for row in found) == ["m1", "m2"]
    ((since, until),) = rows.all(named.SPAN, ids=ids[:2], age=dt.timedelta(hours=4))
    assert rows.all("SELECT now() - CAST(:since AS timestamptz),"
                    " now() - CAST(:until AS timestamptz)", since=since, until=until) == [
        (dt.timedelta(hours=2), dt.timedelta(hours=4))]  # fmt: skip


def test_deeds_that_name_somebody_are_changed(rows: Rows, times: dict[str, dt.datetime]) -> None:
    # given
    rows.forget("audit_events")
    said = {"actor": "ada", "action": "cancel", "affected": 1}

    def event(target: str, where: str | None, hours: float = 2) -> int:
        detail = '{"by": 1}' if where is None else f'{{"by": 1, "where": "{where}"}}'
        at = HOURS.format(hours)
        return rows.insert("audit_events", "id", **said, target=target, detail=detail, at=at)

    by_target = [event(words, None) for words in WORDS.values()]
    by_where = [event("run", words) for words in WORDS.values()]
    event("run", NAMES_NOBODY), event(NAMES_NOBODY, None)
    old, new = event("run", WORDS["c"], 4), event("run", WORDS["c"], 0.5)
    # then
    assert rows.firsts(named.FILTERS, **times) == [*by_target, *by_where]
    assert rows.firsts(named.FILTERS, **times | {"until": None}) == [*by_target, *by_where, new]
    told = {row[0]: (row[1], row[2]) for row in rows.all(named.FILTERS, **times)}
    assert told[by_where[0]] == ("run", WORDS["c"])
    # when
    rows.all(named.CHANGE, id=by_target[0], target="nobody", where=None)
    rows.all(named.CHANGE, id=by_where[0], target="run", where="nobody")
    # then
    kept = {
        row[0]: (row[1], row[2]) for row in rows.all("SELECT id, target, detail FROM audit_events")
    }
    assert kept[by_target[0]] == ("nobody", {"by": 1})
    assert kept[by_where[0]] == ("run", {"by": 1, "where": "nobody"})
    assert kept[old] == ("run", {"by": 1, "where": WORDS["c"]})


def test_runs_and_nights_that_name_somebody_are_changed(
    rows: Rows, times: dict[str, dt.datetime]
) -> None:
    # given
    made = dict[str, int]()
    for name, words, hours in ((*((k, w, 2) for k, w in WORDS.items()),
                                ("nobody", NAMES_NOBODY, 2), ("old", WORDS["c"], 4),
                                ("new", WORDS["c"], 0.5))):  # fmt: skip
        chosen = f'{{"where": "{words}", "by": 1}}'
        at = HOURS.format(hours)
        made[name] = run = rows.run(selection=chosen, created_at=at)
        for night, of in (("2026-01-01", run), ("2026-01-02", None)):
            rows.insert("firings", None, name=name, night=night, due_at=at, fired_at=at, run_id=of,
                        state="made", by="clock", selection=chosen)  # fmt: skip
    mine = [made[name] for name in WORDS]
    # then
    for find in (named.OF_RUNS, named.OF_NIGHTS):
        assert rows.firsts(find, **times) == mine
        assert rows.firsts(find, **times | {"until": None}) == [*mine, made["new"]]
        told = {row[0]: row[2] for row in rows.all(find, **times)}
        assert told == dict(zip(mine, WORDS.values(), strict=True))
    # when
    rows.all(named.CHANGE_RUN, id=mine[0], where="nobody")
    rows.all(named.CHANGE_NIGHT, id=mine[1], where="nobody")
    # then
    changed = {"where": "nobody", "by": 1}
    for words, run in (("SELECT id, selection FROM runs", mine[0]),
                       ("SELECT run_id, selection FROM firings", mine[1])):  # fmt: skip
        told = [row[0] for row in rows.all(words) if row[1] == changed]
        assert told == [run]


def test_runs_that_are_called_after_somebody(rows: Rows) -> None:
    rows.run(name="c-77"), rows.run(name="night of C-77!"), rows.run(name="other", key="x c-77")
    rows.run(name="c-778", key="k")
    found = [row[0] for row in rows.all(named.NAMED, identity="c-77")]
    assert found == ["c-77", "night of C-77!", "other"]
