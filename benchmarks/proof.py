"""What the proofs are worth: how often a certificate is false, what it lets through, and whether
intervals hold, on the shipped tables and on tables made to break them.

Pure arithmetic: no database, no Claude, no clock. Labels are drawn with replacement from a pool
whose true rate is known, so "false" is exact. `DRAWS` draws leave two standard errors of 2 % around
5 %.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks.figures import Figure, Finding
from benchmarks.forecast_intervals import forecasting
from tests.support.graded import COSTS, made_up, redrawn, shipped
from worker.domain.proof.certificates import Evidence, by_confidence, by_scorer
from worker.domain.proof.claims import Certification, Claim, ClaimTerms, stated
from worker.domain.proof.drift import Watch, first_alarm
from worker.domain.proof.frontier import Plan, Step
from worker.domain.proof.frontier_plans import evaluate
from worker.domain.proof.graded import GradedAnswer, GradedMessage, ladder_of
from worker.domain.proof.ladder_certificates import CertificateQuestion, certify
from worker.domain.proof.tallies import ScoreCounts, candidates, tallied
from worker.domain.proof.tier_skip import Climbs, judge_hops

DRAWS, QUICK_DRAWS = 500, 40
LABELS = 500
POOL = 1_500
DELTA = 0.05
CLAIMS = (
    (Claim.ACCURACY, 0.05),
    (Claim.ACCURACY, 0.10),
    (Claim.PARITY, 0.02),
    (Claim.PARITY, 0.05),
)


def run(*, quick: bool = False) -> Finding:
    """Every figure, with its bar."""
    draws = QUICK_DRAWS if quick else DRAWS
    slack = 2 * (DELTA * (1 - DELTA) / draws) ** 0.5
    figures, facts = list[Figure](), dict[str, Any]()
    for method in ("stated", "fitted"):
        worst = 0.0
        for name, pool in pools():
            for claim, alpha in CLAIMS:
                false, share, refused = redraw(pool, claim, alpha, method, draws)
                worst = max(worst, false)
                key = f"{name} {claim} {alpha:g} {method}"
                facts[key] = f"false {false:.3f} lets {share:.2f} refuses {refused:.2f}"
        figures.append(Figure(f"false certificates, {method}, worst", worst, DELTA + slack, True))
    figures.append(
        Figure("either of two tiers false", two_tiers(draws // 5), DELTA + 5**0.5 * slack, True)
    )
    figures += [*drifting(draws // 5), *hopping(draws), *forecasting(draws), *hidden(draws // 5)]
    return Finding("proof", tuple(figures), {"draws": draws, "labels": LABELS, **facts})


def pools() -> Iterator[tuple[str, list[GradedMessage]]]:
    """The shipped tables, and tables on which a careless method is wrong."""
    for name in ("synthetic", "adversarial", "cfpb", "mmlu", "gsm8k"):
        yield name, shipped(name)[:POOL]
    yield "made up", made_up(POOL, 1)
    yield "noise", made_up(POOL, 2, right=0.94, informative=0.0, segments=("any",))
    yield "barely false", barely_false(0.0501)
    yield "turned round", turned_round()


def barely_false(rate: float) -> list[GradedMessage]:
    """Every confidence is wrong a hair more often than the claim allows."""
    chance = random.Random(6)
    wrong = set(chance.sample(range(POOL), round(rate * POOL + 0.5)))
    return [_two(n, n not in wrong, chance.randrange(10, 21) / 20) for n in range(POOL)]


def turned_round() -> list[GradedMessage]:
    """The surer the answer, the worse it is."""
    chance, found = random.Random(7), []
    for n in range(POOL):
        confidence = chance.randrange(10, 21) / 20
        found.append(_two(n, chance.random() > confidence / 8, confidence))
    return found


def _two(n: int, right: bool, confidence: float) -> GradedMessage:
    haiku = GradedAnswer(valid=True, right=right, confidence=confidence, cost=COSTS["haiku"])
    opus = GradedAnswer(valid=True, right=True, cost=COSTS["opus"])
    return GradedMessage(
        name=f"{n:05}", segment="any", chars=100, answers={"haiku": haiku, "opus": opus}
    )


def redraw(
    pool: Sequence[GradedMessage], claim: Claim, alpha: float, method: str, draws: int
) -> tuple[float, float, float]:
    """Shares of draws that certify falsely, of traffic let through, of draws refused."""
    chance = random.Random(f"{claim}{alpha}{method}")
    terms = ClaimTerms(claim=claim, tier="haiku", top=ladder_of(pool)[-1], alpha=alpha, delta=DELTA)
    false = refused = 0
    share = 0.0
    for _ in range(draws):
        evidence = Evidence(pool, redrawn(pool, LABELS, chance), len(pool))
        result, score = _certified(evidence, terms, method)
        if not result.certified or result.threshold is None:
            refused += 1
            continue
        share += result.coverage
        all_of_it = candidates(pool, terms, score)
        truth = tallied(all_of_it, ScoreCounts(), len(pool), terms, [result.threshold])[0]
        false += truth.errors > alpha * truth.labels
    return false / draws, share / draws, refused / draws


def _certified(
    evidence: Evidence, terms: ClaimTerms, method: str
) -> tuple[Certification, Callable[[GradedMessage, GradedAnswer], float]]:
    if method == "stated":
        return by_confidence(evidence, terms), stated
    result, scorer = by_scorer(evidence, terms)
    return result, scorer.score


def two_tiers(draws: int) -> float:
    """How often haiku's or sonnet's certificate is false, sonnet's on what reaches it."""
    pool, chance, false = shipped("synthetic")[:POOL], random.Random(8), 0
    for _ in range(draws):
        made = certify(
            CertificateQuestion(
                messages=pool,
                labelled=redrawn(pool, 2_000, chance),
                ladder=("haiku", "sonnet", "opus"),
                tier="sonnet",
                claim=Claim.ACCURACY,
                alpha=0.1,
                delta=DELTA,
                fitted=False,
            )
        )
        below = made.below[0]
        rest = [m for m in pool if not below.accepts(m)]
        false += any(
            _rate([m for m in part if one.accepts(m)], tier) > 0.1
            for one, tier, part in ((below, "haiku", pool), (made, "sonnet", rest))
        )
    return false / draws


