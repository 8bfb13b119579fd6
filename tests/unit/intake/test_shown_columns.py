"""A column that a policy shows and a file does not have is said."""

from worker.domain.policy import ContextUse, Policy
from worker.intake.shown_columns import not_there

ROWS = [{"id": "1", "body": "Hello"}, {"id": "2", "body": "Hello", "order_status": "sent"}]


def said(use: ContextUse) -> list[str]:
    return [
        one.reason for one in not_there(Policy(name="acme", ladder=("haiku",), context=use), ROWS)
    ]


def test_what_is_misspelt_gets_the_nearest_name_and_what_is_there_nothing() -> None:
    assert said(ContextUse(fields=("order_status",))) == []
    assert said(ContextUse(fields=("order_state",), history=True)) == [
        "policy acme shows the column 'order_state', and no row has it; did you mean"
        " 'order_status'?",
        "policy acme shows the column 'history', and no row has it; there are id, body,"
        " order_status",
    ]
    assert (
        not_there(Policy(name="acme", ladder=("haiku",), context=ContextUse(fields=("x",))), [])
        == []
    )


def test_a_column_that_a_look_up_goes_by_and_no_row_has_is_said() -> None:
    policy, by = Policy(name="acme", ladder=("haiku",)), {"orders": ("customer_id", "order_stat")}
    said = [one.reason for one in not_there(policy, ROWS, by, ("body",))]
    assert said == [
        "look-up orders goes by the column 'customer_id', and no row has it, so it finds nothing;"
        " there are id, body, order_status",
        "look-up orders goes by the column 'order_stat', and no row has it, so it finds nothing;"
        " did you mean 'order_status'?",
    ]
    assert not not_there(policy, ROWS, {"orders": ("customer_id", "body")}, ("customer_id",))
    named = [{"customer_id": "1", "order_status": "sent"}]
    assert not not_there(policy, named, {"orders": ("customer_id", "order_status")})
    assert not_there(policy, named, {"orders": ("total",)}, ("total",)), "no field of ours"
