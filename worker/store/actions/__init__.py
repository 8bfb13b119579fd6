"""What people do to runs, jobs and tiers, each with its audit event."""
