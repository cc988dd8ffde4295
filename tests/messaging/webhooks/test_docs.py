"""docs/webhooks.md says what the code says."""

import json
import re
from pathlib import Path

from messaging.management.commands.document_webhooks import webhooks_page
from messaging.webhook_types import WEBHOOK_TYPES
from referrals.sources.registry import SHOPS, option_problems

PAGE = Path(__file__).resolve().parents[3] / "docs" / "webhooks.md"


def test_docs_hold_every_type_with_its_sample():
    text = PAGE.read_text(encoding="utf-8")

    assert webhooks_page(text) == text, "python manage.py document_webhooks"
    assert re.findall(r"^### `(.+)`$", text, re.MULTILINE) == list(WEBHOOK_TYPES)


def test_docs_example_of_a_mapping_is_one():
    text = PAGE.read_text(encoding="utf-8")
    example = json.loads(re.search(r"```json\n(\{\n  \"signature\".+?\n\})\n```", text, re.DOTALL).group(1))

    assert option_problems("hmac", example) == []


def test_docs_name_every_kind_of_source():
    text = PAGE.read_text(encoding="utf-8")

    assert [kind for kind in (*SHOPS, "hmac") if f"`/in/{kind}/NAME/`" not in text] == []
