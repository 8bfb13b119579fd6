"""Reads backlogs: files to records, in constant memory, with every reject named by its line."""

from worker.intake.reader import read_blocks
from worker.intake.records import BacklogError, Block, Caps, Record, Reject

__all__ = ["BacklogError", "Block", "Caps", "Record", "Reject", "read_blocks"]
