"""What a budget that stops a run says: what is left, what the next call may cost, and what sum is
enough. Pure; dollars throughout."""

from decimal import ROUND_UP, Decimal

from worker.domain.wording import dollars

STEP = Decimal("0.0001")


def enough(*, spent: Decimal, needs: Decimal | None, ended: int, open_jobs: int) -> Decimal:
    """A budget for the whole run: the jobs that are open at the price of those that have ended, or
    at the worst case where none has, and room for one more worst case."""
    worst = needs or Decimal(0)
    each = spent / ended if ended and spent else worst
    return (spent + each * open_jobs + worst).quantize(STEP, ROUND_UP)


def stop_words(left: Decimal, needs: Decimal | None, wanted: Decimal) -> str:
    """`$0.0031 is left and the next call may cost up to $0.0500; about $0.0550 would be enough`."""
    said = f"{dollars(max(left, Decimal(0)))} of its budget is left"
    if needs is not None:
        said += f" and the next call may cost up to {dollars(needs)}"
    return f"{said}; about {dollars(wanted)} would be enough for all of it" if wanted else said
