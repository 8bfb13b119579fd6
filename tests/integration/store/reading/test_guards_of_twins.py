"""Each condition by which a message is told to be one that came before, by messages of which each
misses one."""

from tests.support.near_misses import Rows
from worker.store.reading import graded


def test_a_twin_is_a_later_one_of_the_same_words_among_those_that_are_asked_about(
    rows: Rows,
) -> None:
    # given
    run, other = rows.run(), rows.run()

    def said(words: str, of: int = run) -> int:
        return rows.answered(of, rows.message(digest=words))

    open_one = said("parcel")
    rows.all("UPDATE jobs SET state = 'routed', tier = 'haiku', finished_at = NULL WHERE id = :id",
             id=open_one)  # fmt: skip
    beside = said("card", other)
    first, alone, none, none_either, twin = map(said, ("parcel", "card", "", "", "parcel"))
    ids = [open_one, first, alone, none, none_either, twin]
    # when, then
    for statement, values in (
        (graded.MESSAGES, {"runs": [run]}),
        (graded.MESSAGES_OF_JOBS, {"ids": ids}),
    ):
        found = rows.connection.execute(statement, values).mappings()
        told = [(row["id"], row["twin"]) for row in found]
        assert told == [*((one, one == twin) for one in ids[1:])]
    assert beside not in ids
