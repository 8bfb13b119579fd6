"""`make audit` finds what is wrong, and says what it does not know."""

from tests.support import audit


def test_every_file_is_pinned_and_every_licence_known() -> None:
    assert audit.hashes() == []
    assert audit.licences()[0] == []


def test_a_lock_without_a_hash_and_a_licence_that_binds_are_seen() -> None:
    lock = "a==1\nb==2 \\\n    --hash=x\n"
    found = {name: many.count("--hash") for name, _, many in audit.ENTRY.findall(lock)}
    assert found == {"a": 0, "b": 1}
    for binding in ("GPL-3.0-only", "Proprietary, limited use", "SSPL"):
        assert not audit.FREE.search(binding)
    assert audit.FREE.search("BSD-3-Clause AND ISC")


def test_what_the_larger_image_holds_is_all_that_ships() -> None:
    small, large = (set(audit.entries(lock)) for lock in audit.SHIPPED)
    assert small < large
