"""docs/operations.md: a section for each alert, and no command, file or setting that is not."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.commands import APP, complaint
from tests.support.docs_settings import settings_tables
from tests.support.promql.rules import alerts, load
from worker.domain.filter_parsing import parse

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/operations.md").read_text("utf-8")
ALERTS = {rule.name for rule in alerts(load(ROOT / "deploy/prometheus/rules.yaml"))}
PARTS = ("**Means.**", "**Look.**", "**Do.**", "**Clears**")
WRAPPERS = re.compile(
    r"^(?:docker compose exec (?:-e \S+ )?\S+ |docker compose run --rm "
    r"|docker run --rm -it rung:[\d.]+ (?=dashboard)|kubectl .* -- (?:env \S+ )?)"
)


def sections() -> dict[str, str]:
    """The runbook's sections by their titles."""
    runbook = TEXT.partition("\n## Runbook\n")[2]
    found = re.split(r"^### (\w+)\n", runbook, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def commands(text: str) -> list[str]:
    """Every `rung …` and `celery …` in spans and blocks of code, without what goes around it."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = []
    for line in (*lines, *spans):
        bare = WRAPPERS.sub("", line)
        if bare.startswith("dashboard "):
            bare = f"rung {bare}"
        if bare.startswith(("rung ", "celery ")):
            found.append(bare)
    return found


def test_every_alert_has_a_section_and_no_section_is_without_one() -> None:
    titles = re.findall(r"^### (\w+)$", TEXT.partition("\n## Runbook\n")[2], re.MULTILINE)
    assert sorted(titles) == sorted(ALERTS)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_a_section_says_what_it_means_where_to_look_what_to_do_and_when_it_clears(
    name: str,
) -> None:
    # given
    section = sections()[name]
    # then
    places = [section.find(part) for part in PARTS]
    assert -1 not in places, PARTS
    assert places == sorted(places)
    look, do = section[places[1] : places[2]], section[places[2] : places[3]]
    assert commands(look) or commands(do), "name a command to begin with"


@pytest.mark.parametrize("command", sorted(set(commands(TEXT))))
def test_every_command_means_something(command: str) -> None:
    # given
    words = shlex.split(command)
    assert complaint(words) is None
    # then so does its filter
    if "--where" in words:
        parse(words[words.index("--where") + 1])


def test_commands_are_found_wherever_they_stand() -> None:
    # given
    text = (
        "`rung doctor` and `rungs`\n```sh\nrung status  # all\n"
        "docker compose exec -e USER=ada worker-routing rung pause opus\n"
        "kubectl -n rung exec deploy/x -- env USER=ada rung resume opus\n"
        "docker run --rm -it rung:0.1.0 dashboard hash   # for\n```\n"
    )
    # then
    assert sorted(commands(text)) == [
        "rung dashboard hash",
        "rung doctor",
        "rung pause opus",
        "rung resume opus",
        "rung status",
    ]
    assert len(set(commands(TEXT))) > 30


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["rung", "doctor"], False),
        (["rung", "resume", "monday", "--budget", "30"], False),
        (["rung", "dashboard"], False),
        (["rung", "db"], True),
        (["rung", "polish"], True),
        (["rung", "retry", "--were", "state = dead"], True),
        (["rung", "show"], True),
        (["celery", *APP, "worker", "-Q", "haiku"], False),
        (["celery", *APP, "worker", "--quickly"], True),
        (["celery", "worker"], True),
        (["redis-cli", "ping"], True),
    ],
)
def test_a_command_without_meaning_is_recognised(words: list[str], wrong: bool) -> None:
    assert (complaint(words) is not None) is wrong


def test_every_setting_that_is_named_is_one() -> None:
    # given
    known = {
        f"{table.removeprefix('settings:')}.{row.name}"
        for table, found in settings_tables().items()
        for row in found.rows
    }
    named = re.findall(
        r"`((?:tiers\.\*|budget|timing|notify|dashboard|worker|batch|breaker)\.\w+)", TEXT
    )
    # then
    assert len(named) > 10
    assert {name for name in named if name.replace("tiers.*", "tiers.NAME") not in known} == set()


def test_every_notice_is_in_the_table_with_its_runbook() -> None:
    # given
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "worker").rglob("*.py"))
    kinds = set(re.findall(r"\bnote\(\s*connection,\s*\"(\w+)\"", sources))
    table = TEXT.partition("\n### Notices\n")[2].partition("\n#")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", table, re.MULTILINE))
    # then
    assert len(kinds) >= 5
    assert set(rows) == kinds
    links = {link for row in rows.values() for link in re.findall(r"\[(\w+)\]\(#(\w+)\)", row)}
    assert {name for name, anchor in links if name.lower() != anchor or name not in ALERTS} == set()


def test_links_within_lead_to_a_section() -> None:
    # given
    titles = {title.lower() for title in re.findall(r"^#+ (\w+)$", TEXT, re.MULTILINE)}
    # then
    assert set(re.findall(r"\]\(#(\w+)\)", TEXT)) <= titles


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"(deploy/[\w./-]+\w|\.env\.example|CHANGELOG\.md)", TEXT)
    there = [name for name in set(named) if not name.startswith(("deploy/rung-",))]
    assert there
    assert [name for name in there if not (ROOT / name).exists()] == []
