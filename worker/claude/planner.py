"""What an attempt will ask, of which model, and what it can cost at most.

A plan is made while the job is locked, so it does no I/O: prompts, prices and policy are at hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from models.vocabulary import Lane, Purpose, Stage
from worker.claude.counted import CountedInputs
from worker.claude.input_sizes import InputSize, kind_of, size_of
from worker.claude.prompts import fenced, fenced_many, fenced_reply
from worker.claude.requests import Ask, call_key
from worker.claude.turns import answer_turns, hint_of, labelled, user_turn
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, Troubled
from worker.domain.claimed import Candidate, Claimed, KeptAnswer, Plan, Question, Withheld
from worker.domain.first_tier import Decided, decide_start
from worker.domain.pricing import Price, written_rate
from worker.domain.prompts import JUDGE, Prompt, Prompts, RequestKind
from worker.domain.schemas import (
    CHECK_SCHEMA,
    CLASSIFY_MANY_SCHEMA,
    CLASSIFY_SCHEMA,
    answer_schema,
    schema_version,
)

MAX_TOKENS = 21_000
"""Just below the SDK's bound for requests that are not streamed (21,333)."""
REPLY_TOKENS_AGAIN = 2
"""A reply read back may cost up to this many times the tokens it was written in."""
LABEL_TOKENS = 40
"""Room for one more label in the answer to a shared request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Makes plans and builds their requests; one for a worker process."""

    settings: Settings
    prompts: Prompts
    prices: Mapping[str, Price | None]
    counted: CountedInputs = field(default_factory=CountedInputs)

    @classmethod
    def of(cls, settings: Settings, prompts: Prompts) -> "Planner":
        """With the price of every model on the ladder looked up once."""
        models = {tier.model for tier in settings.tiers.values()}
        return cls(
            settings=settings,
            prompts=prompts,
            prices={m: price_of(m, settings.prices) for m in models},
        )

    @property
    def classifier(self) -> tuple[str, str]:
        """Prompt version and model of the classification."""
        return self.prompts[Purpose.CLASSIFY].version, self.model(self.settings.routing_tier)

    def __call__(self, candidate: Candidate) -> Plan:
        """The plan of a locked job."""
        if candidate.unready is not None:
            return candidate.unready
        made = self._route if candidate.stage is Stage.ROUTE else self._answer
        plan, most = made(candidate), self.settings.policy.max_cost_per_message
        if isinstance(plan, Question) and most and candidate.spent + plan.reserved > most:
            return Withheld(tier=plan.tier, worst=plan.reserved, spent=candidate.spent, most=most)
        return plan

    def _route(self, candidate: Candidate) -> Plan:
        start = decide_start(candidate.policy, candidate.message, candidate.remembered)
        if isinstance(start, Decided):
            return start
        tier, settings = self.settings.routing_tier, self.settings.routing
        shares = candidate.lane is Lane.REALTIME and not candidate.alone
        together = candidate.policy.start.classify_batch if shares else 1
        schema = CLASSIFY_SCHEMA if together == 1 else CLASSIFY_MANY_SCHEMA
        said = fenced(candidate.message) if together == 1 else fenced_many([labelled(candidate)])
        asked = self.prompt_of(candidate, Purpose.CLASSIFY)
        size = size_of(self.counted, asked, self.model(tier), [said], schema)
        worst = self._worst(tier, size, settings.max_tokens, candidate)
        return Question(
            purpose=Purpose.CLASSIFY,
            tier=tier,
            model=self.model(tier),
            worst_cost=worst,
            reserved=worst,
            prompt_version=asked.version,
            schema_version=schema_version(schema),
            effort=settings.effort,
            max_tokens=settings.max_tokens,
            together=together,
            said=size.said,
            most_input=size.whole if together == 1 else None,
        )

    def _answer(self, candidate: Candidate) -> Plan:
        tier = candidate.tier or candidate.policy.rungs.bottom
        settings = self.settings.tiers[tier]
        kept = candidate.kept
        if kept is not None and (kept.tier, kept.model) == (tier, settings.model):
            return self._check_only(candidate, kept)
        hint = hint_of(candidate.history, tier)
        max_tokens = min(settings.max_tokens * int(hint.get("max_tokens_factor", 1)), MAX_TOKENS)
        schema = answer_schema(candidate.policy.accept)
        turns = answer_turns(candidate)
        said = [str(turn["content"]) for turn in turns]
        prompt = self.prompt_of(candidate, Purpose.ANSWER)
        size = size_of(self.counted, prompt, settings.model, said, schema)
        worst = self._worst(tier, size, max_tokens, candidate)
        reserved = worst
        if candidate.policy.accept.confidence == "separate":
            reserved += self._worst_check(tier, max_tokens, candidate)
        return Question(
            purpose=Purpose.ANSWER,
            tier=tier,
            model=settings.model,
            worst_cost=worst,
            reserved=reserved,
            prompt_version=prompt.version,
            schema_version=schema_version(schema),
            effort=settings.effort,
            max_tokens=max_tokens,
            rate=written_rate(self.prices[settings.model], candidate.lane),
            said=size.said,
            most_input=size.whole,
            knowledge_version=candidate.knowledge_version,
            # A batch is sent from the record, later: its slice would hold every text twice.
            turns=turns if candidate.lane is Lane.REALTIME else None,
        )

    def _check_only(self, candidate: Candidate, kept: KeptAnswer) -> Plan:
        """An answer was paid for and could not be checked: only the check is asked for now."""
        worst = self._worst_check(kept.tier, MAX_TOKENS, candidate)
        return Question(
            purpose=Purpose.CHECK,
            tier=kept.tier,
            model=kept.model,
            worst_cost=worst,
            reserved=worst,
            prompt_version=self.prompt_of(candidate, Purpose.ANSWER).version,
            schema_version=schema_version(answer_schema(candidate.policy.accept)),
            effort=self.settings.tiers[kept.tier].effort,
            max_tokens=self.settings.check.max_tokens,
            answer_fence=kept.fence,
        )

    def _worst_check(self, tier: str, reply_tokens: int, candidate: Candidate) -> Decimal:
        said = [fenced(candidate.message, context=candidate.context)]
        asked = self.prompt_of(candidate, Purpose.CHECK)
        size = size_of(self.counted, asked, self.model(tier), said, CHECK_SCHEMA)
        size = replace(size, said=size.said + REPLY_TOKENS_AGAIN * reply_tokens)
        return self._worst(tier, size, self.settings.check.max_tokens, candidate)

    def prompt_of(self, candidate: Candidate, purpose: Purpose) -> Prompt:
        """The prompt that a question of this purpose about this job stands under."""
        known = self.prompts if candidate.prompts is None else candidate.prompts
        return known[JUDGE if candidate.judged is not None else purpose]

    def learn(self, candidate: Candidate, question: Question, got: Answer | Troubled) -> None:
        """Remembers what a request's input came to, for the worst cases of those after it."""
        if isinstance(got, Troubled):
            return
        kind = RequestKind(
            purpose=question.purpose,
            model=question.model,
            prompt_version=question.prompt_version,
            schema_version=question.schema_version,
        )
        if question.purpose is Purpose.CHECK:
            # A check's question names the versions of the answer that it is about.
            checking = self.prompt_of(candidate, Purpose.CHECK)
            kind = kind_of(checking, question.model, CHECK_SCHEMA)
        counted = (got.whole or got.usage).total_input
        self.counted.note(kind, counted, simulated=got.simulated, expected=question.most_input)

    def _worst(self, tier: str, size: InputSize, max_tokens: int, candidate: Candidate) -> Decimal:
        price = self.prices[self.model(tier)]
        if price is None:
            return Decimal(0)
        return price.worst_case(
            fixed=size.fixed, said=size.said, max_tokens=max_tokens, lane=candidate.lane
        )

    def price(self, model: str) -> Price | None:
        """The price of a model, also of one that has left the ladder since it was asked."""
        if model in self.prices:
            return self.prices[model]
        return price_of(model, self.settings.prices)

    def model(self, tier: str) -> str:
        """The model id behind a tier."""
        return self.settings.tiers[tier].model

    def ask(self, claimed: Claimed, question: Question) -> Ask:
        """The request of a question about a claimed job."""
        candidate = claimed.candidate
        turns: list[Mapping[str, Any]]
        match question.purpose:
            case Purpose.CLASSIFY:
                turns, schema = [user_turn(fenced(candidate.message))], CLASSIFY_SCHEMA
            case Purpose.ANSWER:
                turns = [*(question.turns or answer_turns(candidate))]
                schema = answer_schema(candidate.policy.accept)
            case Purpose.CHECK:
                turns = [
                    user_turn(fenced_reply(candidate.message, question.reply, candidate.context))
                ]
                check = self.settings.check
                question = replace(question, max_tokens=check.max_tokens, effort=check.effort)
                schema = CHECK_SCHEMA
        return self._request(claimed, question, turns, schema)

    def ask_together(self, group: Sequence[Claimed], question: Question) -> Ask:
        """One request for the labels of several messages, under their job ids; `question` is that
        of one of them."""
        size, alone = len(group), question.max_tokens
        said = fenced_many([labelled(claimed.candidate) for claimed in group])
        most = min(alone + LABEL_TOKENS * (size - 1), alone * size)
        return self._request(
            group[0], replace(question, max_tokens=most), [user_turn(said)], CLASSIFY_MANY_SCHEMA
        )

    def _request(
        self,
        claimed: Claimed,
        question: Question,
        turns: Sequence[Mapping[str, Any]],
        schema: Mapping[str, Any],
    ) -> Ask:
        purpose = question.purpose
        return Ask(
            key=call_key(claimed.candidate.job_id, claimed.candidate.fence, purpose),
            purpose=purpose,
            model=question.model,
            system=self.prompt_of(claimed.candidate, purpose).system(),
            messages=turns,
            schema=schema,
            max_tokens=question.max_tokens,
            effort=question.effort,
        )
