"""Look-ups and what policies show: what cannot work is a sentence when the configuration loads."""

from pathlib import Path

import pytest

from tests.support.looking_up import functions, shop
from worker.config.loading import load_settings
from worker.config.lookups import LookupSettings
from worker.config.policies import check_policies
from worker.errors import ConfigurationError
from worker.lookups.queries import query_complaint

ASKED = 'database_url = "sqlite:///shop.sqlite"\nquery = "SELECT :a"'
USES = '[policies.acme.context]\nlookups = ["orders"]\n'


def complaint(directory: Path, toml: str) -> str:
    functions(directory)
    (directory / "shop.sqlite").touch()
    (directory / "rung.toml").write_text(toml)
    try:
        return "\n".join(check_policies(load_settings({}, directory)))
    except ConfigurationError as error:
        return "\n".join(error.problems)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('path = "lookups.py:orders"', ""),
        ('path = "lookups.py:order"', "has no 'order'; did you mean orders?"),
        ('path = "nowhere.py:orders"', "cannot be loaded: there is no file"),
        ('path = "lookup.py:orders"', "did you mean lookups.py?"),
        ('path = "nowhere.lookups:orders"', "No module named 'nowhere'"),
        ('path = "lookups.py:orders"\nsecret = "x"', "its secret would not be used"),
        ('path = "lookups.py:orders"\nhosts = ["x"]', "its hosts would not be used"),
        ('database_url = "sqlite:///shop.sqlit"\nquery = ":a"', "did you mean shop.sqlite?"),
        (f"{ASKED}\noptions = {{ a = 1 }}", "its options would not be used"),
        (ASKED, ""),
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


@pytest.mark.parametrize("secret", ["", "two words", "line\n", "ü"])
def test_a_secret_that_no_header_can_hold_is_a_sentence_without_it(
    secret: str, tmp_path: Path
) -> None:
    url = 'url = "https://a.example/{x}"\nhosts = ["a.example"]\n'
    (tmp_path / "rung.toml").write_text(f"[lookups.orders]\n{url}")
    with pytest.raises(ConfigurationError) as refused:
        load_settings({"RUNG_LOOKUPS__ORDERS__SECRET": secret}, tmp_path)
    assert "lookups.orders.secret: it is empty, or holds" in str(refused.value)
    assert not secret or secret not in str(refused.value).replace("ü.", "")


def test_a_misspelt_look_up_in_the_environment_gets_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "rung.toml").write_text(f"[lookups.orders]\n{ASKED}")
    (tmp_path / "shop.sqlite").touch()
    settings = load_settings({"RUNG_LOOKUPS__ORDRES__SECRET": "x"}, tmp_path)
    assert "lookups.ordres says nowhere to look" in check_policies(settings)[0]
    assert "did you mean orders?" in check_policies(settings)[0]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT customer_id FROM orders WHERE customer_id = :customer_id", None),
        (
            "SELECT customer_id FROM order_ WHERE customer_id = :customer_id",
            "no such table: order_",
        ),
        ("SELECT customer_id FROM orders WHERE buyer = :customer_id", "no such column: buyer"),
        ("SELECT number FROM orders WHERE customer_id = :customer_id", "brings no column customer"),
    ],
)
def test_a_query_that_cannot_be_asked_is_a_sentence(
    query: str, words: str | None, tmp_path: Path
) -> None:
    lookup = LookupSettings.model_validate({"database_url": shop(tmp_path), "query": query})
    said = query_complaint("orders", lookup)
    assert said is None if words is None else words in (said or "")


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
