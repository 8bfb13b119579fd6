"""Reads backlogs: files to records, in constant memory, with every reject named by its line."""

from worker.domain.backlog import BacklogError, Block, Caps, Record, Reject
from worker.intake.reader import Backlog, ReadingOptions, read_blocks

__all__ = [
    "Backlog",
    "BacklogError",
    "Block",
    "Caps",
    "ReadingOptions",
    "Record",
    "Reject",
    "read_blocks",
]
