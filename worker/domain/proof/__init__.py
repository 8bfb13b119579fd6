"""What the record proves: graded outcomes, certificates about them, the frontier of policies,
drift, forecasts, and which decisions a new policy would change.

Plain Python: tests hold it to scipy and scikit-learn, which nothing needs at run time.
"""
