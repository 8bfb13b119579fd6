"""Runs: made, and taken back where nothing came of them."""

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import Lane, RunKind, RunLane
from worker.domain.policy import Policy
from worker.domain.policy_documents import to_document, version_of
from worker.domain.prompts import Prompts
from worker.domain.run_names import complaint, tidied
from worker.errors import UsageError
from worker.store.policies import put_in_force
from worker.store.prompts import freeze
from worker.store.rights import require_rights
from worker.store.runs import RunRef
from worker.store.scopes import run_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What a run is made of. `name` is a wish: a number is added when it is taken, unless it was
    `named` by a person."""

    name: str
    policy: Policy
    lane: Lane | RunLane = Lane.REALTIME
    priority: int = 0
    budget_cap: Decimal | None = None
    deadline: dt.datetime | None = None
    key: str | None = None
    kind: RunKind = RunKind.BACKLOG
    named: bool = False
    audit_share: Decimal = Decimal(0)
    shadow_share: Decimal = Decimal(0)
    parent_id: int | None = None
    selection: dict[str, Any] | None = None
    prompts: Prompts | None = None
    """Those that it keeps to; None goes with those of the workers."""
    notify: tuple[str, ...] = ()


def create_run(connection: Connection, new: NewRun) -> RunRef:
    """Makes the run and its budget. Raises UsageError when a person's name for it is taken, or is
    none, and ConfigurationError where this role may not do what a run needs."""
    require_rights(connection)
    if new.named and (problem := complaint(new.name)):
        raise UsageError(problem, mend="choose another --run")
    name = new.name.strip() if new.named else tidied(new.name)
    policy = put_in_force(connection, new.policy)
    prompts = freeze(connection, new.prompts) if new.prompts is not None else None
    for number in range(1, 10_000):
        wanted = name if number == 1 else f"{name}-{number}"
        values = {
            "name": wanted,
            "key": new.key,
            "kind": new.kind,
            "parent": new.parent_id,
            "policy": json.dumps(to_document(policy)),
            "policy_name": new.policy.name,
            "policy_version": version_of(policy),
            "lane": new.lane,
            "priority": new.priority,
            "deadline": new.deadline,
            "cap": new.budget_cap,
            "audit_share": new.audit_share,
            "shadow_share": new.shadow_share,
            "notify": list(new.notify),
            "prompts": json.dumps(prompts) if prompts is not None else None,
            "selection": json.dumps(new.selection) if new.selection is not None else None,
        }
        run_id = connection.execute(INSERT, values).scalar()
        if run_id is not None:
            budget = {"scope": run_scope(run_id), "run": run_id, "cap": new.budget_cap}
            connection.execute(INSERT_BUDGET, budget)
            return RunRef(id=run_id, name=wanted, lane=new.lane, priority=new.priority)
        if new.named:
            break
    raise UsageError(
        f"There is a run called {name!r} already.", mend="choose another --run, or leave it out"
    )


def lock_key(connection: Connection, key: str) -> None:
    """Holds the making of a run by this key until the transaction ends."""
    connection.execute(LOCK_KEY, {"key": key})


def forget_run(connection: Connection, run: RunRef) -> bool:
    """Takes back a run that got no job. False where it has some: whoever made it may not have heard
    that they were committed."""
    connection.execute(FORGET_BUDGET, {"id": run.id})
    return bool(connection.execute(FORGET_RUN, {"id": run.id}).rowcount)


INSERT = text("""
INSERT INTO runs (name, key, kind, parent_id, policy, policy_name, policy_version, lane, priority,
  deadline, budget_cap, selection, audit_share, shadow_share, notify, prompts)
VALUES (:name, :key, :kind, :parent, CAST(:policy AS jsonb), :policy_name, :policy_version, :lane,
  :priority, :deadline, :cap, CAST(:selection AS jsonb), :audit_share, :shadow_share,
  CAST(:notify AS text[]), CAST(:prompts AS jsonb))
ON CONFLICT (name) DO NOTHING RETURNING id
""")
INSERT_BUDGET = text("INSERT INTO budgets (scope, run_id, cap) VALUES (:scope, :run, :cap)")
FORGET_BUDGET = text("""
DELETE FROM budgets
WHERE run_id = :id AND NOT EXISTS (SELECT FROM run_counts WHERE run_id = :id)
""")
FORGET_RUN = text("""
DELETE FROM runs WHERE id = :id AND NOT EXISTS (SELECT FROM run_counts WHERE run_id = :id)
""")
LOCK_KEY = text("SELECT pg_advisory_xact_lock(hashtextextended('reprocess ' || :key, 0))")
