"""Where faults are looked for, and which tests should see them, the quickest first."""

QUEUE, ACTIONS = "worker.store.queue.", "worker.store.actions."
READING, STORE_OF = "worker.store.reading.", "worker.store."
STORE, BATCH = "tests/integration/store/", "tests/integration/lanes/batch/"
QUICK = (
    f"{STORE}queue/test_guards.py",
    *(f"{STORE}queue/test_guards_of_{what}.py" for what in ("records", "budgets", "canaries")),
    f"{STORE}queue/test_guards_of_batches.py",
    f"{STORE}queue/test_guards_of_reading_back.py",
    *(f"{STORE}queue/test_guards_of_{what}.py" for what in ("audits", "truths", "holds", "grades")),
    *(f"{STORE}queue/test_guards_of_{what}.py" for what in ("people", "pages", "sync", "workers")),
    f"{STORE}queue/test_guards_of_ranking.py",
    *(f"{STORE}queue/test_guards_of_{what}.py" for what in ("intake", "paces", "ends")),
    f"{STORE}actions/test_guards_of_erasure.py",
    *(f"{STORE}reading/test_guards_of_{what}.py" for what in ("standings", "status", "screens")),
    *(f"{STORE}reading/test_guards_of_{what}.py" for what in ("receipts", "review_queue", "bills")),
)
"""Tests that leave nothing behind."""
PROTOCOL = f"{STORE}queue/test_protocol.py"
LOCKED = f"{STORE}queue/test_rows_held_by_others.py"
TROUBLE = "tests/integration/lanes/realtime/test_trouble.py"
NIGHT = (f"{BATCH}test_batch_guards.py", f"{BATCH}test_batch_troubles.py",
         f"{BATCH}test_batch_lane.py", f"{BATCH}test_batch_deadlines.py")  # fmt: skip
KNOWN_PAGES = (
    f"{STORE}queue/test_guards_of_pages.py",
    f"{STORE}queue/test_guards_of_page_words.py",
    f"{STORE}queue/test_guards_of_search.py",
    f"{STORE}test_knowledge.py",
    "tests/integration/lanes/realtime/test_knowledge_shown.py",
    "tests/integration/cli/test_knowledge.py",
)
LOOK_UPS = (
    f"{STORE}queue/test_guards_of_holds.py",
    f"{STORE}queue/test_lookup_failures.py",
    f"{STORE}queue/test_lookup_recovery.py",
    "tests/integration/lanes/realtime/test_look_ups.py",
)
AUDITED = (
    f"{STORE}queue/test_guards_of_audits.py",
    f"{STORE}queue/test_guards_of_truths.py",
    f"{STORE}test_audits.py",
    f"{STORE}test_shadow_facts.py",
    "tests/integration/cli/test_truth.py",
    "tests/integration/runs/test_standing_shadows.py",
)
CERTIFIED = (
    f"{STORE}queue/test_guards_of_truths.py",
    f"{STORE}queue/test_guards_of_pages.py",
    f"{STORE}test_in_force.py",
    "tests/integration/cli/test_certify_runs.py",
)
GRADED = (
    f"{STORE}queue/test_guards_of_grades.py",
    "tests/integration/runs/test_inquiries.py",
    "tests/integration/cli/test_evaluate_runs.py",
    f"{STORE}test_in_force.py",
    "tests/integration/cli/test_certify_runs.py",
)
WORKERS = f"{STORE}queue/test_guards_of_workers.py"
SHADOWED = (
    WORKERS,
    LOCKED,
    f"{STORE}queue/test_guards_of_grades.py",
    f"{STORE}test_shadow_facts.py",
    "tests/integration/runs/test_standing_shadows.py",
)
SUBMITTED = (
    f"{STORE}queue/test_guards_of_intake.py",
    f"{STORE}queue/test_guards_of_ends.py",
    LOCKED,
    WORKERS,
    f"{STORE}queue/test_chunks.py",
    "tests/integration/intake/test_cancelled_intakes.py",
    "tests/integration/intake/test_handing_over.py",
    "tests/integration/dashboard/api/test_api_intake.py",
)
ALIVE = (
    WORKERS,
    f"{STORE}queue/test_rounds.py",
    f"{STORE}queue/test_guards.py",
    "tests/integration/lanes/upkeep/test_watchdog.py",
)
HELD = (
    LOCKED,
    f"{STORE}queue/test_guards_of_holds.py",
    f"{STORE}queue/test_rate_holds.py",
    f"{STORE}actions/test_changes.py",
    f"{STORE}queue/test_budget_stops.py",
)

