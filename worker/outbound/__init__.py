"""Requests that leave for addresses of the configuration, and where their names may lead."""
