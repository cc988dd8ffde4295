"""What imports keep of people: their cells, for 30 days after the last stage ended, or until they are erased."""

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from referrals.models import Customer, Erasure
from referrals.services.erasing import PersonalData
from rewards.models import HistoryImport, HistoryRow

ERASED = "(erased)"


def forget_imports(*, at: datetime) -> int:
    """Forget the cells of imports whose time is over by `at`; what was imported stays. Return how many."""
    due = HistoryImport.objects.filter(forget_at__lte=at, forgotten_at=None).exclude(state__in=HistoryImport.WORKING)
    return sum(_forget(pk, at) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _forget(pk: int, at: datetime) -> bool:
    here = HistoryImport.objects.filter(pk=pk, forgotten_at=None).exclude(state__in=HistoryImport.WORKING)
    if here.update(forgotten_at=at) != 1:
        return False
    rows = HistoryRow.objects.filter(history=pk)
    rows.filter(state__in=(HistoryRow.State.WAITING, HistoryRow.State.REFUSED)).delete()
    rows.update(cells="", wrote="", message="")
    return True


def _rows_of(customer: Customer) -> "QuerySet[HistoryRow]":
    """Return the rows that tell of the person: those that wrote them, and those whose cells name them."""
    told = Q(customer=customer) | Q(referral__advocate=customer) | Q(referral__friend=customer)
    for word in _words(customer):
        told |= Q(cells__icontains=json.dumps(word, ensure_ascii=False)[1:-1])
    named = HistoryRow.objects.filter(told).exclude(cells="", wrote="")
    return named.select_related("history", "referral").order_by("pk")


def _words(customer: Customer) -> list[str]:
    return [word for word in (customer.external_id, customer.email) if word]


def _is_about(row: HistoryRow, customer: Customer) -> bool:
    """Return whether a row is really the person's, and not of somebody whose cell only holds their word."""
    pair = (row.referral.advocate_id, row.referral.friend_id) if row.referral else ()
    linked = customer.pk in (row.customer_id, *pair)
    cells = {cell.casefold() for cell in json.loads(row.cells)} if row.cells else set()
    return linked or any(word.casefold() in cells for word in _words(customer))


def _export(customer: Customer) -> list[dict[str, Any]]:
    return [
        {
            "file": row.history.file_name,
            "line": row.line,
            "at": row.history.asked_at,
            "cells": dict(zip(row.history.header, json.loads(row.cells), strict=False)),
        }
        for row in _rows_of(customer)
        if row.cells and _is_about(row, customer)
    ]


def _erase(customer: Customer, _receipt: Erasure) -> None:
    """Drop the cells of the person's rows; that a row was imported, and what it gave, stays."""
    pks = [row.pk for row in _rows_of(customer) if _is_about(row, customer)]
    rows = HistoryRow.objects.filter(pk__in=pks)
    rows.exclude(message="").update(message=ERASED)
    rows.update(cells="", wrote="", problem=ERASED)


def _merge(source: Customer, into: Customer, _at: datetime) -> dict[str, int]:
    """Let the rows that told of the source tell of `into`; what a merged customer got is not undone any more."""
    return {"imported_rows": HistoryRow.objects.filter(customer=source).update(customer=into)}


PERSONAL_DATA = PersonalData("imports", _export, _erase, _merge)
