"""Near-duplicates meet, and what differs stays apart."""

from worker.domain.near_duplicates import clusters

OUTAGE = "The app says error {} when I try to pay, it was working until this morning"
OTHERS = (
    "Where is my card? It was due on Monday.",
    "I want to close my account and get my money back.",
    "How do I change the address that my statements go to?",
    "",
    "hi",
)


def test_what_differs_in_figures_and_spaces_alone_is_one_cluster() -> None:
    texts = [(n, OUTAGE.format(n) + "!" * (n % 2)) for n in range(1, 31)]
    texts += [(100 + n, said) for n, said in enumerate(OTHERS)]
    (found,) = clusters(texts, least=3)
    assert found.members == tuple(range(1, 31))
    assert found.first == 1


def test_different_matters_stay_apart_and_the_largest_comes_first() -> None:
    texts = [(n, OUTAGE.format(n)) for n in range(1, 4)]
    texts += [(10 + n, f"{OTHERS[0]} Order {n}, please hurry.") for n in range(5)]
    texts += [(20 + n, said) for n, said in enumerate(OTHERS[1:])]
    found = clusters(texts, least=2)
    assert [one.members for one in found] == [(10, 11, 12, 13, 14), (1, 2, 3)]


def test_nothing_and_single_messages_are_no_clusters() -> None:
    assert clusters([]) == []
    assert clusters(list(enumerate(OTHERS))) == []
    assert len(clusters(list(enumerate(OTHERS)), least=1)) == len(OTHERS)
