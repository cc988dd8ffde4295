"""All work that can become due, in the order it is done.

`manage.py run_due` does it once; under the worker the sweep does it every few seconds. Each entry does
everything of its kind that is due at `at` and returns how many items it did: 0 once nothing is left.
"""

from analytics.services.rollups import refresh_rollups
from core import dispatch
from core.api.idempotency import purge_idempotent_requests
from core.services.jobs import DueWork
from messaging.services import send_due, send_due_webhooks
from referrals.services import lifecycle, review, vetoes
from referrals.services.clicks import purge_daily_keys
from referrals.services.friend_claims import end_silent_claims
from referrals.services.inbound import purge_raw_calls, translate_due
from referrals.services.naming import purge_name_searches
from rewards.services import budgets, calling, expiry, fulfilling, grants, handing_over, pools, redeeming, sealing
from rewards.services.importing.forgetting import forget_imports
from rewards.services.importing.running import run_imports
from rewards.services.leaderboards import close_leaderboards_due
from rewards.services.perk_events import open_events_due
from rewards.services.simulations import run_simulations
from rewards.services.standing import refresh_standings_due
from surveys.services.invitations import expire_invitations, note_sent_invitations
from surveys.services.leaving import remind_due
from surveys.services.settling import settle_answers, take_up_taps
from surveys.services.triggers import ask_due

DUE: list[tuple[str, DueWork]] = [
    ("deliveries", dispatch.deliver_due),
    ("shop-webhooks", translate_due),
    ("referrals-weighed", lifecycle.weigh_due),
    ("reviews-timed-out", review.let_go_due),
    ("shop-asked", vetoes.ask_due),
    ("rewards-released", grants.release_due),
    ("points-expired", expiry.expire_due),
    ("points-expiring", expiry.warn_due),
    ("reservations-ended", redeeming.end_reservations),
    ("referrals-approved", lifecycle.approve_due),
    ("referrals-expired", lifecycle.expire_due),
    ("tiers", refresh_standings_due),
    ("leaderboards-closed", close_leaderboards_due),
    ("vip-events-opened", open_events_due),
    ("coupon-stock", pools.watch_stock),
    ("rewards-fulfilled", fulfilling.fulfil_due),
    ("redemptions-handed-over", handing_over.hand_over_due),
    ("fulfilment-calls", calling.send_calls_due),
    ("budgets", budgets.watch_budgets),
    ("surveys-triggered", ask_due),
    ("messages", send_due),
    ("webhooks", send_due_webhooks),
    ("daily-keys", purge_daily_keys),
    ("name-searches", purge_name_searches),
    ("claims-unanswered", end_silent_claims),
    ("shop-webhook-texts", purge_raw_calls),
    ("survey-mails-sent", note_sent_invitations),
    ("survey-reminders", remind_due),
    ("expired-surveys", expire_invitations),
    ("tapped-answers", take_up_taps),
    ("answers-settled", settle_answers),
    ("numbers", refresh_rollups),
    ("simulations", run_simulations),
    ("imports", run_imports),
    ("imported-cells", forget_imports),
    ("ledger-sealed", sealing.seal_due),
    ("remembered-requests", purge_idempotent_requests),
]
