"""The ladder as a picture: figures in, shapes and words out. Pure.

From the ground up: what was submitted, one rung for each tier, and a person at the top. A rung's
bar is the share of all messages that stopped there; between two rungs stands how many climbed, and
why. There are two drawings of the same figures, a wide and a narrow one; the style sheet shows one.
"""

from collections.abc import Mapping, Sequence

from models.vocabulary import OPEN_STATES, PERSON, ROUTING, JobState
from worker.dashboard.screens.ladder_picture import Arrow, Picture, Rung
from worker.dashboard.screens.links import JobLinks, Linked, is_in, is_not_in
from worker.domain.wording import count, percent, plural, reason, state_word
from worker.store.reading.screens import ClimbCount

REASONS_SHOWN = 3


def picture(
    tiers: Sequence[str],
    counts: Mapping[tuple[str, str], int],
    steps: Sequence[ClimbCount],
    models: Mapping[str, str],
    decided: int = 0,
    runs: Sequence[str] = (),
) -> Picture:
    """From jobs by (state, tier) and escalations by step and reason, the most frequent first.
    `tiers` are the ladder's, cheapest first; tiers that only the figures know come below. People
    have given a verdict on `decided` of those in review; `runs` are the names of those that the
    figures are of."""
    known = {tier for _, tier in counts if tier} | {step.from_tier for step in steps}
    ladder = [*sorted(known - {*tiers, PERSON}), *tiers]
    total = sum(counts.values())
    links = JobLinks(runs)
    rungs = [_person(counts, total, decided, links)]
    for place in range(len(ladder) - 1, -1, -1):
        tier = ladder[place]
        above = ladder[place + 1] if place + 1 < len(ladder) else PERSON
        climb = _climb(tier, above, steps, total, links)
        rungs.append(_tier(tier, counts, total, models.get(tier, ""), climb, links))
    starts = _starts(ladder, counts, steps, links)
    rungs.append(_ground(ladder, counts, total, starts, links))
    return Picture(tuple(rungs), _sentence(rungs, total))


def _tier(
    tier: str,
    counts: Mapping[tuple[str, str], int],
    total: int,
    model: str,
    climb: Arrow | None,
    links: JobLinks,
) -> Rung:
    here = is_in("tier", tier)
    stopped, dead = counts.get(("answered", tier), 0), counts.get(("dead", tier), 0)
    batched = counts.get(("submitted", tier), 0)
    busy = sum(counts.get((state, tier), 0) for state in OPEN_STATES)
    in_batches = _in_batches(batched, busy)
    figures = [links.linked(f"{count(stopped)} answered", is_in("state", "answered"), here)]
    figures += [Linked(percent(stopped / total))] if stopped else []
    if dead:
        figures.append(links.linked(plural(dead, "dead letter"), is_in("state", "dead"), here))
    open_ = is_in("state", *map(str, OPEN_STATES))
    return Rung(
        name=tier,
        kind="tier",
        title=tier,
        note=model,
        stopped=stopped / total if total else 0.0,
        busy=busy / total if total else 0.0,
        figures=tuple(figures),
        open=(links.linked(f"{count(busy)} open{in_batches}", open_, here),) if busy else (),
        climb=climb,
    )


def _climb(
    tier: str, above: str, steps: Sequence[ClimbCount], total: int, links: JobLinks
) -> Arrow | None:
    mine = [step for step in steps if step.from_tier == tier]
    jobs = sum(step.escalations for step in mine)
    if not jobs:
        return None
    leaps = {
        target: sum(step.escalations for step in mine if step.to_tier == target)
        for target in dict.fromkeys(step.to_tier for step in mine)
        if target != above
    }
    if [*leaps.values()] == [jobs]:
        to = f" straight to {_target(next(iter(leaps)))}"
    else:
        to = "".join(f", {count(n)} straight to {_target(t)}" for t, n in leaps.items())
    by_reason: dict[str, int] = {}
    for step in mine:
        by_reason[step.reason] = by_reason.get(step.reason, 0) + step.escalations
    first = sorted(by_reason.items(), key=lambda item: -item[1])[:REASONS_SHOWN]
    rest = jobs - sum(n for _, n in first)
    why = " · ".join(f"{reason(word)} {count(n)}" for word, n in first)
    why += f" · other {count(rest)}" if rest else ""
    share = jobs / total if total else 0.0
    weight = round(1.5 + 8.5 * min(share * 2, 1), 1)
    href = links.of(is_in("climbed", tier))
    return Arrow(jobs=jobs, words=f"{count(jobs)} climbed{to}", why=why, weight=weight, href=href)


