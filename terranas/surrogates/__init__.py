"""Predictors of an objective from the architecture, and the front they predict."""
