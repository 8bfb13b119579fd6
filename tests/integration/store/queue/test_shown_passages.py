"""What a claim knows before it asks: passages that were read before, and messages of a chunk."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, event, text

from tests.support.promises import do
from tests.support.works import hand_in, settings_for
from worker.domain.pages import SourcePage
from worker.store.knowledge import sync_folder
from worker.store.passages import Query, find_passages
from worker.store.policies import PolicyCache
from worker.store.queue.shown_passages import ShownPassages
from worker.store.queue.wanting import wanting

PAGE = SourcePage(
    name="returns", path="returns.md", title="Returns", language="en",
    markdown="# Returns\n\nParcels are returned within 30 days.\n\n## Damaged\n\nSend a photo.",
)  # fmt: skip
QUERIES = [
    Query(key=key, text=said, folders=("ours",), language="en")
    for key, said in enumerate(("a damaged parcel", "a photo of my parcel", "nothing of the kind"))
]


class Asked:
    """Finds, and says of each time what was shown and how many statements it took."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.shown, self.statements = engine, ShownPassages(), 0
        event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self.statements += 1

    def __call__(self) -> tuple[dict[int, list[str]], int]:
        before = self.statements
        with self.engine.connect() as connection:
            found = self.shown.find(connection, QUERIES, 5)
        return {key: [one.text for one in many] for key, many in found.items()}, (
            self.statements - before
        )


def test_passages_are_read_once_and_anew_when_they_changed(engine: Engine) -> None:
    # given
    sync_folder(engine, "ours", [PAGE])
    asked = Asked(engine)
    with engine.connect() as connection:
        full = find_passages(connection, QUERIES, 5)
    # when
    (first, read), (again, unread) = asked(), asked()
    # then
    assert first == again == {key: [one.text for one in many] for key, many in full.items()}
    assert (read, unread, first[2]) == (2, 1, [])
    # a page that changed is another
    sync_folder(engine, "ours", [replace(PAGE, markdown=PAGE.markdown.replace("30", "31"))])
    changed, read = asked()
    assert ("31 days" in str(changed), "30 days" in str(changed), read) == (True, False, 2)
    # and however little is kept, everything is shown
    asked.shown.MAX_KEPT = 0
    assert asked() == (changed, 2)


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
        # when: by a process that knows none of the runs, and by one that does
        cold, warm = (wanting(connection, policies, jobs) for _ in range(2))
        few = wanting(connection, policies, jobs[:1])
    # then
    assert [one.asked.body for one in cold] == [one.asked.body for one in warm] == ["one", "three"]
    assert [one.job_id for one in cold] == [jobs[0], jobs[2]]
    assert [one.asked.body for one in few] == ["one"]
