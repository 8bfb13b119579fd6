"""`rung certify RUN` and `rung certificates`: claims about what was really answered."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.cli import Said, say
from tests.support.promises import do, one
from tests.support.recorded import Traffic, answered_run

ACCURACY = ("--claim", "accuracy", "--tier", "haiku", "--score", "confidence")


@pytest.fixture
def certified(engine: Engine, database_url: str, configured: None) -> dict[str, Any]:
    """A certificate of a good run."""
    answered_run(engine, database_url, Traffic())
    return dict(certify("monday").document)


def certify(*arguments: str) -> Said:
    return say("certify", *arguments, *ACCURACY, "--json")


def test_a_good_run_is_certified_and_kept(certified: dict[str, Any]) -> None:
    assert certified["certified"] is True
    assert certified["upper"] <= 0.05
    assert (certified["runs"], certified["look"], certified["ungraded"]) == (["monday"], 1, 0)
    (listed,) = say("certificates", "--json").document
    assert listed["id"] == certified["certificate"]
    assert listed["key"]["model"] == "claude-haiku-5-5"
    assert listed["sources"]["verdicts"]["person"] >= certified["labels"]


def test_the_page_can_be_signed(certified: dict[str, Any]) -> None:
    page = say("certificates", "show", str(certified["certificate"])).out
    assert "At least 95.0 % of the answers accepted at haiku are right." in page
    assert "It is void when model, prompt, schema, effort, policy or pages change" in page
    assert "Signed:" in page
    assert "It stands." in page
    assert f"Certificate {certified['certificate']}: holds" in page
    assert " holds " in say("certificates").out


def test_a_bad_run_is_refused(engine: Engine, database_url: str, configured: None) -> None:
    answered_run(engine, database_url, Traffic(right=0.8))
    said = certify("monday")
    assert (said.code, said.document["certified"], said.document["certificate"]) == (1, False, None)
    assert say("certificates", "--json").document == []


def test_too_few_verdicts_are_refused_with_the_number(
    engine: Engine, database_url: str, configured: None
) -> None:
    answered_run(engine, database_url, Traffic(share="0.1"))
    said = certify("monday")
    assert said.code == 1
    assert said.document["needs"] > said.document["labels"]
    assert re.search(r"Fix: rung audit monday --share \d\d%", say("certify", "monday").err)


def test_simulated_answers_certify_nothing_and_can_be_rehearsed(
    engine: Engine, database_url: str, configured: None
) -> None:
    answered_run(engine, database_url, Traffic(simulated=True))
    refused = certify("monday")
    assert (refused.code, refused.document["certified"]) == (1, False)
    assert refused.document["certificate"] is None
    assert say("certificates", "--json").document == []
    rehearsed = certify("monday", "--rehearse")
    assert (rehearsed.document["certified"], rehearsed.document["rehearsal"]) == (False, True)
    assert rehearsed.code == 1
    page = say("certificates", "show", str(rehearsed.document["certificate"])).out
    assert "REHEARSAL" in page


def test_each_look_at_new_labels_costs_and_the_same_look_does_not(
    engine: Engine, database_url: str, certified: dict[str, Any]
) -> None:
    again = certify("monday").document
    assert (again["look"], again["delta"]) == (1, pytest.approx(0.04))
    do(engine, "UPDATE truths SET is_right = NOT is_right WHERE id = (SELECT min(id) FROM truths)")
    later = certify("monday").document
    assert (later["look"], later["delta"]) == (2, pytest.approx(0.05 * 0.8 * 0.2))


def test_a_look_that_could_prove_nothing_costs_nothing(
    engine: Engine, database_url: str, configured: None
) -> None:
    # given: a few verdicts, then all of them
    answered_run(engine, database_url, Traffic())
    do(engine, "CREATE TABLE kept AS SELECT * FROM truths")
    do(engine, "DELETE FROM truths WHERE job_id > 40")
    assert (certify("monday").code, certify("monday").document["look"]) == (1, 1)
    do(engine, "INSERT INTO truths OVERRIDING SYSTEM VALUE SELECT * FROM kept WHERE job_id > 40")
    # then
    said = certify("monday")
    assert (said.code, said.document["look"]) == (0, 1)
    do(engine, "DROP TABLE kept")


def test_answers_of_two_models_are_not_certified_together(
    engine: Engine, database_url: str, certified: dict[str, Any]
) -> None:
    answered_run(engine, database_url, Traffic(model="claude-haiku-6"), name="tuesday")
    said = certify("monday", "tuesday")
    assert said.code == 2
    assert "differ in model" in said.err


def test_a_dry_run_keeps_nothing(engine: Engine, database_url: str, configured: None) -> None:
    answered_run(engine, database_url, Traffic())
    assert certify("monday", "--dry-run").document["certificate"] is None
    assert say("certificates", "--json").document == []


def test_parity_takes_the_top_to_be_right_where_it_was_not_asked(
    engine: Engine, database_url: str, configured: None
) -> None:
    answered_run(engine, database_url, Traffic(right=0.97))
    said = say("certify", "monday", "--claim", "parity", "--score", "confidence", "--json")
    wrong = one(
        engine,
        "SELECT count(*) FROM truths AS t JOIN attempts AS a USING (job_id, fence)"
        " WHERE NOT is_right AND a.tier = 'haiku'",
    )[0]
    assert said.code == 0
    assert said.document["labels"] == 400
    assert 0 < said.document["errors"] <= wrong


def test_identical_texts_of_one_customer_count_once(
    engine: Engine, database_url: str, configured: None
) -> None:
    answered_run(engine, database_url, Traffic())
    do(engine, "UPDATE messages SET digest = 'same', customer_id = 'one'")
    said = certify("monday")
    assert (said.code, said.document["labels"] <= 1) == (1, True)


def test_a_tiers_verdicts_are_no_truth(engine: Engine, database_url: str, configured: None) -> None:
    answered_run(engine, database_url, Traffic())
    do(engine, "UPDATE truths SET grader = 'tier', grader_name = 'opus'")
    said = certify("monday")
    assert (said.code, said.document["labels"]) == (1, 0)


def test_the_judges_own_noise_is_on_the_page_and_too_much_of_it_refuses(
    engine: Engine, database_url: str, configured: None
) -> None:
    # given: of forty that two people judged they differ on one
    answered_run(engine, database_url, Traffic(right=1.0))
    second = (
        "INSERT INTO truths (job_id, fence, grader, grader_name, is_right)"
        " SELECT job_id, fence, 'person', 'bob', row_number() OVER (ORDER BY job_id) > {}"
        " FROM truths WHERE grader_name = 'ada' ORDER BY job_id LIMIT 40"
    )
    do(engine, second.format(1))
    said = certify("monday").document
    assert (said["certified"], said["judged_twice"], said["differing"]) == (True, 40, 1)
    page = say("certificates", "show", str(said["certificate"])).out
    assert "Two people judged 40 of them and differed on 1, 2.5 %, at most" in page
    # when: they differ on ten
    do(engine, "DELETE FROM truths WHERE grader_name = 'bob'")
    do(engine, second.format(10))
    refused = say("certify", "monday", *ACCURACY)
    assert refused.code == 1
    assert "differ on 10 of the 40 answers" in refused.out


def test_a_certificate_is_ended_by_hand(certified: dict[str, Any]) -> None:
    number = str(certified["certificate"])
    assert say("certificates", "void", number, "--reason", "new products").code == 0
    assert say("certificates", "--json").document[0]["state"] == "void"
    again = say("certificates", "void", number, "--reason", "again")
    assert (again.code, "void already" in again.err) == (2, True)
    assert say("certificates", "show", "99").code == 2
