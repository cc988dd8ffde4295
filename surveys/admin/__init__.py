"""Surveys in the admin."""

from surveys.admin import answers, people, surveys

__all__ = ["answers", "people", "surveys"]
