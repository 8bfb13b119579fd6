"""Three messages through each cloud's door to the end: claimed, asked, refused once, priced."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tests.integration.claude.test_doors import BEDROCK, Sim
from tests.integration.lanes.realtime.test_quoting_errors import PLANTED, tables_with
from tests.support.checker import Checker, ledger_against
from tests.support.promises import many, one
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import default_tiers

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(3)]
VERTEX = "claude-haiku-5-5@default"
CLOUDS = {
    "bedrock": (BEDROCK, "429 ThrottlingException", ("1.1", "5.5")),
    "vertex": (VERTEX, "429 RESOURCE_EXHAUSTED", ("1.2", "6")),
}
"""A model's name there, how the door throttles, and dollars per million tokens in and out, with
what a region adds."""
NAMED = "SELECT bool_and(model = :model AND request_id <> '') FROM calls"
PRICED = """
SELECT c.cost, (c.input_tokens * :input + c.cache_read_tokens * :input * 0.1
  + c.cache_write_5m_tokens * :input * 1.25 + c.cache_write_1h_tokens * :input * 2
  + c.output_tokens * :output) / 1000000 AS due
FROM calls AS c WHERE c.state = 'done'
"""


@pytest.mark.usefixtures("aws", "google")
@pytest.mark.parametrize("via", CLOUDS)
def test_three_messages_by_a_cloud(
    engine: Engine, database_url: str, simulator: Sim, via: str
) -> None:
    # given a cloud that throttles the first answer
    model, label, (dear_in, dear_out) = CLOUDS[via]
    state, url = simulator
    tight = {"status": 429, "message": f"Quota of {PLANTED}"}
    state.moods.replace([{"match": {"purpose": "answer", "first": 1}, "do": tight}])
    tier = default_tiers()["haiku"].model_copy(
        update={"model": model, "rpm": None, "itpm": None, "otpm": None}
    )
    settings = settings_for(
        database_url,
        f"{url}/v1" if via == "vertex" else url,
        anthropic_api_key=None,
        claude={"via": via, "region": "europe-west1", "project": "acme"},
        tiers={"haiku": tier},
        prices={model: {"input": dear_in, "output": dear_out}},
        policy={"preset": "single:haiku"},
    )
    # when
    hand_in(engine, settings, BODIES, name="day")
    with working(settings) as runtime:
        drain(runtime)
        make_due(engine)
        drain(runtime)
    # then: all came to their end, and what the door refused cost nothing
    assert one(engine, "SELECT array_agg(DISTINCT state) FROM jobs")[0] == ["answered"]
    refused = many(engine, "SELECT http_status, error, cost FROM calls WHERE state = 'failed'")
    assert [(r.http_status, r.error.partition(":")[0], r.cost) for r in refused] == [
        (429, label, 0)
    ]
    (put_off,) = many(engine, "SELECT reasons FROM attempts WHERE outcome = 'deferred'")
    assert put_off.reasons == [label.partition(" ")[2]]
    assert tables_with(engine, f"%{PLANTED}%") == {"calls"}
    # and the ledger has the requests of the door, at its price
    sent = sum(n for path, n in state.counts.by_path.items() if path != "/v1/messages")
    assert one(engine, "SELECT count(*) FROM calls")[0] == sent == state.counts.total
    with engine.connect() as connection:
        assert ledger_against(connection, state.counts.by_call) == []
    priced = many(engine, PRICED, input=Decimal(dear_in), output=Decimal(dear_out))
    assert [row.cost for row in priced] == [row.due for row in priced]
    assert one(engine, NAMED, model=model)[0]
    with engine.connect() as connection:
        assert Checker(ladder=["haiku"]).at_rest(connection) == []
