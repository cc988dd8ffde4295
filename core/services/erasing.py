"""Forgetting what the ground floor remembers of a person."""

import json
from collections.abc import Collection

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q

from core.models import Delivery, IdempotentRequest


@transaction.atomic
def erase_traces(*, words: Collection[str], subjects: Collection[str]) -> None:
    """Drop remembered answers that hold one of `words` as a value, log lines named by one, errors about `subjects`.

    An answer that is dropped is worked out anew if its request comes again.
    """
    Delivery.objects.filter(subject__in=subjects).exclude(last_error="").update(last_error="")
    answers, lines = Q(pk__in=[]), Q(pk__in=[])
    for word in filter(None, words):
        answers |= Q(body__contains=json.dumps(word)) | Q(body__contains=json.dumps(word, ensure_ascii=False))
        lines |= Q(object_repr__iexact=word)
    IdempotentRequest.objects.filter(answers).delete()
    LogEntry.objects.filter(lines).update(object_repr="(erased)", change_message="")
