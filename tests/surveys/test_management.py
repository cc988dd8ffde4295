import pytest
from django.core.management import CommandError, call_command

from messaging.models import Message
from surveys.models import Invitation

pytestmark = pytest.mark.django_db


def test_invite_customers_asks_all_and_says_who_was_not_and_why(person, capsys):
    person("c-1")
    person("c-2", email="")

    call_command("invite_customers", "nps", "--all")
    call_command("invite_customers", "nps", "--customer", "c-1")
    call_command("invite_customers", "nps", "--customer", "c-1", "--force")

    assert capsys.readouterr().out.splitlines() == [
        "1 asked, 1 not asked: no_email",
        "0 asked, 1 not asked: throttled",
        "1 asked",
    ]
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "arguments", [["nps"], ["nps", "--all", "--customer", "c-1"], ["nps", "--customer", "nobody"], ["other", "--all"]]
)
def test_invite_customers_refuses_and_asks_nobody(person, arguments):
    person("c-1")

    with pytest.raises(CommandError):
        call_command("invite_customers", *arguments)

    assert (Invitation.objects.count(), Message.objects.count()) == (0, 0)
