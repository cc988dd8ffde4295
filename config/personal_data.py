"""What every app keeps of people: what an export tells and an erasure makes nobody's, in this order."""

from referrals.services import personal_data as referrals
from referrals.services.erasing import PersonalData
from rewards.services import gift_data, standing_data
from rewards.services import personal_data as rewards
from rewards.services.importing import forgetting as imports
from surveys.services import personal_data as surveys

PERSONAL_DATA: list[PersonalData] = [
    surveys.PERSONAL_DATA,
    standing_data.PERSONAL_DATA,
    imports.PERSONAL_DATA,
    rewards.MAILS,  # while rewards and referrals still tell which mails are about the person
    rewards.PERSONAL_DATA,
    gift_data.PERSONAL_DATA,
    referrals.PERSONAL_DATA,
]
