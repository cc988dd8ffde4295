"""Programs and codes as a checkout asks for them."""

import pytest

from messaging.models import PreferenceChange
from referrals.models import Customer, Program
from referrals.services.erasing import erase_customer
from tests.factories import PROGRAM_FILE, make_program

pytestmark = pytest.mark.django_db


def test_get_code_tells_the_program_the_first_name_and_the_gift(api, reader, code):
    spelled = f" {code[:3].lower()}-{code[3:]} "

    answer = reader.get(f"codes/{spelled}")

    assert answer.status_code == 200
    assert answer.json() == {
        "valid": True,
        "reason": None,
        "code": code,
        "program": "refer-a-friend",
        "advocate": "Ann",
        "gift": [
            {
                "rule": "friend-welcome",
                "on": "signup",
                "kind": "points",
                "points": 100,
                "percent": None,
                "max_points": None,
                "repeat_days": None,
                "hold_days": 0,
                "words": "",
                "conditional": False,
            }
        ],
    }


def test_get_code_of_a_paused_program_is_not_valid(api, code):
    make_program(status="paused")

    told = api.get(f"codes/{code}").json()

    assert (told["valid"], told["reason"]) == (False, "program_not_running")


def test_get_code_nobody_has_is_404(api, code, now):
    unknown = api.get("codes/NOBODY")
    erase_customer(customer=Customer.objects.get(external_id="ann"), by="test", at=now)
    erased = api.get(f"codes/{code}")

    assert [(one.status_code, one.json()["code"]) for one in (unknown, erased)] == [(404, "unknown_code")] * 2


def test_get_programs_tells_what_each_promises(reader, db):
    make_program()
    make_program("old", status="paused")

    listed = reader.get("programs").json()["results"]
    active = reader.get("programs?status=active").json()["results"]
    wrong = reader.get("programs?status=gone")

    assert [(one["program"], one["running"]) for one in listed] == [("old", False), ("refer-a-friend", True)]
    assert [one["program"] for one in active] == ["refer-a-friend"]
    assert active[0]["qualifies"] == {"on": "purchase", "min_amount": "20.00"}
    assert [(rule["rule"], rule["points"], rule["hold_days"]) for rule in active[0]["advocate"]] == [
        ("advocate-fixed", 500, 14)
    ]
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/status")


def test_get_programs_tells_the_offer_of_today(reader, now):
    make_program()
    make_program(text=PROGRAM_FILE.replace("points: 500", "points: 600"))

    [program] = reader.get("programs").json()["results"]

    assert (program["offer"], program["advocate"][0]["points"]) == (2, 600)
    assert Program.objects.count() == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_get_programs_asks_as_often_for_many(reader, rows, django_assert_max_num_queries):
    for number in range(rows):
        make_program(f"program-{number}")

    with django_assert_max_num_queries(7):
        assert len(reader.get("programs").json()["results"]) == rows


def test_put_preferences_keeps_what_is_given_with_its_words(api, code):
    first = api.get("customers/ann/preferences").json()
    answer = api.put("customers/ann/preferences", {"news": False, "wording": "Monthly news"})
    again = api.put("customers/ann/preferences", {"news": False})

    assert first == {"rewards": True, "referral_tips": True, "surveys": True, "news": True}
    assert answer.json() == again.json() == first | {"news": False}
    assert list(PreferenceChange.objects.values_list("purpose", "allowed", "source", "wording")) == [
        ("news", False, "api", "Monthly news")
    ]


def test_put_preferences_of_an_unknown_purpose_changes_nothing(api, code):
    refused = api.put("customers/ann/preferences", {"news": False, "receipts": False})
    nobody = api.put("customers/nobody/preferences", {"news": False})

    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, ["/receipts"])
    assert nobody.status_code == 404
    assert PreferenceChange.objects.count() == 0
