"""Deliveries: answers that may go out, on their way to a webhook.

An outbox: rows are made by triggers in the transaction that makes an answer ready (an accepted
result, or a person's verdict), whoever writes it, so that none is forgotten and none invented.
"""

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, SmallInteger, event, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now, one_of
from models.results import Result, Review
from models.vocabulary import DeliveryState


class DeliveryTarget(Base):
    """A webhook of `[deliver.NAME]`. Its address and secret are in the configuration alone."""

    __tablename__ = "delivery_targets"

    name: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    """In the configuration of the worker that started last."""
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether simulated answers go there too."""
    paused_at: Mapped[Instant | None]
    paused_by: Mapped[str | None]
    paused_reason: Mapped[str | None]
    since: Mapped[Instant] = mapped_column(server_default=now())


class Delivery(Base):
    """One answer for one target. What is posted is read when it is sent: no text stands here."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("state", DeliveryState),
        CheckConstraint("tries >= 0", name="tries"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
        Index(
            "ix_deliveries_waiting",
            "target",
            "next_try_at",
            "job_id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_deliveries_dead", "target", "job_id", postgresql_where=text("state = 'dead'")),
    )

    target: Mapped[str] = mapped_column(ForeignKey("delivery_targets.name"), primary_key=True)
    job_id: Mapped[BigId] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    """Counts what was to be delivered for this job: a person's later word is another."""
    state: Mapped[str] = mapped_column(server_default=DeliveryState.WAITING)
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Instant] = mapped_column(server_default=now())
    next_try_at: Mapped[Instant] = mapped_column(server_default=now())
    ended_at: Mapped[Instant | None]
    error: Mapped[str | None]
    """Why it did not arrive, the last time: a status or the kind of an error, no words."""


DELIVER_RESULTS = """
CREATE FUNCTION deliver_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO deliveries (target, job_id)
  SELECT t.name, r.job_id FROM new_results AS r CROSS JOIN delivery_targets AS t
  WHERE r.accepted AND t.enabled AND (t.simulated OR NOT r.simulated)
    AND (SELECT u.kind FROM jobs AS j JOIN runs AS u ON u.id = j.run_id WHERE j.id = r.job_id)
      NOT IN ('judge', 'shadow')
  ORDER BY 1, 2 ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""
# What was tried may have arrived, or be on its way with the words of before: a later word is then
# another delivery, which waits until that one can no longer be under way.
DELIVER_VERDICTS = """
CREATE FUNCTION deliver_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE deliveries AS d SET state = 'withdrawn', ended_at = now()
  FROM new_reviews AS v
  WHERE v.verdict = 'reject' AND d.job_id = v.job_id AND d.state IN ('waiting', 'dead');
  INSERT INTO deliveries AS d (target, job_id)
  SELECT t.name, v.job_id FROM new_reviews AS v JOIN results AS r USING (job_id)
    CROSS JOIN delivery_targets AS t
  WHERE v.verdict IN ('accept', 'edit') AND t.enabled AND (t.simulated OR NOT r.simulated)
  GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (target, job_id) DO UPDATE SET state = 'waiting', ended_at = NULL,
    tries = CASE d.state WHEN 'waiting' THEN d.tries ELSE 0 END,
    revision = d.revision + 1, created_at = now(), error = NULL,
    next_try_at = CASE d.state WHEN 'waiting'
      THEN least(d.next_try_at, now() + interval '90 seconds') ELSE now() END
  WHERE d.state <> 'waiting' OR d.tries > 0;
  RETURN NULL;
END $$
"""
STATEMENTS: dict[type[Base], tuple[str, str]] = {
    Result: (
        DELIVER_RESULTS,
        "CREATE TRIGGER deliver_results AFTER INSERT ON results"
        " REFERENCING NEW TABLE AS new_results"
        " FOR EACH STATEMENT EXECUTE FUNCTION deliver_results()",
    ),
    Review: (
        DELIVER_VERDICTS,
        "CREATE TRIGGER deliver_verdicts AFTER INSERT ON reviews"
        " REFERENCING NEW TABLE AS new_reviews"
        " FOR EACH STATEMENT EXECUTE FUNCTION deliver_verdicts()",
    ),
}

for _model, _statements in STATEMENTS.items():
    for _statement in _statements:
        event.listen(_model.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
