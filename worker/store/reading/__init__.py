"""What people see of the record: each statement reads counters or a bounded piece of an index."""
