"""Indicators of searches, tests between them, and their figures."""
