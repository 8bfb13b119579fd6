"""`make audit` finds what is wrong, and says what it does not know."""

from tests.support import audit


def test_every_file_is_pinned_and_every_licence_known() -> None:
    assert audit.hashes() == []
    assert audit.licences()[0] == []


def test_a_lock_without_a_hash_and_a_licence_that_binds_are_seen() -> None:
    lock = "a==1\nb==2 \\\n    --hash=x\n"
    found = {name: many.count("--hash") for name, _, many in audit.ENTRY.findall(lock)}
    assert found == {"a": 0, "b": 1}
    assert not audit.FREE.search("GPL-3.0-only")