SHARED = {f"{STORE_OF}passages": "BEST_OF_FOLDER", f"{QUEUE}ranked": "BEST_OF_MESSAGE"}
"""Parts that statements of several modules have: their faults are looked for where they are
written."""

STATEMENTS: dict[str, tuple[str, ...]] = {
    f"{QUEUE}claim": (*QUICK, LOCKED, PROTOCOL, TROUBLE),
    f"{QUEUE}leases": (*QUICK, PROTOCOL),
    f"{QUEUE}waiting": (*QUICK, PROTOCOL),
    f"{QUEUE}record": (*QUICK, PROTOCOL, TROUBLE, f"{STORE}queue/test_spine.py"),
    f"{QUEUE}ledger": (*QUICK, PROTOCOL, TROUBLE, *NIGHT[:1]),
    f"{QUEUE}rescue": (*QUICK, LOCKED, PROTOCOL, *NIGHT[:1]),
    f"{QUEUE}dispatch": (*QUICK, LOCKED, PROTOCOL, f"{STORE}queue/test_breaker.py"),
    f"{QUEUE}expire": (*QUICK, LOCKED, f"{STORE}queue/test_budget_stops.py", PROTOCOL),
    f"{QUEUE}budgets": (
        *QUICK,
        f"{STORE}queue/test_budget_stops.py",
        f"{STORE}queue/test_budget_warnings.py",
        PROTOCOL,
    ),
    f"{QUEUE}canaries": (
        *QUICK,
        LOCKED,
        f"{STORE}queue/test_canary.py",
        f"{STORE}reading/test_guards_of_trials.py",
    ),
    f"{QUEUE}breakers": (*QUICK, f"{STORE}queue/test_breaker.py"),
    f"{QUEUE}gates": (*QUICK, LOCKED, f"{STORE}queue/test_breaker.py"),
    f"{QUEUE}message_batches": (*QUICK, *NIGHT),
    f"{QUEUE}batch_attempts": (*QUICK, *NIGHT),
    f"{QUEUE}slices": (*QUICK, *NIGHT),
    f"{QUEUE}leaving_batch": (*QUICK, LOCKED, f"{BATCH}test_batch_deadlines.py"),
    f"{ACTIONS}erasure": (*QUICK, f"{STORE}actions/test_erasure.py"),
    f"{ACTIONS}quoted_words": (*QUICK, f"{STORE}actions/test_erasure.py"),
    f"{QUEUE}deliveries": (
        LOCKED,
        f"{STORE}queue/test_guards_of_deliveries.py",
        "tests/integration/lanes/upkeep/test_deliver.py",
        "tests/integration/dashboard/test_deliveries.py",
    ),
    f"{ACTIONS}redeliveries": (f"{STORE}actions/test_guards_of_redeliveries.py",),
    f"{QUEUE}notices": (
        LOCKED,
        f"{STORE}queue/test_guards_of_ends.py",
        "tests/integration/lanes/upkeep/test_notify.py",
    ),
    f"{ACTIONS}glances": (f"{STORE}actions/test_guards_of_glances.py",),
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
    f"{QUEUE}knowledge_ways": (
        f"{STORE}queue/test_guards_of_ends.py",
        "tests/integration/lanes/realtime/test_knowledge_shown.py",
    ),
    **dict.fromkeys(
        (
            f"{STORE_OF}passages",
            *(f"{READING}{what}" for what in ("knowledge_pages", "page_words", "sources")),
        ),
        KNOWN_PAGES,
    ),
    **dict.fromkeys(
        (f"{QUEUE}ranked", f"{QUEUE}wanting"),
        (f"{STORE}queue/test_guards_of_ranking.py", f"{STORE}queue/test_shown_passages.py"),
    ),
    f"{STORE_OF}knowledge": (f"{STORE}queue/test_guards_of_sync.py", *KNOWN_PAGES[1:]),
    **dict.fromkeys((f"{QUEUE}lookup_failures", f"{QUEUE}lookup_recovery"), LOOK_UPS),
    **dict.fromkeys((f"{of}audits" for of in (ACTIONS, QUEUE, READING)), AUDITED),
    f"{ACTIONS}truths": AUDITED,
    **dict.fromkeys((f"{ACTIONS}certificates", f"{READING}certificates"), CERTIFIED),
    **dict.fromkeys((f"{QUEUE}certified", f"{QUEUE}vigils"), CERTIFIED),
    **dict.fromkeys((f"{ACTIONS}holds", f"{ACTIONS}caps", f"{READING}queue_holds"), HELD),
    **dict.fromkeys((f"{QUEUE}halts", f"{QUEUE}rate_holds"), HELD),
    **dict.fromkeys(
        (f"{QUEUE}reading_leases", f"{READING}attention"),
        (f"{STORE}queue/test_guards_of_people.py", "tests/integration/runs/test_review_turns.py"),
    ),
    f"{QUEUE}silencing": (f"{STORE}queue/test_guards_of_people.py",),
    f"{READING}graded": GRADED,
    f"{READING}job_samples": (f"{STORE}queue/test_guards_of_samples.py",),
    **dict.fromkeys((f"{READING}shadow_facts", f"{READING}facts"), SHADOWED),
    f"{ACTIONS}standing_shadows": SHADOWED,
    f"{READING}blind_pairs": (
        f"{STORE}queue/test_guards_of_grades.py",
        "tests/integration/runs/test_compare.py",
    ),
    f"{QUEUE}judgements": (f"{STORE}queue/test_guards_of_grades.py", *AUDITED[2:3], PROTOCOL),
    **dict.fromkeys(
        (f"{QUEUE}intake", f"{QUEUE}run_intake", f"{QUEUE}trial", f"{QUEUE}chunks"), SUBMITTED
    ),
    **dict.fromkeys((f"{QUEUE}presence", f"{QUEUE}rounds"), ALIVE),
    f"{QUEUE}paces": (
        f"{STORE}queue/test_guards_of_paces.py",
        f"{STORE}queue/test_paces.py",
        f"{BATCH}test_batch_deadlines.py",
    ),
    f"{QUEUE}budget_warnings": (WORKERS, f"{STORE}queue/test_budget_warnings.py"),
    f"{QUEUE}reservations": (WORKERS, f"{STORE}queue/test_budget_warnings.py"),
    f"{ACTIONS}schedules": (
        f"{STORE}actions/test_guards_of_schedules.py",
        "tests/integration/runs/test_schedule.py",
    ),
    f"{ACTIONS}inquiries": (
        f"{STORE}actions/test_guards_of_inquiries.py",
        "tests/integration/runs/test_inquiries.py",
    ),
    f"{STORE_OF}sessions": (f"{STORE}test_sessions.py",),
    **{
        f"{READING}{what}": (f"{STORE}reading/test_guards_of_{what}.py",)
        for what in ("standings", "status", "screens", "receipts", "review_queue")
    },
    f"{READING}batches": (f"{STORE}reading/test_guards_of_status.py",),
    f"{READING}trials": (f"{STORE}reading/test_guards_of_trials.py",),
    f"{READING}bill": (f"{STORE}reading/test_guards_of_bills.py",),
    f"{READING}job_counts": (f"{STORE}reading/test_guards_of_screens.py",),
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
