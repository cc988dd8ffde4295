"""Coming from elsewhere: staff upload a file of another tool, look, try, import and undo."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import staff_may
from core.errors import Refused
from core.spreadsheets import csv_answer
from rewards.access import IMPORT_HISTORY
from rewards.forms.imports import ColumnsForm, UploadForm
from rewards.importing.reading import MAX_BYTES
from rewards.importing.rows import read_moment
from rewards.models import HistoryImport, HistoryRow
from rewards.services.importing.undoing import keep_import, look_at_undo, undo_import
from rewards.services.importing.uploads import (
    discard_import,
    is_remembered,
    map_columns,
    start_import,
    upload_history,
)

PER_PAGE = 20
SHOWN = 20
TOLD = 100
State = HistoryImport.State


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_may(IMPORT_HISTORY)
def show_imports(request: HttpRequest) -> HttpResponse:
    """Show the imports so far, the newest first, and take another file."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid() and (history := _upload(request, form)):
        return redirect("import", history.public_id)
    rows = HistoryImport.objects.select_related("program").order_by("-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    status = 422 if form.errors else 200
    return render(request, "rewards/staff/imports.html", {"form": form, "page": page}, status=status)


def _upload(request: HttpRequest, form: UploadForm) -> HistoryImport | None:
    file = form.cleaned_data["file"]
    try:
        return upload_history(
            kind=form.cleaned_data["kind"],
            program=form.cleaned_data["program"],
            file_name=file.name,
            raw=file.read(MAX_BYTES + 1),
            asked_by=request.user,  # type: ignore[arg-type]
            actor=str(request.user),
            at=timezone.now(),
        )
    except Refused as refusal:
        form.add_error("program" if refusal.pointer == "/program" else "file", refusal.detail)
        return None


@require_safe
@never_cache
@staff_may(IMPORT_HISTORY)
def show_import(request: HttpRequest, import_id: str) -> HttpResponse:
    """Show where an import stands: its columns, how far it is, what came of it, what can be undone."""
    history = _found(import_id)
    if history.state == State.DRAFT or (history.state == State.CHECKED and "columns" in request.GET):
        return _show_columns(request, history, ColumnsForm(history))
    undoing = history.state in (State.UNDO_CHECKED, State.UNDONE)
    wrong = history.rows.filter(undo="kept") if undoing else history.rows.filter(outcome="refused")
    context = {
        "history": history,
        "counts": history.result,
        "undoing": undoing,
        "wrong": wrong.order_by("line")[:TOLD],
        "wrong_count": wrong.count(),
        "left_out": max(0, wrong.count() - TOLD),
    }
    return render(request, "rewards/staff/import.html", context)


def _found(import_id: str) -> HistoryImport:
    return get_object_or_404(HistoryImport.objects.select_related("program", "asked_by"), public_id=import_id)


def _show_columns(request: HttpRequest, history: HistoryImport, form: ColumnsForm, *, error: str = "") -> HttpResponse:
    first = history.rows.order_by("line")[:SHOWN]
    context = {
        "history": history,
        "form": form,
        "error": error,
        "rows": [(row, json.loads(row.cells) if row.cells else []) for row in first],
        "remembered": is_remembered(history),
        "example": _example(history, form),
    }
    return render(request, "rewards/staff/import_columns.html", context, status=422 if error else 200)


def _example(history: HistoryImport, form: ColumnsForm) -> tuple[str, Any] | None:
    """Return the first day of the file and how it is read (None: not at all)."""
    place = next((n for n, one in enumerate(form.headings) if one.chosen in ("date", "expires")), None)
    row = history.rows.exclude(cells="").order_by("line").first()
    text = json.loads(row.cells)[place] if row is not None and place is not None else ""
    if not text:
        return None
    return text, read_moment(text, form.date_format, timezone.get_default_timezone())


@require_POST
@staff_may(IMPORT_HISTORY)
def choose_columns(request: HttpRequest, import_id: str) -> HttpResponse:
    """Keep what the columns are, and have every row checked."""
    history = _found(import_id)
    form = ColumnsForm(history, request.POST)
    try:
        map_columns(history=history, mapping=form.choice(), at=timezone.now())
    except Refused as refusal:
        if history.state in (State.DRAFT, State.CHECKED):
            return _show_columns(request, history, form, error=refusal.detail)
        messages.warning(request, refusal.detail)
    return redirect("import", history.public_id)


@require_POST
@staff_may(IMPORT_HISTORY)
def run_import(request: HttpRequest, import_id: str) -> HttpResponse:
    """Have the checked rows imported."""
    skip = bool(request.POST.get("skip_errors"))
    return _act(request, import_id, lambda one: start_import(history=one, skip_errors=skip, at=timezone.now()))


@require_POST
@staff_may(IMPORT_HISTORY)
def undo(request: HttpRequest, import_id: str) -> HttpResponse:
    """Look at what an undo would do; with a reason, after that look, do it."""
    reason = request.POST.get("reason")
    if reason is None:
        return _act(request, import_id, lambda one: look_at_undo(history=one, at=timezone.now()))
    actor = str(request.user)
    return _act(request, import_id, lambda one: undo_import(history=one, reason=reason, actor=actor, at=timezone.now()))


@require_POST
@staff_may(IMPORT_HISTORY)
def discard(request: HttpRequest, import_id: str) -> HttpResponse:
    """Forget a file of which nothing was imported, or leave an import as it is instead of undoing it."""
    history = _found(import_id)
    if history.state == State.UNDO_CHECKED:
        return _act(request, import_id, lambda one: keep_import(history=one))
    try:
        discard_import(history=history)
    except Refused as refusal:
        messages.warning(request, refusal.detail)
        return redirect("import", history.public_id)
    messages.info(request, "The file is forgotten. Nothing was imported.")
    return redirect("imports")


def _act(request: HttpRequest, import_id: str, work: Callable[[HistoryImport], object]) -> HttpResponse:
    history = _found(import_id)
    try:
        work(history)
    except Refused as refusal:
        messages.warning(request, refusal.detail)
    return redirect("import", history.public_id)


@require_safe
@never_cache
@staff_may(IMPORT_HISTORY)
def download_rows(request: HttpRequest, import_id: str) -> HttpResponse:
    """Give every row with what became of it, and its cells as long as they are kept."""
    history = _found(import_id)
    rows = history.rows.order_by("line").iterator(chunk_size=1000)
    header = ["line", "outcome", "undo", "column", "message", *history.header]
    return csv_answer(f"import-{history.public_id}.csv", header, (_line(row) for row in rows))


def _line(row: HistoryRow) -> list[object]:
    return [
        row.line,
        row.outcome,
        row.undo,
        row.column,
        row.message or row.problem,
        *(json.loads(row.cells) if row.cells else ()),
    ]
