"""Certificates: claims about accepted answers that a finite number of labels proves.

One labelled set goes in. With a fitted scorer it is split by hash: on one part the scorer is
fitted and the thresholds are put in order, on the other they are tested, so that no label does
both. With the stated confidence there is nothing to fit, and the order is from the strictest
threshold to the laxest. Each tier is judged on the messages that reach it, and several tiers
share delta.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from heapq import nsmallest
from operator import itemgetter

from worker.domain.proof.claims import Certification, Claim, ClaimTerms, Refusal, stated
from worker.domain.proof.exact_tails import labels_needed
from worker.domain.proof.fixed_sequence import (
    Passed,
    Tally,
    bound,
    by_promise,
    enough_labels,
    passing,
    start_errors,
    start_labels,
    widest,
)
from worker.domain.proof.graded import GradedMessage, draw, split
from worker.domain.proof.scorer import Scorer, fit
from worker.domain.proof.tallies import Score, ScoreCounts, candidates, reach_of, tallied

GRID = tuple(round(1 - step / 20, 2) for step in range(11))
"""Thresholds on the stated confidence: 1.00, 0.95 … 0.50."""
SHARES = tuple(step / 20 for step in range(1, 21))
"""Thresholds on a fitted score accept these shares of the messages."""
START_ERRORS = 2
"""An accuracy claim starts where this many errors would still pass: stricter thresholds accept too
few to prove anything, and one unlucky error there would refuse everything."""
PILOT_SHARE = 0.3
"""Of the labels, for fitting the scorer and ordering the thresholds."""
BONFERRONI = 0.2
"""Of delta, for thresholds that the order comes to too late."""
SALT = "rung certificate 1"
EVEN_SALT = "rung evenly 1"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a certificate rests on: every message that reaches the tier (for coverage and for the
    places of thresholds; read as often as is needed, and held by nobody), those of them that are
    labelled, and the number of messages in all."""

    reaching: Iterable[GradedMessage]
    labelled: Sequence[GradedMessage]
    messages: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The same, with what reaches the tier counted by its scores."""

    labelled: Sequence[GradedMessage]
    reach: ScoreCounts
    messages: int


def labelled_evenly(messages: Iterable[GradedMessage], terms: ClaimTerms) -> list[GradedMessage]:
    """Those whose truth is known, and of those that the tier would not accept (of which there is
    nothing to know) the same share, drawn by hash: all of them beside a part of the accepted would
    make errors look rarer than they are. Holds no more than it returns; `messages` are read
    more than once."""
    kinds = Counter(_kind(message, terms) for message in messages)
    if not kinds[_Kind.UNKNOWN]:
        return list(messages)
    known = kinds[_Kind.KNOWN]
    wanted = kinds[_Kind.REST] * known // (known + kinds[_Kind.UNKNOWN])
    rest = (message.name for message in messages if _kind(message, terms) is _Kind.REST)
    kept = set(nsmallest(wanted, rest, key=lambda name: draw(name, EVEN_SALT)))
    kept.update(message.name for message in messages if _kind(message, terms) is _Kind.KNOWN)
    return [message for message in messages if message.name in kept]


class _Kind(Enum):
    """Of a message under a claim: its truth is known or not, or the tier would not accept it."""

    KNOWN = auto()
    UNKNOWN = auto()
    REST = auto()


def _kind(message: GradedMessage, terms: ClaimTerms) -> _Kind:
    answer = message.answered(terms.tier)
    if answer is None or not answer.valid:
        return _Kind.REST
    return _Kind.UNKNOWN if terms.loss(message) is None else _Kind.KNOWN


def by_confidence(evidence: Evidence, terms: ClaimTerms) -> Certification:
    """The claim at a threshold on the stated confidence, on `GRID` from the strictest on."""
    reach = reach_of(evidence.reaching, terms.tier, stated)
    return on_confidence(Counted(evidence.labelled, reach, evidence.messages), terms)


def on_confidence(found: Counted, terms: ClaimTerms) -> Certification:
    """The same, of what was counted already."""
    labelled = candidates(labelled_evenly(found.labelled, terms), terms, stated)
    tallies = tallied(labelled, found.reach, found.messages, terms, GRID)
    if terms.claim is Claim.ACCURACY:
        looked = min((c.looked for c in labelled), default=1.0)
        enough, few = labels_needed(terms.alpha, terms.delta, START_ERRORS), START_ERRORS
        if looked < 1:
            enough = start_labels(terms.alpha, terms.delta, looked)
            few = start_errors(enough, terms.alpha)
        expected = [_expected(one, found, len(labelled)) for one in tallies]
        started = [t for t, n in zip(tallies, expected, strict=True) if n >= enough]
        if not started and tallies[-1].coverage:
            short = refused(terms, Refusal.FEW_LABELS, tallies[-1], enough)
            return replace(short, labels=round(expected[-1]), allowed=few)
        tallies = started
    return conclude(terms, tallies, passing(tallies, terms.alpha, terms.delta))


def _expected(one: Tally, found: Counted, labelled: int) -> float:
    """Labels to expect at a threshold: its share of what reaches the tier, of the labelled. The
    share comes from all messages, labelled or not, so the start depends on no outcome."""
    return one.coverage * found.messages / max(found.reach.answered, 1) * labelled


def by_scorer(evidence: Evidence, terms: ClaimTerms) -> tuple[Certification, Scorer]:
    """The claim at a threshold on the score of a scorer that is fitted on the pilot alone."""
    pilot, _ = split(evidence.labelled, PILOT_SHARE, SALT)
    scorer = fit_for(pilot, terms)
    reach = reach_of(evidence.reaching, terms.tier, scorer.score)
    found = Counted(evidence.labelled, reach, evidence.messages)
    return on_scores(found, terms, scorer.score, places(reach)), scorer


def on_scores(
    found: Counted, terms: ClaimTerms, score: Score, thresholds: Sequence[float]
) -> Certification:
    """The claim at one of these thresholds: put in order on the pilot, tested on the rest."""
    pilot, rest = split(labelled_evenly(found.labelled, terms), PILOT_SHARE, SALT)
    piloted, tested = (candidates(part, terms, score) for part in (pilot, rest))
    first = tallied(piloted, found.reach, found.messages, terms, thresholds)
    order = by_promise(first, terms.alpha, len(tested) / max(len(piloted), 1))
    in_turn = [thresholds[place] for place in order]
    tallies = tallied(tested, found.reach, found.messages, terms, in_turn)
    passed = passing(tallies, terms.alpha, terms.delta, BONFERRONI)
    return replace(conclude(terms, tallies, passed, BONFERRONI), pilot=len(piloted))


def fit_for(pilot: Sequence[GradedMessage], terms: ClaimTerms) -> Scorer:
    """A scorer of what the claim counts, from valid answers whose loss is known."""
    rows = []
    for message in pilot:
        answer, loss = message.answered(terms.tier), terms.loss(message)
        if answer is not None and answer.valid and loss is not None:
            rows.append((message, answer, not loss))
    return fit(rows)


def places(reach: ScoreCounts) -> list[float]:
    """Thresholds that accept `SHARES` of what the tier answered, the strictest first."""
    falling = list(reach.falling())
    scored = falling[-1][1] if falling else 0
    ranks = (round(share * reach.answered) for share in SHARES)
    found = {
        falling[bisect_left(falling, min(rank, scored), key=itemgetter(1))][0]
        for rank in ranks
        if rank > 0 and scored
    }
    return sorted(found, reverse=True)


def conclude(
    terms: ClaimTerms, tallies: Sequence[Tally], passed: Sequence[Passed], bonferroni: float = 0.0
) -> Certification:
    """Granted at the widest that passed, or refused with what the first one tested would need, at
    the part of delta that it was tested at. A threshold that no answer reaches proves nothing."""
    tallies = [one for one in tallies if one.coverage > 0]
    if not tallies:
        nothing = Tally(threshold=1.0, errors=0, labels=0, coverage=0.0)
        return refused(terms, Refusal.NOTHING_ACCEPTED, nothing, None)
    passed = [one for one in passed if one.tally.coverage > 0]
    best = widest(passed)
    if best is not None:
        return Certification(
            terms=terms,
            certified=True,
            threshold=best.tally.threshold,
            errors=best.tally.errors,
            labels=best.tally.labels,
            upper=best.upper,
            coverage=best.tally.coverage,
            needs=None,
            tests=len(tallies),
            proved=tuple(one.tally.threshold for one in passed),
        )
    needs = enough_labels(tallies[0], terms.alpha, terms.delta * (1 - bonferroni))
    return replace(refused(terms, Refusal.ERRORS, tallies[0], needs), tests=len(tallies))


def refused(terms: ClaimTerms, why: Refusal, nearest: Tally, needs: int | None) -> Certification:
    """A refusal, with the counts of the threshold that came nearest."""
    return Certification(
        terms=terms,
        certified=False,
        threshold=None,
        errors=nearest.errors,
        labels=nearest.labels,
        upper=bound(nearest, terms.delta),
        coverage=0.0,
        needs=needs,
        allowed=nearest.errors,
        refusal=why,
    )
