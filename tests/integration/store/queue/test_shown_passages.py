"""What a claim knows before it asks: passages that were read before, and messages of a chunk."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from tests.support.promises import do, many
from tests.support.works import hand_in, settings_for
from worker.domain.claimed import Candidate, Prepared, Unready
from worker.domain.context import NO_CONTEXT
from worker.domain.pages import SourcePage
from worker.store.knowledge import sync_folder
from worker.store.passages import Query, find_passages
from worker.store.policies import PolicyCache
from worker.store.queue import knowledge
from worker.store.queue.claim import Claims
from worker.store.queue.knowledge_ways import KnowledgeWays
from worker.store.queue.ranked import rank_passages
from worker.store.queue.shown_passages import ShownPassages
from worker.store.queue.wanting import wanting

PAGE = SourcePage(
    name="returns", path="returns.md", title="Returns", language="en",
    markdown="# Returns\n\nParcels are returned within 30 days.\n\n## Damaged\n\nSend a photo.",
)  # fmt: skip
SAID = ("a damaged parcel", "a photo of my parcel", "nothing of the kind")


class Asked:
    """Finds for the messages of a run, and says of each time what was shown and how many statements
    it took."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.shown, self.statements = engine, ShownPassages(), 0
        run = hand_in(engine, settings_for("", ""), list(SAID), language="en")
        self.folders = {run.id: ("ours",)}
        self.jobs = [row.id for row in many(engine, "SELECT id FROM jobs ORDER BY id")]
        event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self.statements += 1

    def __call__(self) -> tuple[list[list[str]], int]:
        before = self.statements
        with self.engine.connect() as connection:
            best = rank_passages(connection, self.jobs, self.folders, 5)
            found = self.shown.named(connection, best, {"ours"})
        shown = [[one.text for one in found[job]] for job in self.jobs]
        return shown, self.statements - before


def test_passages_are_read_once_and_anew_when_they_changed(engine: Engine) -> None:
    # given
    sync_folder(engine, "ours", [PAGE])
    sync_folder(engine, "theirs", [replace(PAGE, name="theirs")])
    asked = Asked(engine)
    queries = [
        Query(key=key, text=said, folders=("ours",), language="en") for key, said in enumerate(SAID)
    ]
    with engine.connect() as connection:
        full = find_passages(connection, queries, 5)
    # when
    (first, read), (again, unread) = asked(), asked()
    # then
    assert first == again == [[one.text for one in full[key]] for key in range(len(SAID))]
    assert (read, unread, first[2]) == (2, 1, [])
    # a page that changed is another
    sync_folder(engine, "ours", [replace(PAGE, markdown=PAGE.markdown.replace("30", "31"))])
    changed, read = asked()
    assert ("31 days" in str(changed), "30 days" in str(changed), read) == (True, False, 2)
    # of other folders nothing is read
    assert not any(one.id.startswith("theirs") for one in asked.shown._kept.values())
    # and however little is kept, everything is shown
    asked.shown.MAX_KEPT = 0
    assert asked() == (changed, 2)
    asked.shown.AT_ONCE = 0
    assert asked() == (changed, 3), "what was not among those that are read at once is read alone"


def test_messages_are_read_of_runs_that_have_somebody_asked(engine: Engine) -> None:
    # given
    settings = settings_for(
        "", "", policies={"asks": {"context": {"lookups": ["orders"]}}}, lookups={"orders": {
            "url": "https://shop.example/{customer_id}", "hosts": ["shop.example"]}},
    )  # fmt: skip
    hand_in(engine, settings, ["one", "two", "three"], name="asks", policy="asks")
    hand_in(engine, settings, ["four"], name="plain")
    do(engine, "UPDATE messages SET erased_at = now() WHERE body = 'two'")
    with engine.connect() as connection:
        jobs = connection.execute(text("SELECT id FROM jobs ORDER BY id")).scalars().all()
        policies = PolicyCache()
        begun = policies.known
        # when: by a process that knows none of the runs, and by one that does
        cold, warm = (wanting(connection, policies, jobs) for _ in range(2))
        few = wanting(connection, policies, jobs[:1])
    # then
    assert [one.asked.body for one in cold] == [one.asked.body for one in warm] == ["one", "three"]
    assert [one.job_id for one in cold] == [jobs[0], jobs[2]]
    assert [one.asked.body for one in few] == ["one"]
    assert (len(begun), len(policies.known)) == (0, 2), "what is gone through is not added to"


