"""`document_webhooks`: the types of webhooks in docs/webhooks.md, written from WEBHOOK_TYPES."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from messaging.webhook_types import WEBHOOK_TYPES, WebhookType

MARK = "<!-- types: "


def webhooks_page(text: str) -> str:
    """Return the page with its last part, the types with a sample each, written anew."""
    head, _, rest = text.partition(MARK)
    mark = MARK + rest.partition("\n")[0]
    types = [_entry(name, kind) for name, kind in WEBHOOK_TYPES.items()]
    return "\n".join([head + mark, "\n## Types\n", *types])


def _entry(name: str, kind: WebhookType) -> str:
    sample = json.dumps(kind.sample, indent=2)
    return f"### `{name}`\n\n{kind.meaning}\n\n```json\n{sample}\n```\n"


class Command(BaseCommand):
    """Writes the types into docs/webhooks.md."""

    help = "Write the types of webhooks into docs/webhooks.md."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        file = Path(settings.BASE_DIR) / "docs" / "webhooks.md"
        file.write_text(webhooks_page(file.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"Wrote {file}.")
