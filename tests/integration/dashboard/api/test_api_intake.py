"""Messages handed over by HTTP: once, by line, within bounds, one intake at a time."""

import gzip
import io
import zipfile

from sqlalchemy import Engine

from tests.support.apis import CSV, JSONL, Api, api_over, rows
from tests.support.promises import many, one
from tests.support.recorded import Traffic, answered_run
from tests.support.web import calling, dashboard
from tests.support.works import settings_for
from worker.sandbox.simulator.state import State
from worker.store.queue.run_intake import holding_intake


def test_messages_are_handed_over_once_however_often_they_are_sent(api: Api) -> None:
    # when
    keyed = JSONL | {"Idempotency-Key": "day-1"}
    first = api.post_run(rows("a", "b", "c"), keyed, source="desk", run="monday", budget_usd=2.5)
    again = api.post_run(rows("a", "b", "c"), keyed, source="desk", run="monday", budget_usd=2.5)
    more = api.post_run(rows("c", "d"), keyed, source="desk", run="monday")
    without_key = api.post_run(rows("a", "b"), JSONL, source="desk")
    # then
    assert (first.status_code, again.status_code, more.status_code) == (201, 200, 200)
    counts = [
        tuple(answer.json()[name] for name in ("run", "accepted", "rejected", "duplicates"))
        for answer in (first, again, more, without_key)
    ]
    assert counts == [
        ("monday", 3, 0, 0),
        ("monday", 0, 0, 3),
        ("monday", 1, 0, 1),
        (None, 0, 0, 2),
    ]
    assert without_key.json()["known_in"] == ["monday"]
    run = api.get("/api/runs/monday")
    assert (run["total"], run["duplicates"], run["budget_usd"]) == (4, 4, 2.5)
    assert [r["run"] for r in api.get("/api/runs")["runs"]] == ["monday"]
    events = many(api.engine, "SELECT target, affected FROM audit_events WHERE action = 'submit'")
    assert events == [("run monday", 3), ("run monday", 1)]


def test_a_run_that_came_by_the_api_keeps_its_forecast(api: Api, database_url: str) -> None:
    answered_run(api.engine, database_url, Traffic(messages=40), judged=False, name="before")
    api.post_run(rows("a", "b"), JSONL, run="monday")
    api.post_run(rows("d", "e"), JSONL, run="tuesday", dry_run=True)
    kept = "SELECT DISTINCT r.name FROM forecasts AS f JOIN runs AS r ON r.id = f.run_id"
    assert many(api.engine, kept) == [("monday",)]


def test_rows_that_cannot_be_taken_are_named_by_line(api: Api) -> None:
    # given
    table = b"external_id,body\na,Where is my card?\n,no id\nb,\nc,Please help\n"
    # when
    answer = api.post_run(table, CSV, lane="mixed", priority=7)
    nothing = api.post_run(b"external_id,body\n1,\n", CSV)
    # then
    document = answer.json()
    assert (answer.status_code, document["accepted"], document["rejected"]) == (201, 2, 2)
    assert [reject["line"] for reject in document["rejects"]] == [3, 4]
    made = api.get(f"/api/runs/{document['run']}")
    assert (made["priority"], made["lane"]) == (7, "mixed")
    assert nothing.status_code == 422, nothing.json()
    assert one(api.engine, "SELECT count(*) FROM runs")[0] == 1


BAD: list[tuple[bytes, dict[str, str], dict[str, str], int]] = [
    (b"", JSONL, {}, 400),
    (b"\xff\xfe\x00\x00x", JSONL, {}, 400),
    (b"no header", CSV, {}, 400),
    (rows("a"), {"Content-Type": "text/plain"}, {}, 415),
    (gzip.compress(rows("a")), JSONL | {"Content-Encoding": "gzip"}, {}, 415),
    (gzip.compress(rows("a")), JSONL, {}, 400),
    (rows("a"), JSONL, {"policy": "no-such"}, 400),
    (rows("a"), JSONL, {"deadline": "tomorrow"}, 400),
    (rows("a"), JSONL, {"deadline": "2001-01-01T00:00:00Z"}, 400),
    (rows("a"), JSONL, {"budget_usd": "nan"}, 400),
    (rows("a"), JSONL, {"budget_usd": "-1"}, 400),
    (rows("a"), JSONL, {"run": "a//b"}, 400),
    (rows("a"), JSONL, {"colour": "red"}, 400),
    (rows("a"), JSONL | {"Idempotency-Key": "k" * 201}, {}, 400),
]


def test_a_bad_handover_makes_nothing(api: Api) -> None:
    # when
    answers = [api.post_run(content, headers, **query) for content, headers, query, _ in BAD]
    # then
    assert [answer.status_code for answer in answers] == [status for *_, status in BAD]
    assert {a.headers["content-type"] for a in answers} == {"application/problem+json"}
    made = one(api.engine, "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM jobs)")
    assert made == (0, 0)


