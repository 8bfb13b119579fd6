"""What no rung answers well enough waits for a person, whose verdict stands beside the answer."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Verdict
from tests.support.cli import say
from tests.support.promises import one
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.errors import RungError, UsageError
from worker.sandbox.simulator.state import State
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.audit import Actor

BODIES = [f"=2+{n} Where is my card number {n}?" for n in range(4)]
BEST = "A best effort that nobody was sure of, long enough to pass."
EDITED = "What a person wrote instead."
RESULT = "SELECT reply, accepted, tier, fence FROM results WHERE job_id = :job"


@pytest.fixture
def settings(
    database_url: str, simulator: tuple[State, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Commands and worker on the test's servers, with answers that nobody is sure of."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", simulator[1])
    monkeypatch.chdir(tmp_path)
    unsure = {"reply": BEST, "grounds": "none", "confidence": 0.2}
    simulator[0].moods.replace(
        [
            {"match": {"purpose": "answer", "contains": "number 3"}, "do": {"refusal": "bio"}},
            {"match": {"purpose": "answer"}, "do": {"json": unsure}},
        ]
    )
    return settings_for(database_url, simulator[1])


@pytest.fixture
def jobs(engine: Engine, settings: Settings) -> list[int]:
    """Four jobs in review; the last has no best effort."""
    hand_in(engine, settings, BODIES, name="day")
    with working(settings) as runtime:
        for _ in range(3):
            drain(runtime)
            make_due(engine)
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT id FROM jobs ORDER BY id")).scalars().all()
    assert one(engine, "SELECT array_agg(DISTINCT state) FROM jobs")[0] == ["review"]
    return list(ids)


def verdicts(engine: Engine, job: int) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT verdict, reply, reason FROM reviews WHERE job_id = :job ORDER BY id"),
            {"job": job},
        )
        return [tuple(row) for row in rows]


def replies() -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in say("results", "day", "--json").out.splitlines()]
    return {row["external_id"]: row for row in rows}


def test_the_list_has_reasons_and_the_receipt_its_best_effort(
    engine: Engine, jobs: list[int]
) -> None:
    listed = say("review", "day", "--json").document
    assert {(cause["reason"], cause["jobs"]) for cause in listed["causes"]} == {
        ("low_confidence", 3),
        ("refused:bio", 1),
    }
    assert [job["external_id"] for job in listed["jobs"]] == [f"day-{n}" for n in (3, 2, 1, 0)]
    found = say("show", "day/day-0", "--json", "--text").document
    assert found["result"]["reply"] == BEST
    assert (found["result"]["accepted"], found["result"]["tier"]) == (False, "opus")
    assert found["result"]["reasons"] == ["low_confidence"]
    assert found["reason"] == "low_confidence"
    assert say("show", "day/day-3", "--json").document["result"] is None
    assert "low confidence" in say("review").out


def test_accept_edit_and_reject_stand_beside_what_the_model_said(
    engine: Engine, jobs: list[int]
) -> None:
    # given
    before = [tuple(one(engine, RESULT, job=job)) for job in jobs[:3]]
    Path("reply.txt").write_text(EDITED)
    # when
    assert say("review", "--accept", "day/day-0").code == 0
    assert say("review", "--edit", str(jobs[1]), "--reply", "reply.txt").code == 0
    assert say("review", "--reject", str(jobs[2]), "--reason", "it is rude").code == 0
    # then
    assert [verdicts(engine, job) for job in jobs] == [
        [("accept", None, None)],
        [("edit", EDITED, None)],
        [("reject", None, "it is rude")],
        [],
    ]
    assert [tuple(one(engine, RESULT, job=job)) for job in jobs[:3]] == before
    assert one(engine, "SELECT array_agg(DISTINCT state) FROM jobs")[0] == ["review"]
    found = replies()
    assert found["day-0"]["send"] == BEST
    assert found["day-1"]["send"] == EDITED
    assert found["day-2"]["send"] is None
    reviewed = say("show", str(jobs[2]), "--json").document["reviews"]
    assert [(review["verdict"], review["reason"]) for review in reviewed] == [
        ("reject", "it is rude")
    ]
    actions = one(engine, "SELECT array_agg(action ORDER BY id) FROM audit_events")[0]
    assert actions == ["review:accept", "review:edit", "review:reject"]


def test_a_later_verdict_counts_and_the_earlier_one_stays(engine: Engine, jobs: list[int]) -> None:
    Path("reply.txt").write_text(EDITED)
    say("review", "--reject", str(jobs[0]), "--reason", "it is rude")
    say("review", "--edit", str(jobs[0]), "--reply", "reply.txt")
    assert [row[0] for row in verdicts(engine, jobs[0])] == ["reject", "edit"]
    assert replies()["day-0"]["send"] == EDITED


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (Judged(job_id=0, verdict=Verdict.ACCEPT), "There is no job 0"),
        (Judged(job_id=1, verdict=Verdict.EDIT), "An edit needs the reply"),
        (Judged(job_id=1, verdict=Verdict.EDIT, reply="  "), "An edit needs the reply"),
        (Judged(job_id=1, verdict=Verdict.REJECT), "A rejection needs a reason"),
        (Judged(job_id=4, verdict=Verdict.ACCEPT), "has no best effort that could be accepted"),
    ],
)
def test_a_verdict_that_lacks_something_is_refused(
    engine: Engine, jobs: list[int], judged: Judged, words: str
) -> None:
    job_id = jobs[judged.job_id - 1] if judged.job_id else 0
    with pytest.raises(UsageError, match=words):
        give_verdict(
            engine,
            Actor("a test"),
            Judged(job_id=job_id, verdict=judged.verdict, reply=judged.reply, reason=judged.reason),
        )
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 0
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 0


def test_only_what_is_in_review_takes_a_verdict(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    hand_in(engine, settings, BODIES[:1], name="day")
    job = one(engine, "SELECT id FROM jobs")[0]
    with pytest.raises(RungError, match="only jobs in review take a verdict"):
        give_verdict(engine, Actor("a test"), Judged(job_id=job, verdict=Verdict.ACCEPT))


def test_a_spreadsheet_goes_out_and_comes_back(engine: Engine, jobs: list[int]) -> None:
    # given
    assert say("review", "day", "-o", "review.csv").code == 0
    rows = sheet_of("review.csv")
    assert [row["job"] for row in rows] == [str(job) for job in jobs]
    assert all(row["message"].startswith("'=2+") for row in rows)
    # when
    rows[0]["verdict"] = "Accept"
    rows[1] |= {"verdict": "edit", "verdict_reply": EDITED}
    rows[2] |= {"verdict": "reject", "verdict_reason": "it is rude"}
    write_sheet("back.csv", rows)
    taken = say("review", "--verdicts", "back.csv")
    # then
    assert (taken.code, "3 verdicts taken." in taken.err) == (0, True)
    assert [[row[0] for row in verdicts(engine, job)] for job in jobs] == [
        ["accept"], ["edit"], ["reject"], [],
    ]  # fmt: skip


def sheet_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as stream:
        return list(csv.DictReader(stream))


def write_sheet(path: str, rows: list[dict[str, str]]) -> None:
    with Path(path).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_an_old_spreadsheet_overrules_nobody(engine: Engine, jobs: list[int]) -> None:
    """A sheet lies about for a day, and what others have judged since stands."""
    ada, reject = Actor("ada"), partial(Judged, verdict=Verdict.REJECT, reason="it is rude")
    give_verdict(engine, ada, Judged(job_id=jobs[2], verdict=Verdict.ACCEPT))
    # Given a sheet that was written before Ada judged two of its jobs, one of them once more
    assert say("review", "day", "--all", "-o", "review.csv").code == 0
    rows = sheet_of("review.csv")
    for job in (jobs[1], jobs[2]):
        give_verdict(engine, ada, reject(job_id=job))
    # When somebody fills in two rows of it, and takes it back
    rows[0]["verdict"], rows[1]["verdict"] = "accept", "accept"
    write_sheet("back.csv", rows)
    said = say("review", "--verdicts", "back.csv")
    # Then one is taken, the one that was overtaken is named, and a row as it was written is nothing
    assert said.code == 3
    assert "1 verdict taken, 1 known already." in said.err
    assert f"Record 2: ada has given a verdict on job {jobs[1]} meanwhile: reject." in said.err
    assert "1 row not taken" in said.err
    found = [[row[0] for row in verdicts(engine, job)] for job in jobs[:3]]
    assert found == [["accept"], ["reject"], ["accept", "reject"]]
    # A row of one's own can be corrected; whoever has seen what stands may overrule it
    rows[0] |= {"verdict": "reject", "verdict_reason": "no"}
    write_sheet("back.csv", rows[:1])
    assert say("review", "--verdicts", "back.csv").code == 0
    assert say("review", "--all", "-o", "new.csv").code == 0
    new = sheet_of("new.csv")
    new[1]["verdict"] = "accept"
    write_sheet("back.csv", new[:2])
    assert say("review", "--verdicts", "back.csv").code == 0
    assert [row[0] for row in verdicts(engine, jobs[1])] == ["reject", "accept"]
    # A sheet without the column has seen nothing
    give_verdict(engine, ada, reject(job_id=jobs[0]))
    Path("back.csv").write_text(f"job,verdict\n{jobs[0]},accept\n")
    assert say("review", "--verdicts", "back.csv").code == 3
    assert "in the place of ada's reject" in say("review", "--accept", str(jobs[0])).err


def test_a_spreadsheet_with_another_word_says_where(engine: Engine, jobs: list[int]) -> None:
    Path("back.csv").write_text(f"job,verdict\n{jobs[0]},accept\n{jobs[1]},perhaps\n")
    said = say("review", "--verdicts", "back.csv")
    assert said.code == 2
    assert "record 2: the verdict must be accept, edit or reject" in said.err
    assert "No verdict of this file was taken." in said.err
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("99999,accept,,", "There is no job 99999."),
        ("{last},accept,,", "has no best effort that could be accepted."),
        ("{last},edit,,", "An edit needs the reply"),
        ("{last},reject,,", "A rejection needs a reason."),
    ],
)
def test_a_spreadsheet_is_taken_whole_or_not_at_all(
    engine: Engine, jobs: list[int], line: str, words: str
) -> None:
    # given: a good verdict, and one that cannot be taken
    head = f"job,verdict,verdict_reply,verdict_reason\n{jobs[0]},accept,,\n"
    Path("back.csv").write_text(head + line.format(last=jobs[3]) + "\n")
    # when
    said = say("review", "--verdicts", "back.csv")
    # then
    assert (said.code, "Record 2: " in said.err, words in said.err) == (2, True, True)
    assert one(engine, "SELECT count(*) FROM reviews")[0] == 0
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 0


def test_the_same_spreadsheet_again_adds_nothing(engine: Engine, jobs: list[int]) -> None:
    # given: an edit that begins as a formula would
    Path("reply.txt").write_text("- first, open the app")
    say("review", "--edit", str(jobs[1]), "--reply", "reply.txt")
    say("review", "day", "--all", "-o", "review.csv")
    # when
    said = say("review", "--verdicts", "review.csv")
    # then
    assert "0 verdicts taken, 1 known already." in said.err
    assert verdicts(engine, jobs[1]) == [("edit", "- first, open the app", None)]


def test_what_has_a_verdict_waits_no_longer(engine: Engine, jobs: list[int]) -> None:
    say("review", "--accept", str(jobs[0]))
    waiting, whole = (say("review", *more, "--json").document for more in ((), ("--all",)))
    assert [job["job"] for job in waiting["jobs"]] == jobs[:0:-1]
    assert sum(cause["jobs"] for cause in waiting["causes"]) == 3
    assert [job["verdict"] for job in whole["jobs"]] == [None, None, None, "accept"]
    say("review", "-o", "review.csv")
    with Path("review.csv").open(newline="") as stream:
        assert [int(row["job"]) for row in csv.DictReader(stream)] == jobs[1:]


def test_one_is_shown_with_message_best_effort_reasons_and_receipt(
    engine: Engine, jobs: list[int]
) -> None:
    shown = " ".join(say("review", "--show", "day/day-0").out.split())
    for words in (
        f"message {BODIES[0]}", f"reply {BEST}", "waiting for a person: low_confidence",
        "confidence 0.2, against 0.7", "escalated opus → person", "total $",
    ):  # fmt: skip
        assert words in shown, words
    found = say("review", "--show", str(jobs[0]), "--json").document
    assert (found["body"], found["result"]["reply"]) == (BODIES[0], BEST)
