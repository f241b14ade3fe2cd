"""Superset's dashboards as code: the import bundle, and a Superset of its own environment that takes it in."""
