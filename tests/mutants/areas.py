"""Which tests should see what the quick ones do not: the slow ones, the quickest first."""

from tests.support.places import ROOT

QUEUE, ACTIONS = "worker.store.queue.", "worker.store.actions."
READING, STORE_OF = "worker.store.reading.", "worker.store."
TESTS, STORE = "tests/integration/", "tests/integration/store/"
LANES, BATCH = f"{TESTS}lanes/", f"{TESTS}lanes/batch/"
QUICK = tuple(
    str(found.relative_to(ROOT)) for found in sorted((ROOT / STORE).rglob("test_guards*.py"))
)
"""Tests that leave nothing behind: they are asked about every statement of the store."""
LOCKED = f"{STORE}queue/test_rows_held_by_others.py"
PROTOCOL = f"{STORE}queue/test_protocol.py"
TROUBLE = f"{LANES}realtime/test_trouble.py"
BREAKER = f"{STORE}queue/test_breaker.py"
STOPS, WARNINGS = f"{STORE}queue/test_budget_stops.py", f"{STORE}queue/test_budget_warnings.py"
CHANGED = f"{STORE}actions/test_changes.py"
DEADLINES = f"{BATCH}test_batch_deadlines.py"
NIGHT = (f"{BATCH}test_batch_guards.py", f"{BATCH}test_batch_troubles.py",
         f"{BATCH}test_batch_lane.py", DEADLINES)  # fmt: skip
SHADOWS = (f"{STORE}test_shadow_facts.py", f"{TESTS}runs/test_standing_shadows.py")
KNOWN_PAGES = (f"{STORE}test_knowledge.py", f"{LANES}realtime/test_knowledge_shown.py",
               f"{TESTS}cli/test_knowledge.py")  # fmt: skip
LOOK_UPS = (f"{STORE}queue/test_lookup_failures.py", f"{STORE}queue/test_lookup_recovery.py",
            f"{LANES}realtime/test_look_ups.py")  # fmt: skip
AUDITED = (f"{STORE}test_audits.py", SHADOWS[0], f"{TESTS}cli/test_truth.py", SHADOWS[1])
CERTIFIED = (f"{STORE}test_in_force.py", f"{TESTS}cli/test_certify_runs.py")
HELD = (LOCKED, f"{STORE}queue/test_rate_holds.py", CHANGED, STOPS)
SUBMITTED = (LOCKED, f"{STORE}queue/test_chunks.py", f"{TESTS}intake/test_cancelled_intakes.py",
             f"{TESTS}intake/test_handing_over.py",
             f"{TESTS}dashboard/api/test_api_intake.py")  # fmt: skip

SHARED = {f"{STORE_OF}passages": "BEST_OF_FOLDER", f"{QUEUE}ranked": "BEST_OF_MESSAGE"}
"""Parts that statements of several modules have: their faults are looked for where they are
written."""

