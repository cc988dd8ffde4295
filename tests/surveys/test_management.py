import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from messaging.models import Message
from referrals.services.segments import save_segment
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


def test_invite_customers_asks_the_members_of_a_segment(person, capsys):
    segment(person)

    call_command("invite_customers", "nps", "--segment", "german")

    assert capsys.readouterr().out.splitlines() == ["1 asked"]
    assert Invitation.objects.get().customer.external_id == "c-1"


def segment(person):
    person("c-1", locale="de")
    person("c-2")
    text = "customer.locale: de"
    return save_segment(segment=None, slug="german", title="German", description="", text=text, at=timezone.now())


def test_customers_to_ask_are_found_by_segment(person, admin_client):
    segment(person)

    page = admin_client.get("/admin/surveys/respondent/?segment=german")

    assert [one.external_id for one in page.context["cl"].queryset] == ["c-1"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nps"],
        ["nps", "--all", "--customer", "c-1"],
        ["nps", "--customer", "nobody"],
        ["other", "--all"],
        ["nps", "--segment", "gone"],
        ["nps", "--segment", "early", "--all"],
    ],
)
def test_invite_customers_refuses_and_asks_nobody(person, arguments):
    person("c-1")

    with pytest.raises(CommandError):
        call_command("invite_customers", *arguments)

    assert (Invitation.objects.count(), Message.objects.count()) == (0, 0)