def _target(tier: str) -> str:
    return "a person" if tier == PERSON else tier


def _person(
    counts: Mapping[tuple[str, str], int], total: int, decided: int, links: JobLinks
) -> Rung:
    jobs = sum(n for (state, _), n in counts.items() if state == "review")
    figures = [
        links.linked(f"{count(jobs)} {state_word(JobState.REVIEW)}", is_in("state", "review"))
    ]
    figures += [Linked(percent(jobs / total))] if jobs else []
    figures += [Linked(f"{count(decided)} decided")] if decided else []
    share = jobs / total if total else 0.0
    return Rung(
        name=PERSON,
        kind="person",
        title="a person",
        stopped=share,
        figures=tuple(figures),
    )


def _starts(
    ladder: Sequence[str],
    counts: Mapping[tuple[str, str], int],
    steps: Sequence[ClimbCount],
    links: JobLinks,
) -> Arrow | None:
    """Where messages were routed to: what is or ended at a tier, less who climbed there, and who
    climbed away."""
    starts = []
    for tier in ladder:
        here = sum(jobs for (_, at), jobs in counts.items() if at == tier)
        came = sum(step.escalations for step in steps if step.to_tier == tier)
        left = sum(
            step.escalations for step in steps if step.from_tier == tier and step.to_tier != PERSON
        )
        starts.append((tier, here - came + left))
    routed = sum(jobs for _, jobs in starts)
    if not routed:
        return None
    why = " · ".join(f"{tier} {count(jobs)}" for tier, jobs in starts if jobs)
    href = links.of(is_in("tier", *ladder))
    return Arrow(
        jobs=routed, words=f"{count(routed)} routed", why=f"to {why}", weight=4.0, href=href
    )


def _ground(
    ladder: Sequence[str],
    counts: Mapping[tuple[str, str], int],
    total: int,
    starts: Arrow | None,
    links: JobLinks,
) -> Rung:
    batched = counts.get(("submitted", ""), 0)
    queued = sum(n for (state, _), n in counts.items() if state == "queued") + batched
    # What died at a tier stands there; a cancelled one has no place of its own.
    dead = counts.get(("dead", ""), 0)
    cancelled = sum(n for (state, _), n in counts.items() if state == "cancelled")
    nowhere, figures = is_not_in("tier", *ladder), [links.linked(f"{count(total)} submitted")]
    if dead:
        figures.append(links.linked(plural(dead, "dead letter"), is_in("state", "dead"), nowhere))
    if cancelled:
        figures.append(links.linked(f"{count(cancelled)} cancelled", is_in("state", "cancelled")))
    in_batches = _in_batches(batched, queued)
    waits = is_in("state", "queued", "submitted")
    not_yet = links.linked(
        f"{count(queued)} {state_word(JobState.QUEUED)}{in_batches}", waits, nowhere
    )
    share = 1 - queued / total if total else 0.0
    busy = queued / total if total else 0.0
    under_way = (not_yet,) if queued else ()
    return Rung(
        name=ROUTING,
        kind="ground",
        title="routing",
        stopped=share,
        busy=busy,
        figures=tuple(figures),
        open=under_way,
        climb=starts,
    )


def _in_batches(batched: int, all_: int) -> str:
    said = "all" if batched == all_ else f"{count(batched)} of them"
    return f", {said} {state_word(JobState.SUBMITTED)}" if batched else ""


def _rung_words(rung: Rung) -> str:
    """Everything that stands at a rung: these figures add up to what was submitted."""
    lost = rung.note if rung.kind == "ground" else ""
    said = [part for part in (rung.words, rung.under_way, lost) if part]
    return f"{rung.title}: {', '.join(said)}"


def _sentence(rungs: Sequence[Rung], total: int) -> str:
    if not total:
        return "The ladder is empty: nothing has been submitted."
    parts = [_rung_words(rung) for rung in reversed(rungs)]
    parts += [f"{r.climb.words} from {r.title}" for r in reversed(rungs) if r.climb is not None]
    return "; ".join(parts) + "."
