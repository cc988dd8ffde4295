"""What a file may hold, how other tools call it, and which column of a file is which. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CUSTOMERS, REFERRALS, POINTS = "customers", "referrals", "points"
ATTRIBUTE = "attributes."
LEAVE_OUT = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One thing that a row says: its label, whether every row needs it, whether one value may stand for all rows."""

    name: str
    label: str
    needed: bool = False
    constant: bool = False
    synonyms: tuple[str, ...] = ()


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    CUSTOMERS: (
        Column(
            name="external_id",
            label="Your own customer id",
            synonyms=("externalid", "customerid", "customernumber", "customer", "userid", "id", "advocateid"),
        ),
        Column(
            name="email",
            label="Email",
            synonyms=("email", "emailaddress", "mail", "customeremail", "advocateemail", "participantemail"),
        ),
        Column(name="name", label="Name", synonyms=("name", "fullname", "customername", "advocatename")),
        Column(name="locale", label="Language", constant=True, synonyms=("locale", "language", "lang")),
        Column(name="time_zone", label="Time zone", constant=True, synonyms=("timezone", "tz")),
        Column(
            name="code",
            label="Old referral code",
            synonyms=("code", "referralcode", "sharecode", "advocatecode", "couponcode", "uniquecode", "personalcode"),
        ),
    ),
    REFERRALS: (
        Column(
            name="advocate",
            label="Advocate (id or email)",
            needed=True,
            synonyms=(
                *("advocate", "advocateid", "advocateemail", "advocateemailaddress", "referrer", "referrerid"),
                *(
                    "referreremail",
                    "referreremailaddress",
                    "referringcustomeremail",
                    "sender",
                    "senderemail",
                    "inviter",
                ),
                *("inviteremail", "referredby", "referredbyemail", "sharer", "shareremail", "affiliateemail"),
            ),
        ),
        Column(
            name="friend",
            label="Friend (id or email)",
            needed=True,
            synonyms=(
                *("friend", "friendid", "friendemail", "friendemailaddress", "referee", "refereeid", "refereeemail"),
                *(
                    "referred",
                    "referredemail",
                    "referredcustomeremail",
                    "referredfriendemail",
                    "invitee",
                    "inviteeemail",
                ),
                *("recipientemail", "customeremail", "email", "newcustomeremail", "participantemail"),
            ),
        ),
        Column(
            name="date",
            label="Date",
            needed=True,
            constant=True,
            synonyms=(
                *("date", "referraldate", "createdat", "created", "datereferred", "referredat", "signupdate"),
                *("purchasedate", "conversiondate", "dateofpurchase", "orderdate", "completedat", "timestamp"),
            ),
        ),
        Column(
            name="state",
            label="State (open or completed)",
            needed=True,
            constant=True,
            synonyms=("state", "status", "referralstatus", "referralstate", "rewardstatus", "conversionstatus"),
        ),
        Column(
            name="code",
            label="Advocate's old code",
            synonyms=("code", "referralcode", "sharecode", "advocatecode", "referrercode", "couponcode"),
        ),
    ),
    POINTS: (
        Column(
            name="customer",
            label="Customer (id or email)",
            needed=True,
            synonyms=(
                *("customer", "customerid", "externalid", "userid", "customeremail", "email", "emailaddress", "member"),
                *("memberemail", "advocateemail", "referreremail", "id"),
            ),
        ),
        Column(
            name="points",
            label="Points",
            needed=True,
            synonyms=(
                *("points", "pointsbalance", "pointbalance", "balance", "currentbalance", "availablepoints"),
                *("approvedpoints", "credit", "credits", "loyaltypoints"),
            ),
        ),
        Column(
            name="expires",
            label="Last day of the points",
            constant=True,
            synonyms=(
                "expires",
                "expiresat",
                "expiry",
                "expirydate",
                "pointsexpirydate",
                "expirationdate",
                "validuntil",
            ),
        ),
    ),
}


def column_names(kind: str) -> tuple[str, ...]:
    """Return what a file of the kind may hold, in its order."""
    return tuple(column.name for column in COLUMNS[kind])


def is_column(kind: str, name: str) -> bool:
    """Tell whether a file of the kind may hold that; customers have attributes by any name."""
    attribute = kind == CUSTOMERS and name.startswith(ATTRIBUTE) and name != ATTRIBUTE
    return attribute or name in column_names(kind)


def header_key(header: Iterable[str]) -> str:
    """Return the same text for the same set of columns, whatever their order and spelling."""
    names = sorted(_plain(name) for name in header)
    return hashlib.sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).hexdigest()


def guess_columns(kind: str, header: Sequence[str]) -> dict[str, str]:
    """Return, by the file's name of a column, what it probably is; the better known name wins."""
    found: dict[str, str] = {}
    plain = {name: _plain(name) for name in header}
    for column in COLUMNS[kind]:
        known = (_plain(column.name), *column.synonyms)
        fitting = [name for word in known for name in header if plain[name] == word and name not in found]
        if fitting:
            found[fitting[0]] = column.name
    return found


def mapping_problems(
    kind: str, header: Sequence[str], columns: Mapping[str, str], constants: Mapping[str, str]
) -> list[str]:
    """Return in words what keeps the columns from being read; `columns` are theirs -> ours."""
    problems = [f"the file has no column {theirs}" for theirs in columns if theirs not in header]
    problems += [f"{ours} is nothing that {kind} have" for ours in columns.values() if not is_column(kind, ours)]
    chosen = list(columns.values())
    problems += [f"{ours} is chosen for two columns" for ours in sorted(set(chosen)) if chosen.count(ours) > 1]
    problems += [f"{ours} has a column and one value for all rows" for ours in constants if ours in chosen]
    allowed = {column.name for column in COLUMNS[kind] if column.constant}
    problems += [f"{ours} cannot be the same in all rows" for ours in constants if ours not in allowed]
    missing = [column.label for column in COLUMNS[kind] if column.needed and column.name not in (*chosen, *constants)]
    problems += [f"no column is chosen for: {label}" for label in missing]
    if kind == CUSTOMERS and not {"external_id", "email"} & set(chosen):
        problems.append("no column is chosen for: Your own customer id, or Email")
    return problems


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
