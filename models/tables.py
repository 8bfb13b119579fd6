"""Every table in one import, for Alembic and for whoever wants the models themselves."""

import models.message_keys  # noqa: F401 - puts its triggers on both tables
from models.attempts import Attempt
from models.audit import AuditEvent
from models.base import Base
from models.batches import MessageBatch
from models.budgets import Budget
from models.calls import AppliedPrice, Call
from models.certificates import Certificate, Evidence
from models.contexts import ShownContext
from models.deliveries import Delivery, DeliveryTarget
from models.dispatches import Dispatch
from models.escalations import Escalation
from models.forecasts import ForecastRow
from models.jobs import Job
from models.knowledge import (
    KnowledgeFolder,
    KnowledgePage,
    KnowledgePassage,
    KnowledgePosting,
    KnowledgeSpelling,
    KnowledgeVector,
    KnowledgeWord,
    RunKnowledge,
)
from models.lookups import LookupFailure
from models.messages import Message
from models.minutes import Minute
from models.notices import Notice, NoticeMail
from models.prompts import Classification, CountedInput, Prompt
from models.results import ReadingLease, Result, Review
from models.review_clusters import ClusteredReview, ReviewCluster, ReviewClusterCount
from models.rounds import StepRound, StoppedStatements
from models.runs import Run
from models.schedules import Firing, Schedule
from models.sessions import EndedSession
from models.tallies import PaceRow, RunCount, RunEscalation, RunSpend, RunVerdict
from models.tiers import Canary, TierStatus
from models.totals import AttemptTotal, CallErrorTotal, CallTotal, EscalationTotal, JobTotal, Timing
from models.truths import Audit, AuditSalt, Truth
from models.workers import Worker

__all__ = [
    "AppliedPrice",
    "Attempt",
    "AttemptTotal",
    "Audit",
    "AuditEvent",
    "AuditSalt",
    "Base",
    "Budget",
    "Call",
    "CallErrorTotal",
    "CallTotal",
    "Canary",
    "Certificate",
    "Classification",
    "ClusteredReview",
    "CountedInput",
    "Delivery",
    "DeliveryTarget",
    "Dispatch",
    "EndedSession",
    "Escalation",
    "EscalationTotal",
    "Evidence",
    "Firing",
    "ForecastRow",
    "Job",
    "JobTotal",
    "KnowledgeFolder",
    "KnowledgePage",
    "KnowledgePassage",
    "KnowledgePosting",
    "KnowledgeSpelling",
    "KnowledgeVector",
    "KnowledgeWord",
    "LookupFailure",
    "Message",
    "MessageBatch",
    "Minute",
    "Notice",
    "NoticeMail",
    "PaceRow",
    "Prompt",
    "ReadingLease",
    "Result",
    "Review",
    "ReviewCluster",
    "ReviewClusterCount",
    "Run",
    "RunCount",
    "RunEscalation",
    "RunKnowledge",
    "RunSpend",
    "RunVerdict",
    "Schedule",
    "ShownContext",
    "StepRound",
    "StoppedStatements",
    "TierStatus",
    "Timing",
    "Truth",
    "Worker",
]
