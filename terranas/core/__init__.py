"""Vocabulary shared by all stages: errors, files, tables, random numbers, logs, figures and fingerprints."""
