"""What is made of the record: reprocessings, nights, estimates, replays, previews of actions."""
