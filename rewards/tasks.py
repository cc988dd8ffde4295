"""Celery tasks of rewards: thin, the work is in the rows."""

from celery import shared_task
from django.utils import timezone

from rewards.services import budgets, simulations
from rewards.services.calling import send_calls_due
from rewards.services.importing import running


@shared_task(name="rewards.tasks.send_calls")
def send_calls() -> int:
    """Make the signed calls that are due now; return how many were answered well."""
    return send_calls_due(at=timezone.now())


@shared_task(name="rewards.tasks.project_budgets")
def project_budgets() -> int:
    """Look ahead at every budget; return how many takeovers and alerts that made."""
    return budgets.project_budgets(at=timezone.now())


@shared_task(name="rewards.tasks.run_simulations")
def run_simulations() -> int:
    """Run the back-tests that wait; return how many."""
    return simulations.run_simulations(at=timezone.now())


@shared_task(name="rewards.tasks.run_imports")
def run_imports() -> int:
    """Do what imports wait for: checking, importing, undoing; return how many stages."""
    return running.run_imports(at=timezone.now())