STATEMENTS: dict[str, tuple[str, ...]] = {
    f"{QUEUE}claim": (LOCKED, PROTOCOL, TROUBLE),
    f"{QUEUE}leases": (PROTOCOL,),
    f"{QUEUE}waiting": (PROTOCOL,),
    f"{QUEUE}record": (PROTOCOL, TROUBLE, f"{STORE}queue/test_spine.py"),
    f"{QUEUE}ledger": (PROTOCOL, TROUBLE, NIGHT[0]),
    f"{QUEUE}rescue": (LOCKED, PROTOCOL, NIGHT[0]),
    f"{QUEUE}dispatch": (LOCKED, PROTOCOL, BREAKER),
    f"{QUEUE}expire": (LOCKED, STOPS, PROTOCOL),
    f"{QUEUE}budgets": (STOPS, WARNINGS, PROTOCOL),
    f"{QUEUE}canaries": (LOCKED, f"{STORE}queue/test_canary.py"),
    f"{QUEUE}breakers": (BREAKER,),
    f"{QUEUE}gates": (LOCKED, BREAKER),
    **dict.fromkeys((f"{QUEUE}{what}" for what in ("message_batches", "batch_attempts", "slices")),
                    NIGHT),
    f"{QUEUE}leaving_batch": (LOCKED, DEADLINES),
    **dict.fromkeys((f"{ACTIONS}erasure", f"{ACTIONS}quoted_words"),
                    (f"{STORE}actions/test_erasure.py",)),
    f"{ACTIONS}named_in_filters": (f"{STORE}actions/test_erased_filters.py",),
    f"{QUEUE}deliveries": (LOCKED, f"{LANES}upkeep/test_deliver.py",
                           f"{TESTS}dashboard/test_deliveries.py"),
    f"{QUEUE}notices": (LOCKED, f"{LANES}upkeep/test_notify.py"),
    f"{ACTIONS}reviews": (f"{STORE}actions/test_review.py",),
    f"{QUEUE}run_ends": (f"{LANES}upkeep/test_finished.py",),
    f"{QUEUE}suspects": (f"{STORE}queue/test_poison.py",),
    f"{QUEUE}unheard_claims": (f"{LANES}realtime/test_unheard_claims.py",),
    f"{QUEUE}knowledge_ways": (KNOWN_PAGES[1],),
    **dict.fromkeys((f"{STORE_OF}passages", f"{STORE_OF}knowledge", f"{READING}knowledge_pages",
                     f"{READING}page_words", f"{READING}sources"), KNOWN_PAGES),
    **dict.fromkeys((f"{STORE_OF}vectors", f"{STORE_OF}vector_indexes"),
                    (f"{STORE}test_vectors.py",)),
    **dict.fromkeys((f"{QUEUE}{what}" for what in ("ranked", "wanting", "shown_passages")),
                    (f"{STORE}queue/test_shown_passages.py",)),
    **dict.fromkeys((f"{QUEUE}lookup_failures", f"{QUEUE}lookup_recovery"), LOOK_UPS),
    **dict.fromkeys((f"{of}audits" for of in (ACTIONS, QUEUE, READING)), AUDITED),
    f"{ACTIONS}truths": AUDITED,
    **dict.fromkeys((f"{ACTIONS}certificates", f"{READING}certificates", f"{QUEUE}certified",
                     f"{QUEUE}vigils"), CERTIFIED),
    **dict.fromkeys((f"{ACTIONS}holds", f"{ACTIONS}caps", f"{READING}queue_holds", f"{QUEUE}halts",
                     f"{QUEUE}rate_holds"), HELD),
    **dict.fromkeys((f"{QUEUE}reading_leases", f"{READING}attention"),
                    (LOCKED, f"{TESTS}runs/test_review_turns.py")),
    f"{READING}graded": (f"{TESTS}runs/test_inquiries.py", f"{TESTS}cli/test_evaluate_runs.py",
                         *CERTIFIED),
    **dict.fromkeys((f"{READING}shadow_facts", f"{READING}facts", f"{ACTIONS}standing_shadows"),
                    (LOCKED, *SHADOWS)),
    f"{READING}blind_pairs": (f"{TESTS}runs/test_compare.py",),
    f"{QUEUE}judgements": (AUDITED[0], PROTOCOL),
    **dict.fromkeys((f"{QUEUE}intake", f"{QUEUE}run_intake", f"{QUEUE}trial", f"{QUEUE}chunks"),
                    SUBMITTED),
    **dict.fromkeys((f"{QUEUE}presence", f"{QUEUE}rounds"),
                    (f"{STORE}queue/test_rounds.py", f"{LANES}upkeep/test_watchdog.py")),
    f"{QUEUE}paces": (f"{STORE}queue/test_paces.py", DEADLINES),
    **dict.fromkeys((f"{QUEUE}budget_warnings", f"{QUEUE}reservations"), (WARNINGS,)),
    f"{ACTIONS}schedules": (f"{TESTS}runs/test_schedule.py",),
    f"{ACTIONS}inquiries": (f"{TESTS}runs/test_inquiries.py",),
    f"{STORE_OF}sessions": (f"{STORE}test_sessions.py",),
    f"{STORE_OF}rights": (f"{STORE}test_rights.py",),
}  # fmt: skip
"""Modules whose statements are texts of SQL; of others the quick tests alone are asked."""

EXPRESSIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((f"{ACTIONS}choosing", f"{ACTIONS}recent_costs"),
                    (f"{STORE}actions/test_guards_of_choosing.py",
                     f"{TESTS}runs/test_reprocess.py")),
    **dict.fromkeys((f"{ACTIONS}{what}" for what in ("changes", "foresight", "selection")),
                    (f"{STORE}actions/test_guards_of_changes.py", CHANGED)),
}  # fmt: skip
"""Modules that put their statements together."""
