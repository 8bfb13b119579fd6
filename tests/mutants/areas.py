"""Where faults are looked for, and which tests should see them, the quickest first."""

QUEUE, ACTIONS = "worker.store.queue.", "worker.store.actions."
STORE, BATCH = "tests/integration/store/", "tests/integration/lanes/batch/"
QUICK = (
    f"{STORE}queue/test_guards.py",
    *(f"{STORE}queue/test_guards_of_{what}.py" for what in ("records", "budgets", "canaries")),
    f"{STORE}queue/test_guards_of_batches.py",
    f"{STORE}queue/test_guards_of_reading_back.py",
    f"{STORE}actions/test_guards_of_erasure.py",
)
"""Tests that leave nothing behind."""
PROTOCOL = f"{STORE}queue/test_protocol.py"
TROUBLE = "tests/integration/lanes/realtime/test_trouble.py"
NIGHT = (f"{BATCH}test_batch_guards.py", f"{BATCH}test_batch_troubles.py",
         f"{BATCH}test_batch_lane.py", f"{BATCH}test_batch_deadlines.py")  # fmt: skip

STATEMENTS: dict[str, tuple[str, ...]] = {
    f"{QUEUE}claim": (*QUICK, PROTOCOL, TROUBLE),
    f"{QUEUE}leases": (*QUICK, PROTOCOL),
    f"{QUEUE}waiting": (*QUICK, PROTOCOL),
    f"{QUEUE}record": (*QUICK, PROTOCOL, TROUBLE, f"{STORE}queue/test_spine.py"),
    f"{QUEUE}ledger": (*QUICK, PROTOCOL, TROUBLE, *NIGHT[:1]),
    f"{QUEUE}rescue": (*QUICK, PROTOCOL, *NIGHT[:1]),
    f"{QUEUE}dispatch": (*QUICK, PROTOCOL, f"{STORE}queue/test_breaker.py"),
    f"{QUEUE}expire": (*QUICK, f"{STORE}queue/test_budget_stops.py", PROTOCOL),
    f"{QUEUE}budgets": (
        *QUICK,
        f"{STORE}queue/test_budget_stops.py",
        f"{STORE}queue/test_budget_warnings.py",
        PROTOCOL,
    ),
    f"{QUEUE}canaries": (*QUICK, f"{STORE}queue/test_canary.py"),
    f"{QUEUE}breakers": (*QUICK, f"{STORE}queue/test_breaker.py"),
    f"{QUEUE}gates": (*QUICK, f"{STORE}queue/test_breaker.py"),
    f"{QUEUE}message_batches": (*QUICK, *NIGHT),
    f"{QUEUE}batch_attempts": (*QUICK, *NIGHT),
    f"{QUEUE}slices": (*QUICK, *NIGHT),
    f"{QUEUE}leaving_batch": (*QUICK, f"{BATCH}test_batch_deadlines.py"),
    f"{ACTIONS}erasure": (*QUICK, f"{STORE}actions/test_erasure.py"),
    f"{QUEUE}deliveries": (
        f"{STORE}queue/test_guards_of_deliveries.py",
        "tests/integration/lanes/upkeep/test_deliver.py",
        "tests/integration/dashboard/test_deliveries.py",
    ),
    f"{QUEUE}notices": (
        f"{STORE}queue/test_guards_of_ends.py",
        "tests/integration/lanes/upkeep/test_notify.py",
    ),
    f"{ACTIONS}reviews": (
        f"{STORE}queue/test_guards_of_ends.py",
        f"{STORE}actions/test_review.py",
    ),
    f"{QUEUE}run_ends": (
        f"{STORE}queue/test_guards_of_ends.py",
        "tests/integration/lanes/upkeep/test_finished.py",
    ),
    f"{QUEUE}suspects": (
        f"{STORE}queue/test_guards_of_ends.py",
        f"{STORE}queue/test_poison.py",
    ),
    f"{QUEUE}unheard_claims": (
        f"{STORE}queue/test_guards_of_ends.py",
        "tests/integration/lanes/realtime/test_unheard_claims.py",
    ),
    f"{QUEUE}knowledge": (
        f"{STORE}queue/test_guards_of_ends.py",
        "tests/integration/lanes/realtime/test_knowledge_shown.py",
    ),
}
"""Modules whose statements are texts of SQL."""

EXPRESSIONS: dict[str, tuple[str, ...]] = {
    f"{ACTIONS}choosing": (
        f"{STORE}actions/test_guards_of_choosing.py",
        "tests/integration/runs/test_reprocess.py",
    ),
    f"{ACTIONS}changes": (
        f"{STORE}actions/test_guards_of_changes.py",
        f"{STORE}actions/test_changes.py",
    ),
    f"{ACTIONS}foresight": (
        f"{STORE}actions/test_guards_of_changes.py",
        f"{STORE}actions/test_changes.py",
    ),
    f"{ACTIONS}recent_costs": (
        f"{STORE}actions/test_guards_of_choosing.py",
        "tests/integration/runs/test_reprocess.py",
    ),
    f"{ACTIONS}selection": (
        f"{STORE}actions/test_guards_of_changes.py",
        f"{STORE}actions/test_changes.py",
    ),
}
"""Modules that put their statements together."""