def test_a_handover_larger_than_allowed_is_refused(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = settings_for(database_url, simulator[1], dashboard={"upload_mb": 1})
    with dashboard(settings) as url, calling(url) as client:
        chunks = (rows(f"m{n}", body="x" * 90_000) + b"\n" for n in range(12))
        answer = client.post("/api/runs", content=chunks, headers=JSONL)
    assert answer.status_code == 413
    assert one(engine, "SELECT count(*) FROM messages")[0] == 0


def test_a_second_handover_into_a_run_under_way_waits_its_turn(api: Api) -> None:
    # given
    keyed = JSONL | {"Idempotency-Key": "k"}
    api.post_run(rows("a"), keyed)
    with holding_intake(api.engine, 1) as theirs:
        assert theirs
        # when
        busy = api.post_run(rows("b"), keyed)
    afterwards = api.post_run(rows("b"), keyed)
    # then
    assert (busy.status_code, afterwards.status_code) == (409, 200)
    assert int(busy.headers["Retry-After"]) > 0
    assert one(api.engine, "SELECT count(*), bool_or(accepting) FROM jobs, runs") == (2, False)


def test_what_is_packed_is_unpacked_within_bounds(engine: Engine, database_url: str) -> None:
    gzipped = {"Content-Type": "application/gzip"}
    archive, two = io.BytesIO(), io.BytesIO()
    for made, names in ((archive, ["a.csv"]), (two, ["a.csv", "b.csv"])):
        with zipfile.ZipFile(made, "w") as file:
            for name in names:
                file.writestr(name, f"external_id,body\n{name},Where is it?\n")
    settings = settings_for(database_url, "http://127.0.0.1:1", dashboard={"upload_mb": 1})
    with api_over(engine, settings) as api:
        zipped = {"Content-Type": "application/zip"}
        taken = [
            api.post_run(gzip.compress(rows("g")), gzipped, run="Packed / 1"),
            api.post_run(archive.getvalue(), zipped),
            api.post_run(two.getvalue(), zipped, member="b.csv"),
        ]
        refused = [
            api.post_run(two.getvalue(), zipped),
            api.post_run(gzip.compress(rows("h", body="x" * 1_000_000)), gzipped),
            api.post_run(gzip.compress(rows("h"))[:20], gzipped),
        ]
    assert [answer.status_code for answer in taken] == [201] * 3
    assert taken[0].headers["Location"] == "/api/runs/Packed%20/%201"
    assert [answer.status_code for answer in refused] == [400] * 3
    assert "expands to more than is allowed" in refused[1].json()["detail"]
    names = one(engine, "SELECT array_agg(external_id ORDER BY id) FROM messages")[0]
    assert names == ["g", "a.csv", "b.csv"]


HELPDESK = b"Ticket ID;Description;Created at\n1;Where is my lamp?;24.11.2026 08:15\n"
UNSURE = b"Foo,Bar\nm1,Where is my parcel please\nm2,Refund me the lamp please\n"


def test_the_same_is_found_out_as_by_the_command(api: Api) -> None:
    # when
    dry = api.post_run(HELPDESK, CSV, dry_run="true").json()
    answer = api.post_run(HELPDESK, CSV)
    # then
    document = answer.json()
    assert (answer.status_code, document["accepted"]) == (201, 1)
    assert (dry["run"], dry["accepted"]) == (None, 1)
    assert dry["read"] == document["read"] == [
        {
            "file": "the body",
            "kind": "csv",
            "delimiter": ";",
            "columns": {
                "external_id": "Ticket ID",
                "body": "Description",
                "received_at": "Created at",
            },
            "guessed": ["body", "external_id", "received_at"],
            "preset": None,
        }
    ]  # fmt: skip
    assert one(api.engine, "SELECT received_at::text FROM messages")[0] == "2026-11-24 08:15:00+00"


def test_a_refusal_says_what_helps(api: Api) -> None:
    refused = api.post_run(rows("a"), JSONL, policy="laddr")
    assert refused.status_code == 400
    assert "[policies]" in refused.json()["mend"]


def test_columns_are_said_by_a_parameter(api: Api) -> None:
    refused = api.post_run(UNSURE, CSV)
    said = api.post_run(UNSURE, CSV, map='{"external_id": "Foo", "body": "Bar"}', run="said")
    yes = api.post_run(UNSURE, CSV, yes="true", again="true")
    named = api.post_run(rows("a"), JSONL, map="zendesk")
    assert refused.status_code == 400
    assert 'map={"external_id": "Foo", "body": "Bar"}' in refused.json()["detail"]
    assert [said.json()["accepted"], yes.json()["accepted"]] == [2, 2]
    assert named.status_code == 201
    for wrong in ('{"bdy": "x"}', "{", '{"body": 7}', "[]", "no-such-map", '{"body": "a..b"}'):
        assert api.post_run(UNSURE, CSV, map=wrong).status_code == 400, wrong
