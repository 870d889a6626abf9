"""Planwerk: a planning server that speaks the vPlan API v1."""

__version__ = "0.1.0"
