"""What every worker process does beside its work: housekeeping, the watchdog, notices."""
