"""Look-ups and what policies show: what cannot work is a sentence when the configuration loads."""

from pathlib import Path

import pytest

from tests.support.looking_up import functions
from worker.config.loading import load_settings
from worker.config.policies import check_policies
from worker.errors import ConfigurationError

USES = '[policies.acme.context]\nlookups = ["orders"]\n'


def complaint(directory: Path, toml: str) -> str:
    functions(directory)
    (directory / "rung.toml").write_text(toml)
    try:
        return "\n".join(check_policies(load_settings({}, directory)))
    except ConfigurationError as error:
        return "\n".join(error.problems)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('path = "lookups.py:orders"', ""),
        ('path = "lookups.py:order"', "lookups.orders.path: "),
        ('path = "nowhere.py:orders"', "cannot be loaded"),
        ('path = "orders"', "it must be FILE.py:FUNCTION or MODULE:FUNCTION"),
        ('path = "lookups.py:plain"', "its function must be `async def`"),
        ('path = "lookups.py:calls"', "is no function"),
        ("timeout_s = 1", "lookups.orders says nowhere to look"),
        ('database_url = "sqlite:///x"', "database_url and query go together"),
        ('database_url = "mysql://x"\nquery = ":a"', "must begin with postgresql:// or sqlite:///"),
        ('database_url = "sqlite:///x"\nquery = "SELECT 1::int"', "names no column of the row"),
        ('database_url = "sqlite:///x"\nquery = ":a::text"', "write CAST(:column AS type)"),
        ('url = "https://a.example/{customer_id}"', "leads to a.example, which is not in hosts"),
        ('url = "http://a.example/{x}"\nhosts = ["a.example"]', "must begin with https://"),
        ('url = "https://a.example/"\nhosts = ["a.example"]', "names no column of the row"),
        ('url = "https://{x}.example/{x}"\nhosts = ["a.example"]', "must name its host"),
        ('url = "https://a/{x}"\npath = "lookups.py:orders"', "give one of path"),
        ('path = "lookups.py:orders"\ntimeouts = 3', "did you mean timeout_s?"),
        ('path = "lookups.py:orders"\non_failure = "cry"', "lookups.orders.on_failure"),
    ],
)
def test_a_look_up_that_cannot_work_is_a_sentence(table: str, words: str, tmp_path: Path) -> None:
    found = complaint(tmp_path, f"[lookups.orders]\n{table}\n{USES}")
    assert words in found
    assert bool(words) == bool(found)


def test_a_policy_that_names_no_look_up_is_a_sentence(tmp_path: Path) -> None:
    assert "there is no such look-up; none is configured." in complaint(tmp_path, USES)
    table = '[lookups.order]\npath = "lookups.py:orders"\n'
    assert "did you mean order?" in complaint(tmp_path, table + USES)
    row = '[lookups.row]\npath = "lookups.py:orders"\n[policies.acme.context]\nlookups = ["row"]'
    assert "cannot be called 'row'" in complaint(tmp_path, row)


def test_what_stands_in_the_file_is_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "rung.toml").write_text(
        '[lookups.a]\ndatabase_url = "sqlite:///shop.sqlite"\nquery = ":x"\n'
        '[lookups.b]\npath = "lookups.py:orders"\n'
    )
    lookups = load_settings({}, tmp_path).lookups
    url = lookups["a"].database_url
    assert url is not None
    assert url.get_secret_value() == f"sqlite:///{tmp_path / 'shop.sqlite'}"
    assert lookups["b"].path == f"{tmp_path / 'lookups.py'}:orders"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[retrievers]\nmine = "lookups.py:semantic"', ""),
        ('[retrievers]\nmine = "lookups.py:plain"', "retrievers.mine: its function must be `async"),
        ('[retrievers]\nmine = "lookups.py:nobody"', "retrievers.mine: "),
        ('[retrievers]\nmined = "lookups.py:semantic"', "did you mean mined?"),
        ("", "there is no such retriever; none is configured"),
    ],
)
def test_a_retriever_that_is_not_there_is_a_sentence(toml: str, words: str, tmp_path: Path) -> None:
    found = complaint(tmp_path, f'{toml}\n[policies.acme.context]\nretriever = "mine"\n')
    assert words in found
    assert bool(words) == bool(found)
