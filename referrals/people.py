"""Whether two records are one person: the email as the rules compare it."""

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
