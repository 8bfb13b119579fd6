"""The frozen policies of runs, parsed once in each process: a run's policy never changes, but for
the state of the certificate that it has in force, which is that of the moment."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from worker.domain.in_force import InForce
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document, rules_of
from worker.domain.prompts import Prompt, Prompts
from worker.errors import ConfigurationError
from worker.store.prompts import read_prompts

VOID = "void"


class Frozen(NamedTuple):
    """What a run keeps as it was when it began."""

    policy: Policy
    version: str
    prompts: Prompts | None = None


class PolicyCache:
    """What runs froze, by run, read through. Small: a run's entry is a few kilobytes, and prompts
    are shared."""

    MAX_RUNS = 500

    def __init__(self) -> None:
        self._known: dict[int, Frozen] = {}
        self._prompts: dict[str, Prompt] = {}

    @property
    def known(self) -> Mapping[int, Frozen]:
        """Those that were read already: a copy, for other threads read more of them meanwhile."""
        return dict(self._known)

    def of(self, connection: Connection, runs: Iterable[int]) -> dict[int, Frozen]:
        """The policies of `runs`."""
        wanted = set(runs)
        missing = [run for run in wanted if run not in self._known]
        if missing:
            if len(self._known) > self.MAX_RUNS:
                self._known = {run: self._known[run] for run in wanted if run in self._known}
            for row in connection.execute(READ, {"ids": missing}).all():
                prompts = self._prompts_of(connection, row.prompts)
                self._known[row.id] = Frozen(from_document(row.policy), row.policy_version, prompts)
        self._stand(connection, wanted)
        return {run: self._known[run] for run in wanted}

    def _prompts_of(
        self, connection: Connection, versions: Mapping[str, str] | None
    ) -> Prompts | None:
        """None where the run froze none."""
        if versions is None:
            return None
        if missing := set(versions.values()) - set(self._prompts):
            self._prompts |= read_prompts(connection, missing)
        return {purpose: self._prompts[version] for purpose, version in versions.items()}

    def _stand(self, connection: Connection, wanted: Iterable[int]) -> None:
        """Gives the certificates in force the state that they are in now."""
        holding = {
            run: held for run in wanted if (held := self._known[run][0].accept.in_force) is not None
        }
        if not holding:
            return
        numbers = {"ids": sorted({held.number for held in holding.values()})}
        states: dict[int, Any] = {row.id: row.state for row in connection.execute(STATES, numbers)}
        for run, held in holding.items():
            state = states.get(held.number, VOID)
            if state != held.state:
                known = self._known[run]
                self._known[run] = known._replace(policy=standing_as(known.policy, state))


def standing_as(policy: Policy, state: Any) -> Policy:
    """The policy with its certificate in this state."""
    assert policy.accept.in_force is not None, "a certificate is in force"
    held = replace(policy.accept.in_force, state=state)
    return replace(policy, accept=replace(policy.accept, in_force=held))


def put_in_force(connection: Connection, policy: Policy) -> Policy:
    """The policy as a run freezes it: with the certificate that it names. Raises
    ConfigurationError when there is none such, it is void, or it was proved under other rules."""
    number = policy.accept.certificate
    if number is None:
        return policy
    row = connection.execute(CERTIFICATE, {"id": number}).one_or_none()
    if row is None:
        raise ConfigurationError(
            f"Policy {policy.name!r}: there is no certificate {number}.", mend="rung certificates"
        )
    if row.state == VOID:
        raise ConfigurationError(
            f"Policy {policy.name!r}: certificate {number} is void: {row.voided_by}.",
            mend="take accept.certificate out of the policy, or certify anew",
        )
    if row.key.get("policy_version") != rules_of(policy) or row.tier not in policy.ladder:
        raise ConfigurationError(
            f"Policy {policy.name!r}: certificate {number} was proved of answers under other rules"
            " than this policy's, so it holds for none of its answers.",
            mend="use the policy that the certified runs had, with accept.certificate alone added",
        )
    held = InForce(
        number=row.id,
        tier=row.tier,
        threshold=row.threshold,
        fallback=row.fallback,
        scorer=json.dumps(row.scorer, sort_keys=True) if row.scorer is not None else None,
        segment_by=row.segment_by,
        key=row.key,
        rehearsal=row.rehearsal,
        state=row.state,
    )
    return replace(policy, accept=replace(policy.accept, in_force=held))


def policies_of_origins(connection: Connection, run_id: int) -> list[Policy]:
    """The different policies of the jobs that this run's jobs are made from."""
    found = connection.execute(ORIGIN_POLICIES, {"run": run_id})
    return [from_document(document) for document in found.scalars()]


READ = text("SELECT id, policy, policy_version, prompts FROM runs WHERE id = ANY(:ids)")
STATES = text("SELECT id, state FROM certificates WHERE id = ANY(:ids)")
CERTIFICATE = text("SELECT * FROM certificates WHERE id = :id")
ORIGIN_POLICIES = text("""
SELECT policy FROM runs WHERE id IN (
  SELECT DISTINCT o.run_id FROM jobs AS j JOIN jobs AS o ON o.id = j.origin_id
  WHERE j.run_id = :run)
""")
