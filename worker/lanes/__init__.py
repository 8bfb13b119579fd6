"""A worker process: the realtime lane, the batch lane, and the upkeep beside them."""
