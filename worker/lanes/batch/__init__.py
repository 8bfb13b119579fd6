"""Slices of ready jobs go to Claude as Message Batches, at half price."""
