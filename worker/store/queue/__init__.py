"""The protocol of the queue: intake, dispatch, claim, record, rescue, and their helpers."""