def _rate(accepted: Sequence[GradedMessage], tier: str) -> float:
    return sum(not m.answers[tier].right for m in accepted) / max(len(accepted), 1)


def drifting(draws: int) -> list[Figure]:
    """False voids in 5,000 audits at exactly alpha, and how soon a jump is seen."""
    chance = random.Random(9)
    red = sum(
        Watch.RED in first_alarm([chance.random() < 0.05 for _ in range(5_000)], 0.05, DELTA)
        for _ in range(draws)
    )
    delays = []
    for _ in range(draws):
        audits = [chance.random() < (0.03 if n < 1_000 else 0.10) for n in range(4_000)]
        seen = first_alarm(audits, 0.05, DELTA).get(Watch.AMBER, 4_000)
        delays.append(max(seen - 1_000, 0))
    slack = 2 * (DELTA * (1 - DELTA) / draws) ** 0.5
    return [
        Figure("false red in 5,000 audits", red / draws, DELTA + slack, True),
        Figure("amber after 3 % became 10 %, median", median(delays), 250, True, " audits"),
    ]


def hopping(draws: int) -> list[Figure]:
    """What following the advice costs more than knowing the truth, with 300 climbs."""
    chance, regrets = random.Random(10), []
    for _ in range(draws):
        truth = {f"{n}": chance.uniform(0.2, 0.9) for n in range(4)}
        seen = {
            s: Climbs(75, sum(chance.random() < p for _ in range(75))) for s, p in truth.items()
        }
        paid = best = 0.0
        for hop in judge_hops(seen, 0.5, 1.0)[1:]:
            through = 0.5 + 1 - truth[hop.segment]
            paid += through if hop.pays else 1.0
            best += min(through, 1.0)
        regrets.append(paid / best - 1)
    regrets.sort()
    return [
        Figure("regret of a hop, mean", sum(regrets) / draws, 0.01, True),
        Figure("regret of a hop, p95", regrets[int(0.95 * draws)], 0.02, True),
    ]


def hidden(draws: int) -> list[Figure]:
    """How often the 95 % interval of always-opus holds, known for 5 % of what did not climb."""
    pool, chance, held, points = made_up(5_000, 7, top=0.9), random.Random(12), 0, 0
    truth = sum(bool(m.answers["opus"].right) for m in pool) / len(pool)
    plan = Plan(name="always opus", steps=(Step("opus"),))
    for share in [0.05] * draws + [0.0]:
        record = [_shadowed(m, share, chance) for m in pool]
        found = evaluate(record, ("haiku", "opus"), [plan])[0].quality
        if share:
            held += found.low <= truth <= found.high
        else:
            points = int(found.point is not None)
    return [
        Figure("always-opus held by its interval, 5 % shadows", held / draws, 0.92, False),
        Figure("points without any shadow", points, 0, True),
    ]


def _shadowed(message: GradedMessage, share: float, chance: random.Random) -> GradedMessage:
    climbed = (message.answers["haiku"].confidence or 0) < 0.9
    opus = message.answers["opus"]
    seen = climbed or chance.random() < share
    shown = replace(opus, right=opus.right if seen else None, probability=1.0 if climbed else share)
    return replace(message, answers={"haiku": message.answers["haiku"], "opus": shown})