def test_a_claim_takes_what_was_found_before_it_while_the_folders_are_the_same(
    engine: Engine,
) -> None:
    # given a run whose first claim has found that its pages are searched
    sync_folder(engine, "ours", [PAGE])
    settings = settings_for("", "", policies={"acme": {"knowledge": ["ours"]}})
    hand_in(engine, settings, ["a damaged parcel 1", "a photo", "my parcel"], policy="acme")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    claims = Claims(
        engine, worker="w", lease_s=60, per_day_usd=None, classifier=("p", "m"), canary=False
    )
    claimed = list[Candidate]()
    ranked = list[str]()

    def planner(candidate: Candidate) -> Unready:
        claimed.append(candidate)
        return Unready("x", "x", False)

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        ranked.extend(["search"] * ("n.passage_id" in statement))

    event.listen(engine, "before_cursor_execute", note)
    first, *others = jobs = [row.id for row in many(engine, "SELECT id FROM jobs ORDER BY id")]
    assert claims.wanting(jobs) == ([], {})
    claims.take("haiku", [first], planner)
    # when the others' are searched before they are claimed
    wanting, pages = claims.wanting(others)
    found = {
        one.job_id: Prepared(context=NO_CONTEXT, message=one.asked.message, pages=pages[one.job_id])
        for one in wanting
    }
    assert (len(ranked), len(found)) == (2, 2)
    claims.take("haiku", others[:1], planner, prepared=found)
    # and the last is claimed after a page has changed
    assert len(ranked) == 2, "what was found before is taken"
    sync_folder(engine, "ours", [replace(PAGE, markdown=PAGE.markdown.replace("30", "31"))])
    claims.take("haiku", others[1:], planner, prepared=found)
    # then
    assert len(ranked) == 3
    assert [one.context.passages[0].text[-16:] for one in claimed] == [
        "d\n\nSend a photo.", "d\n\nSend a photo.", " within 31 days.",
    ]  # fmt: skip
    before, same, after = (one.knowledge_version for one in claimed)
    assert before == same != after


def test_what_a_retriever_or_the_whole_of_the_pages_decides_is_not_found_before(
    engine: Engine,
) -> None:
    # given runs whose pages were searched at their first claims, one with a retriever
    sync_folder(engine, "ours", [PAGE])
    words = {"knowledge": ["ours"]}
    policies = {"words": words, "finds": words | {"context": {"retriever": "mine"}}}
    settings = settings_for("", "", policies=policies, retrievers={"mine": "own:find"})
    for name in policies:
        hand_in(engine, settings, [f"{name} {n}" for n in range(2)], policy=name, name=name)
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    claims = Claims(
        engine, worker="w", lease_s=60, per_day_usd=None, classifier=("p", "m"), canary=False
    )
    jobs = [row.id for row in many(engine, "SELECT id FROM jobs ORDER BY id")]
    claims.take("haiku", [jobs[0], jobs[2]], lambda _: Unready("x", "x", False))
    # when, then
    wanting, pages = claims.wanting([jobs[1], jobs[3]])
    assert ([one.job_id for one in wanting], [*pages]) == ([jobs[1], jobs[3]], [jobs[1]])
    # nor once a page has changed, until a claim has seen it
    sync_folder(engine, "ours", [replace(PAGE, markdown=PAGE.markdown.replace("30", "31"))])
    assert claims.wanting([jobs[1]])[1] == {}
    claims.take("haiku", [jobs[1]], lambda _: Unready("x", "x", False))
    assert [*claims.wanting([jobs[1]])[1]] == [jobs[1]]


def test_runs_of_long_ago_are_searched_for_by_their_claims_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "MAX_SEARCHED", 2)
    sync_folder(engine, "ours", [PAGE])
    settings = settings_for("", "", policies={"acme": {"knowledge": ["ours"]}})
    runs = [
        hand_in(engine, settings, ["one", "two"], policy="acme", name=f"run {number}").id
        for number in range(3)
    ]
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    claims = Claims(
        engine, worker="w", lease_s=60, per_day_usd=None, classifier=("p", "m"), canary=False
    )
    jobs = [row.id for row in many(engine, "SELECT id FROM jobs ORDER BY id")]
    kept = []
    for job in jobs[::2]:
        claims.take("haiku", [job], lambda _: Unready("x", "x", False))
        kept.append([*claims._pages.to_search.folders])
    assert kept == [runs[:1], runs[:2], runs[2:]]
    assert [*claims.wanting(jobs[1::2])[1]] == jobs[5:]


def test_it_is_known_which_runs_search_once_they_have_been_claimed_from() -> None:
    priced = KnowledgeWays(lambda tier: (tier, None))
    assert KnowledgeWays(None).searches(1, {}, "pages")
    assert priced.searches(1, None, "pages"), "whoever keeps no prompts has no pages in them"
    assert not priced.searches(1, {}, "pages")
    priced._ways |= {(1, "pages"): False, (2, "pages"): True}
    assert [priced.searches(run, {}, "pages") for run in (1, 2)] == [
        True, False,
    ]  # fmt: skip
