"""What is stored. SQLAlchemy models, one aggregate a file, and the shared vocabulary.

Imports nothing of `worker`. The schema in force is what `migrations/` builds; a test holds the two
together.
"""

from models.attempts import Attempt
from models.audit import AuditEvent
from models.base import Base
from models.batches import MessageBatch
from models.budgets import Budget
from models.calls import Call
from models.escalations import Escalation
from models.jobs import Job
from models.messages import Message
from models.prompts import Classification, Prompt
from models.results import Result, Review
from models.runs import Run
from models.tallies import RunCount, RunEscalation, RunSpend
from models.tiers import Canary, TierStatus
from models.workers import Worker

__all__ = [
    "Attempt",
    "AuditEvent",
    "Base",
    "Budget",
    "Call",
    "Canary",
    "Classification",
    "Escalation",
    "Job",
    "Message",
    "MessageBatch",
    "Prompt",
    "Result",
    "Review",
    "Run",
    "RunCount",
    "RunEscalation",
    "RunSpend",
    "TierStatus",
    "Worker",
]
