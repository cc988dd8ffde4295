"""Who can sign in to the demo company."""

import secrets

from django.conf import settings
from django.contrib.auth.models import Group

from accounts.models import User
from accounts.services import ensure_roles
from analytics.demo.cast import ANN

FILE = settings.VAR_DIR / "demo_sign_ins.txt"  # `up` prints it at each start
_STAFF = {"Administrator": "admin@goodword.example", "Marketer": "marketer@goodword.example"}


def make_sign_ins() -> str:
    """Create the demo's staff, those who are missing, with random passwords; return how to sign in.

    A password is shown here and nowhere else, but for the file beside the database.
    """
    ensure_roles()
    lines = ["sign-ins of the demo company:"]
    for role, email in _STAFF.items():
        if User.objects.filter(email=email).exists():
            continue
        password = secrets.token_urlsafe(9)
        user = User.objects.create_user(email, password, name=role, is_staff=True, is_superuser=role == "Administrator")
        user.groups.add(Group.objects.get(name=role))
        lines.append(f"  {role:<14} {email}  password {password}")
    lines.append(f"  {'Customer':<14} {ANN.email}  by a code that is mailed" + _where_to_read())
    text = "\n".join(lines) + "\n"
    if len(lines) > len(_STAFF):
        _keep(text)
    return text


def _where_to_read() -> str:
    return f": read it on {settings.PUBLIC_BASE_URL}/mails/" if settings.MAIL_PAGE else ""


def _keep(text: str) -> None:
    FILE.unlink(missing_ok=True)
    FILE.touch(mode=0o600)
    FILE.write_text(text, encoding="utf-8")
