"""Faults that change nothing, and why: no test can see them."""

import re


def _of_deeds(which: str, faults: str, why: str) -> dict[str, str]:
    return {f"deeds.AUDIT_OF[({which})]: {fault}": why for fault in faults.splitlines()}


ANOTHER = "who is named, or what, chooses another statement"
TWICE = "said twice: for the index, and of what it gives"
NOT_WHO = """(CAST(:who AS text) IS NULL OR actor = :who) -> true
actor = :who -> false"""
NOT_WHAT = """(CAST(:what AS text) IS NULL OR action = :what) -> true
action = :what -> false"""
BY_WHO = """actor >= :who -> true
(CAST(:who AS text) IS NULL OR actor = :who) -> true
CAST(:who AS text) IS NULL -> false"""
BY_WHAT = """action >= :what -> true
(CAST(:what AS text) IS NULL OR action = :what) -> true
CAST(:what AS text) IS NULL -> false"""
ALIKE = {
    **_of_deeds("False, False", f"{NOT_WHO}\n{NOT_WHAT}", ANOTHER),
    **_of_deeds("True, False", NOT_WHAT, ANOTHER),
    **_of_deeds("False, True", NOT_WHO, ANOTHER),
    **_of_deeds("True, False", BY_WHO, TWICE),
    **_of_deeds("False, True", BY_WHAT, TWICE),
    **_of_deeds("True, True", BY_WHO, TWICE),
    "deeds.AUDIT_OF[(True, True)]: CAST(:what AS text) IS NULL -> false": ANOTHER,
    "sampling.SAMPLE: low IS NOT NULL -> true": "a run without jobs has none behind any point",
    "sampling.COSTS: , :steps -> left out": "nothing ended later than the last, which is within",
    "results.RESULTS[ready]: m.erased_at IS NOT NULL -> false": "what is erased is not ready",
    **dict.fromkeys(
        (
            "results.RESULTS[ready]: v.verdict IS NULL -> true",
            "results.RESULTS[ready]: r.accepted -> true",
        ),
        "what is ready and has no verdict is accepted; what has one is looked at before",
    ),
    "results.RESULTS[answered]: j.reason IS NOT NULL -> true": "none of these states is asked for",
    **dict.fromkeys(
        (
            f"results.RESULTS[{state}]: j.state IN ('dead', 'review', 'cancelled') -> true"
            for state in ("review", "dead")
        ),
        "the state is asked for",
    ),
    "notices.TO_MAIL: NOT EXISTS (SELECT FROM notice_mails AS m WHERE m.notice_id = n.id)"
    " -> true": "spares a try: a conflict of keys does nothing",
    **dict.fromkeys(
        (
            f"reviews.{one}: target = ANY(ARRAY(SELECT name FROM delivery_targets)) -> true"
            for one in ("WITHDRAW", "GONE_OUT", "RESTORE")
        ),
        "every delivery is for one of the targets, by its key; said for the index alone",
    ),
    **dict.fromkeys(
        ("budgets.SETTLE: , 0 -> left out", "reservations.RECONCILE: , 0 -> left out"),
        "an overrun is not below 0, so 0 is never the greatest",
    ),
    "message_batches.KNOWN: counts ? 'foreign' -> true": "a list that is absent has no elements",
    "message_batches.UNWANTED: - coalesce(submitted_at, created_at) -> left out": "nobody reads the"
    " age of a batch that is to be cancelled; that of the others is tested",
    "audits.DRAW_LATER: CAST(:share AS numeric) > 0 -> true": "spares a walk over the run: no hash"
    " is below a share of zero",
    "audits.QUEUE: CAST(:holder AS text) IS NULL -> false": "nobody's name differs from null",
    "passages.SEARCH: exact.word IS NULL -> true": "spares looking: a word that is known is meant",
    "inquiries.UNASKED: k.message_id = j.message_id -> true": "a job that comes from another is of"
    " the same message; said for the index alone",
    **dict.fromkeys(
        (
            f"run_intake.END_LEFT_OPEN: {condition} -> true"
            for condition in (
                "EXISTS ( SELECT FROM run_counts AS c WHERE c.run_id = runs.id AND c.jobs > 0 AND"
                " c.state IN ('queued', 'routed'))",
                "c.run_id = runs.id",
                "c.jobs > 0",
                "c.state IN ('queued', 'routed')",
            )
        ),
        "spares a look at the jobs of runs in which none is open",
    ),
    "standings.LIVE_RUNS: r.finished_at IS NULL -> true": "what is left of a run is told of those"
    " under way, and this statement names no others",
    "batches.UNDER_WAY: state IN ('intended', 'submitted', 'ended') -> true": "spares reading"
    " what is over: each figure has its own state",
    **dict.fromkeys(
        ("facts.CLIMBS: escalations > 0 -> true", "facts.NEXT: escalations > 0 -> true"),
        "spares looking for steps of those who never climbed",
    ),
    "audits.NEWEST: u.id IS NOT NULL -> true": "no row stands there for none, as it does in COUNTS",
}
"""By the statement and what becomes of it; where it stands may change."""
EXPRESSIONS_ALIKE = {
    **dict.fromkeys(
        (
            "changes: _OF_OTHERS) if change.able is OPEN and chosen.run_",
            'changes: _under_way.c.state != "finished").scalar_subquery(',
        ),
        "a run that has finished has no open job; said for the index alone",
    ),
}
"""By the module and what is left out; where it stands may change."""
CHOSEN_ALIKE = {
    "models.message_keys: 'WHEN (old.id IS DISTINCT FROM new.id)' -> ''": (
        "an id that Postgres always makes can be set to its default alone, which is a new one"
    ),
    "domain.shared_labels: 'question is None or question.together == 1' -> 'question is None'": (
        "a group of one is full, so the next of its kind begins another anyway"
    ),
    """domain.timetable: 'return f"cron {table.cron!r} is never due"' -> 'return None'""": (
        "the library refuses a day that no month has before it is asked for the next"
    ),
    "intake.records: 'yield Fields(start, [], \"malformed quoting\")\\n            continue'"
    " -> 'return'": (
        "csv finds nothing wrong in whole lines unless it is strict; kept for what it may yet find"
    ),
    "intake.numbered_dates: 'return first > 12' -> 'return first < 12'": (
        "what is no month is looked at again, by a library that takes it for the day"
    ),
    "claude.rate_limits.lua: 'math.max(seen, hold), 0' -> 'seen, 0'": (
        "whatever holds a tier begins its ramp at the end of the hold, and no ramp earns before it"
    ),
    "intake.jsonl: 'elif dropping:\\n            held = b\"\"' -> ''": (
        "while a line is being dropped nothing reads what is held of it, which is one piece"
    ),
    "intake.threads: 'key=lambda number: (moments[number], number)' -> 'key=lambda number:"
    " moments[number]'": "a sort leaves what is equal in its order, which is that of the file",
    "intake.dates: 'and not isinstance(value, bool):' -> ':'": "1 and 0 are no times either",
    "intake.dates: 'else first > 12' -> 'else first < 12'": (
        "the library turns round what cannot be a month"
    ),
    'intake.tables: \'if said.startswith("sep=") and said[4:5] in DELIMITERS:\\n'
    "        return said[4]' -> ''": (
        "the line itself parts in two at its own delimiter alone, so that one is found anyway"
    ),
    "domain.validation.grounded: 'if cited is not None and left_out and not any' -> 'if cited is"
    " not None and not any'": "where no passage is left out, the same is missing of all of them",
    "domain.context: 'if place >= first_page' -> 'if place > first_page'": (
        "the first page is made harmless all the same, and only not kept for the next message"
    ),
    "domain.knowledge_cost: 'max(LEAST_S, EACH_S * messages)' -> 'EACH_S * messages'": (
        "a prefix is written once in five minutes, however few of their seconds a run takes"
    ),
    "lanes.upkeep.watchdog: 'if now - self._looked_at < self._after_s / LOOKS:' -> 'if False:'": (
        "spares a statement: however often it looks, the same time is added up"
    ),
}
"""Of those chosen by hand, by their whole name."""


def why(name: str) -> str | None:
    """The reason for which a fault is equivalent; None for one that should be seen."""
    if name in CHOSEN_ALIKE:
        return CHOSEN_ALIKE[name]
    expression = re.sub(r" \d+: line \d+, ", ": ", name)
    if expression in EXPRESSIONS_ALIKE:
        return EXPRESSIONS_ALIKE[expression]
    statement, _, fault = name.partition(" at ")
    return ALIKE.get(f"{statement}: {fault.partition(': ')[2]}")
