"""Who told you? Visitors learn nothing by asking; customers named by address or code are asked."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.services import create_api_key
from messaging.models import Message
from referrals.facts import fact_from_json
from referrals.models import Customer, FriendClaim, Link, NameSearch, Referral
from referrals.person_names import is_full_name, name_key
from referrals.program_file import parse_program
from referrals.services import clicks
from referrals.services.events import record_event
from referrals.services.friend_claims import AlreadyAnswered, answer_claim, claim_advocate, end_silent_claims
from referrals.services.links import ensure_link
from referrals.services.merging import merge_customers
from referrals.services.naming import be_found_by_name, purge_name_searches
from rewards.queries.backtests import load_material
from tests.factories import PROGRAM_FILE, CustomerFactory, UserFactory, make_program

PAGE = "/programs/refer-a-friend/name/"


def report(kind, who, *, days=0, order="", **more):
    """Report a fact of `days` ago and return its event."""
    at = timezone.now()
    customer = {"external_id": who} | {name: more.pop(name) for name in ("name", "email") if name in more}
    body = {
        "event_id": f"{kind}-{who}-{order}",
        "type": kind,
        "occurred_at": (at - timedelta(days=days)).isoformat(),
        "customer": customer,
        "referral": more,
    }
    if order:
        body["order"] = {"id": order, "amount": "59.90", "currency": "EUR"}
    return record_event(fact=fact_from_json(body, now=at), at=at).event


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def ann(program):
    ann = CustomerFactory(external_id="ann", name="Ann-Sophie Müller", email="ann@mail.example")
    be_found_by_name(link=ensure_link(customer=ann, program=program), found=True)
    return ann


def onward_of(answer):
    return re.search(r"click=(nam_\w+)", answer.content.decode())[1]


def told(client, name="ann sophie MUELLER", **more):
    return client.post(PAGE, {"name": name, **more})


@given(st.text(max_size=40))
def test_name_key_is_the_same_for_every_spelling_and_settles(text):
    assert name_key(name_key(text)) == name_key(text) == name_key(f"  {text.casefold()} ")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann-Sophie Müller", "ann  sophie MULLER"), ("José O’Brien", "Jose OBrien"), ("Nguyễn Văn An", "nguyen van an")],
)
def test_name_key_forgives_case_accents_and_hyphens(one, other):
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("text", "full"), [("Ann", False), ("", False), ("Ann M", True), ("A" * 200 + " B", False)])
def test_is_full_name_asks_for_two_words(text, full):
    assert is_full_name(text) is full


def test_tell_name_says_the_same_whoever_was_named(client, program, ann):
    other = CustomerFactory(name="Bea Hidden", email="bea@mail.example")
    ensure_link(customer=other, program=program)
    for twin in ("t1", "t2"):
        tim = CustomerFactory(name="Tim Twin", external_id=twin)
        be_found_by_name(link=ensure_link(customer=tim, program=program), found=True)
    cases = [{"name": "Ann Sophie Muller"}, {"name": "Bea Hidden"}, {"name": "Tim Twin"}, {"name": "No Body"}]
    cases.append({"name": "No Body", "email": "bea@mail.example"})

    answers = [told(client, **case) for case in cases]

    pages = {re.sub(r"nam_\w+|value=\S+|nonce\S+", "", answer.content.decode()) for answer in answers}
    assert ({answer.status_code for answer in answers}, len(pages)) == ({200}, 1)
    found = [(one.link and one.link.customer, one.asked) for one in NameSearch.objects.order_by("pk")]
    assert found == [(ann, None), (None, None), (None, None), (None, None), (None, other)]


def test_found_name_binds_the_friend_by_name_without_a_window(client, program, ann):
    search = onward_of(told(client, name="Ann Sophie Muller"))

    report("signup", "bob", click_id=search)

    referral = Referral.objects.get()
    assert (referral.advocate, referral.method, referral.state) == (ann, "name", "signed_up")


def test_name_not_found_binds_nobody_and_warns_of_nothing(client, program, ann):
    search = onward_of(told(client, name="Bea Hidden"))

    event = report("signup", "bob", click_id=search)

    assert (Referral.objects.count(), event.warnings) == (0, [])


def test_tell_name_twin_without_consent_nobody_is_found(client, program, ann):
    Link.objects.update(found_as="")

    search = onward_of(told(client, name="Ann Sophie Muller"))
    report("signup", "bob", click_id=search)

    assert not Referral.objects.exists()


@pytest.mark.parametrize("name", ["", "Ann", "x" * 300 + " y"])
def test_tell_name_asks_for_two_words(client, program, name):
    answer = told(client, name=name)

    assert (answer.status_code, NameSearch.objects.count()) == (400, 0)


def test_tell_name_limits_how_many_names_are_tried(client, program, monkeypatch):
    monkeypatch.setattr(clicks, "MISSES", 2)

    answers = [told(client, name=f"No Body{number}") for number in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (NameSearch.objects.count(), int(answers[-1]["Retry-After"]) > 0) == (3, True)


def test_address_given_besides_asks_once_the_friend_is_known(client, program, ann):
    Link.objects.update(found_as="")
    search = onward_of(told(client, name="Ann Muller", email="ANN@mail.example"))
    assert not Message.objects.exists()

    report("signup", "bob", name="Bob Miller", click_id=search)
    report("purchase", "bob", click_id=search, order="1")

    claim = FriendClaim.objects.get()
    assert (claim.advocate, claim.friend.external_id, claim.state) == (ann, "bob", "asked")
    mail = Message.objects.get(kind="friend_claimed")
    assert (mail.email, mail.context["friend_name"]) == ("ann@mail.example", "Bob M.")
    assert not Referral.objects.exists()


@pytest.fixture
def as_ann(client, ann):
    client.force_login(UserFactory(email=ann.email))
    return client


@pytest.fixture
def bob(program):
    """A new customer who bought without any link."""
    report("purchase", "bob", name="Bob Miller", email="bob@mail.example", order="1")
    return Customer.objects.get(external_id="bob")


def claim_as_bob(client, bob, given, program="refer-a-friend"):
    client.force_login(User.objects.filter(email=bob.email).first() or UserFactory(email=bob.email))
    return client.post("/told/", {"program": program, "given": given}, follow=True)


def test_claim_confirmed_by_the_advocate_is_evidence_from_the_first_event_on(client, program, ann, bob):
    answer = claim_as_bob(client, bob, "ann@mail.example")
    assert "not answered yet" in answer.content.decode()
    claim = FriendClaim.objects.get()
    client.force_login(UserFactory(email=ann.email))
    page = f"/told/{claim.public_id}/"
    assert page in client.get("/").content.decode()
    for _ in range(3):
        assert "Bob M. says" in client.get(page).content.decode()
    assert not Referral.objects.exists()

    client.post(page, {"answer": "yes"})
    again = client.post(page, {"answer": "no"}, follow=True)

    referral = Referral.objects.get()
    assert (referral.advocate, referral.method, referral.state) == (ann, "claim", "qualified")
    assert referral.qualifying_event.order_id == "1"
    assert "This question is closed." in again.content.decode()
    claim.refresh_from_db()
    assert (claim.state, claim.event) == ("confirmed", referral.binding_event)


def test_claim_denied_and_never_again(client, program, ann, bob):
    claim_as_bob(client, bob, ensure_link(customer=ann, program=program).code)
    client.force_login(UserFactory(email=ann.email))
    client.post(f"/told/{FriendClaim.objects.get().public_id}/", {"answer": "no", "never": "on"})
    assert (Referral.objects.count(), FriendClaim.objects.get().state) == (0, "denied")
    mails = Message.objects.filter(kind="friend_claimed").count()

    answer = claim_as_bob(client, bob, "ann@mail.example")

    assert "could not be confirmed" in answer.content.decode()
    assert Message.objects.filter(kind="friend_claimed").count() == mails == 1


def test_claim_of_nobody_looks_the_same_and_ends_in_silence(client, program, ann, bob, settle):
    known = claim_as_bob(client, bob, "ann@mail.example").content.decode()
    FriendClaim.objects.all().delete()
    unknown = claim_as_bob(client, bob, "nobody@mail.example").content.decode()

    plain = re.compile(r"\w+@mail.example|csrf\S+|nonce\S+|value=\S+")
    assert plain.sub("", known) == plain.sub("", unknown)
    claim = FriendClaim.objects.get()
    assert claim.advocate is None
    ended = [end_silent_claims(at=claim.at + timedelta(days=days)) for days in (13, 15)]
    assert ended == [0, 1]


@pytest.mark.parametrize(("days", "words"), [(29, "Ask them"), (31, "within 30 days")])
def test_claim_is_possible_for_thirty_days(client, program, days, words):
    report("signup", "bob", email="bob@mail.example", days=days)
    client.force_login(UserFactory(email="bob@mail.example"))

    assert words in client.get("/told/").content.decode()


def test_claim_is_asked_once_at_a_time(client, program, ann, bob):
    claim_as_bob(client, bob, "ann@mail.example")
    again = client.post("/told/", {"program": program.slug, "given": "x@y.example"})

    assert (again.status_code, FriendClaim.objects.count()) == (400, 1)
    assert "We have asked" in client.get("/told/").content.decode()


def test_claim_of_oneself_is_nobodys(client, program, bob):
    claim_as_bob(client, bob, bob.email)

    assert FriendClaim.objects.get().advocate is None


def test_answer_claim_is_hidden_from_others(client, program, ann, bob):
    claim_as_bob(client, bob, "ann@mail.example")

    page = f"/told/{FriendClaim.objects.get().public_id}/"
    answers = [client.get(page), client.post(page, {"answer": "yes"})]
    client.logout()
    stranger = client.get(page)

    assert [one.status_code for one in answers] == [404, 404]
    assert (stranger.status_code, FriendClaim.objects.get().state) == (302, "asked")


def test_own_link_page_keeps_who_may_be_found(as_ann, ann, program):
    link = ensure_link(customer=ann, program=program)
    page = f"/link/{link.code}/"

    as_ann.post(page, {"action": "found"})
    off = Link.objects.get().found_as
    as_ann.post(page, {"action": "found", "found": "on"})

    assert (off, Link.objects.get().found_as) == ("", "ann sophie muller")
    ann.name = "Ann"
    ann.save()
    assert "full name" in as_ann.post(page, {"action": "found", "found": "on"}).content.decode()


def test_names_api_answers_in_one_shape(client, program, ann):
    _, key = create_api_key(name="shop", scopes=["write"])
    headers = {"authorization": f"Bearer {key}"}

    def post(**body):
        return client.post("/api/v1/names", body, content_type="application/json", headers=headers)

    known = post(program=program.slug, name="Ann Sophie Muller")
    unknown = post(program=program.slug, name="No Body", email="no@mail.example")
    wrong = [post(program=program.slug, name="Ann"), post(program="none", name="No Body"), post(name="No Body")]

    assert [(one.status_code, list(one.json())) for one in (known, unknown)] == [(201, ["click_id"])] * 2
    assert [(one.status_code, one.json()["errors"][0]["pointer"]) for one in wrong] == [
        (422, "/name"),
        (422, "/program"),
        (422, "/program"),
    ]
    for answer in (known, unknown):
        seen = client.post("/api/v1/clicks", answer.json(), content_type="application/json", headers=headers)
        assert (seen.status_code, seen.json()["code"], seen.json()["click_id"]) == (201, "", answer.json()["click_id"])


def test_purge_name_searches_forgets_what_was_typed(client, program, ann):
    told(client, name="Ann Sophie Muller")
    at = NameSearch.objects.get().at

    assert [purge_name_searches(at=at + timedelta(days=days)) for days in (89, 91, 91)] == [0, 1, 0]
    assert (NameSearch.objects.get().name, NameSearch.objects.get().link.customer) == ("", ann)


def test_staff_see_searches_and_answer_claims(client, program, ann, bob, admin_user):
    search = onward_of(told(client, name="Bea Hidden"))
    report("signup", "cid", click_id=search)
    claim_as_bob(client, bob, "ann@mail.example")
    client.force_login(admin_user)

    page = client.get("/admin/referrals/namesearch/").content.decode()
    row = client.get(f"/admin/referrals/namesearch/{NameSearch.objects.get().pk}/change/").content.decode()
    by_hand = re.search(r"/admin/referrals/referral/by-hand/\?friend=cid", row)
    claim = FriendClaim.objects.get()
    client.post("/admin/referrals/friendclaim/", {"action": "confirm_action", "_selected_action": [claim.pk]})

    assert "Bea Hidden" in page
    assert by_hand
    assert 'value="cid"' in client.get(by_hand[0]).content.decode()
    assert Referral.objects.get().method == "claim"


def test_a_typed_code_goes_before_a_name(client, program, ann):
    bea = CustomerFactory(external_id="bea")
    search = onward_of(told(client, name="Ann Sophie Muller"))

    report("signup", "bob", click_id=search, code=ensure_link(customer=bea, program=program).code)

    assert (Referral.objects.get().advocate, Referral.objects.get().method) == (bea, "code")


def test_a_late_yes_is_no_evidence(client, program, ann, bob):
    claim_as_bob(client, bob, "ann@mail.example")
    claim = FriendClaim.objects.get()

    with pytest.raises(AlreadyAnswered):
        answer_claim(claim=claim, yes=True, at=claim.at + timedelta(days=15))

    assert (Referral.objects.count(), FriendClaim.objects.get().state) == (0, "asked")


def test_merging_people_with_open_claims_keeps_one_question_and_asks_nobody_about_themselves(program, ann, bob):
    now = timezone.now()
    bobby = CustomerFactory(external_id="bobby")
    for friend, named in ((bob, "ann@mail.example"), (bobby, bob.email)):
        claim_advocate(program=program, friend=friend, given=named, at=now)

    merge_customers(source=bobby, into=bob, reason="", by="t", at=now)

    claims = FriendClaim.objects.filter(state="asked").values_list("friend__external_id", "advocate__external_id")
    assert list(claims) == [("bob", "ann")]
    merge_customers(source=Customer.objects.get(pk=bob.pk), into=ann, reason="", by="t", at=now)
    assert FriendClaim.objects.get(state="asked").advocate is None


def test_back_test_knows_claims_and_names_by_their_methods(client, program, ann, bob):
    claim_as_bob(client, bob, "ann@mail.example")
    answer_claim(claim=FriendClaim.objects.get(), yes=True, at=timezone.now())
    report("signup", "cid", click_id=onward_of(told(client, name="Ann Sophie Muller")))
    document = parse_program(PROGRAM_FILE.format(slug=program.slug, name=program.name, status="active"))

    case = load_material(program=program, document=document, at=timezone.now()).case

    assert sorted({one.method for named in case.named.values() for one in named}) == ["claim", "name"]
