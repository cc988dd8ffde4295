"""Whether two records are one person: the email as the rules compare it."""

import re

_EMAIL = re.compile(r"[^@\s<>\"',;:\\()\[\]]{1,64}@[A-Za-z0-9.-]{1,189}")
_DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def normalize_email(email: str) -> str:
    """Return the email as compared for self-referral: lower case, no `+tag`, no dots at Gmail; '' for ''."""
    local, at, domain = email.strip().lower().rpartition("@")
    if not at:
        return ""
    local = local.split("+", 1)[0]
    if domain in _DOTLESS:
        return f"{local.replace('.', '')}@{_DOTLESS[domain]}"
    return f"{local}@{domain}"


def is_email(text: str) -> bool:
    """Tell whether a text has the shape of an email address."""
    return _EMAIL.fullmatch(text) is not None


def mask_email(email: str) -> str:
    """Return the address as far as reviewers see it: the ends of the mailbox name, and the domain ('an…r@gmx.net')."""
    local, at, domain = email.strip().rpartition("@")
    if not at:
        return ""
    return f"{local[:2]}…{local[-1:]}@{domain}" if len(local) > 3 else f"{local[:1]}…@{domain}"


def external_id_problem(text: str) -> str:
    """Return why a text cannot be a customer's id, or ''."""
    if not 1 <= len(text) <= 200 or not text.isprintable():
        return "expected 1 to 200 printable characters"
    if text.startswith(("email:", "erased:")):
        return "expected an id of your own; those with email: and erased: are ours"
    return ""
