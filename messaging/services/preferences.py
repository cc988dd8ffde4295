"""Keeping what people wish to receive, with the words they saw and where they chose."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from core.dispatch import publish
from messaging.events import PreferencesChanged
from messaging.models import Preference, PreferenceChange
from messaging.queries import wishes_of


@transaction.atomic
def set_preference(
    *, recipient_key: str, purpose: str, allowed: bool, source: str, wording: str = "", at: datetime | None = None
) -> bool:
    """Keep one choice; return whether it changed anything. Repeating a choice changes nothing."""
    return bool(
        set_preferences(
            recipient_key=recipient_key, wishes={purpose: allowed}, source=source, wording={purpose: wording}, at=at
        )
    )


@transaction.atomic
def set_preferences(
    *,
    recipient_key: str,
    wishes: Mapping[str, bool],
    source: str,
    wording: Mapping[str, str],
    at: datetime | None = None,
) -> dict[str, bool]:
    """Keep the choices that differ from what was wished before, each with its wording; return those."""
    moment = at or timezone.now()
    before = wishes_of(recipient_key)
    changed = {purpose: allowed for purpose, allowed in wishes.items() if before[purpose] != allowed}
    for purpose, allowed in changed.items():
        Preference.objects.update_or_create(
            recipient_key=recipient_key,
            purpose=purpose,
            defaults={"allowed": allowed, "source": source, "at": moment},
        )
    PreferenceChange.objects.bulk_create(
        PreferenceChange(
            recipient_key=recipient_key,
            purpose=purpose,
            allowed=allowed,
            source=source,
            wording=wording.get(purpose, ""),
            at=moment,
        )
        for purpose, allowed in changed.items()
    )
    if changed:
        publish(
            PreferencesChanged(
                subject=f"preferences:{recipient_key}",
                recipient_key=recipient_key,
                changed=tuple(sorted(changed.items())),
                source=source,
                at=moment.isoformat(),
            )
        )
    return changed
