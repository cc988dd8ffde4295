"""Badges: their words and their pictures."""

import hashlib

from django.db import transaction

from rewards.models import Badge
from rewards.pictures import clean_png


@transaction.atomic
def replace_picture(*, badge: Badge, upload: bytes | None) -> Badge:
    """Show the uploaded PNG from now on, or with None the drawn picture again. Raises `BadPicture`."""
    picture = clean_png(upload) if upload else None
    badge.picture = picture
    badge.picture_hash = hashlib.sha256(picture).hexdigest()[:16] if picture else ""
    badge.save(update_fields=["picture", "picture_hash"])
    return badge
