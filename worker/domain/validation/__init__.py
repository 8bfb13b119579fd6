"""Validators: small pure functions that say what is wrong with a draft, or nothing.

A validator has a name, takes the `Draft` and its options, and returns a finding (one sentence that
holds no text of the customer's) or None. Add one in a few lines: see the README.
"""

from worker.domain.validation.base import OVERRAN, Draft, Finding, Validator, findings_of
from worker.domain.validation.builtin import BUILTIN

__all__ = ["BUILTIN", "OVERRAN", "Draft", "Finding", "Validator", "findings_of"]
