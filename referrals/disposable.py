"""Domains of throw-away mailboxes that anybody can open without a name. Pure values.

A short list of the widely known ones, written for this product; staff add others to the watch list.
"""

_LISTED = """
    0-mail.com 10mail.org 10minutemail.co.za 10minutemail.com 10minutemail.net 20minutemail.com 33mail.com
    anonaddy.me anonbox.net byom.de burnermail.io crazymailing.com deadaddress.com discard.email discardmail.com
    discardmail.de dispostable.com dropmail.me einrot.com emailondeck.com emailfake.com emailsensei.com
    emailtemporanea.net fakeinbox.com fakemail.net fakemailgenerator.com filzmail.com getairmail.com getnada.com
    grr.la guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net
    guerrillamail.org guerrillamailblock.com harakirimail.com inboxbear.com inboxkitten.com incognitomail.org
    jetable.org kurzepost.de linshiyouxiang.net luxusmail.org mail-temp.com mail-temporaire.fr mailcatch.com
    maildrop.cc mailexpire.com mailforspam.com mailinator.com mailinator.net mailinator2.com mailmoat.com
    mailnesia.com mailnull.com mailpoof.com mailsac.com mailtemp.info mailtothis.com meltmail.com mintemail.com
    moakt.cc moakt.com moakt.ws mohmal.com mt2015.com mvrht.com mytemp.email mytrashmail.com nada.email
    nowmymail.com objectmail.com one-time.email pokemail.net rcpt.at sharklasers.com shitmail.me smailpro.com
    sneakemail.com sogetthis.com spam4.me spambox.us spamex.com spamgourmet.com spamhole.com spamspot.com
    temp-mail.com temp-mail.io temp-mail.org tempail.com tempemail.co tempinbox.com tempmail.com tempmail.de
    tempmail.dev tempmail.net tempmail.plus tempmailaddress.com tempmailer.com tempmailo.com tempr.email
    throwawaymail.com throwam.com tmail.ws tmailor.com tmpmail.net tmpmail.org trash-mail.com trash-mail.de
    trashmail.com trashmail.de trashmail.me trashmail.net trashmail.ws trbvm.com wegwerfemail.de wegwerfmail.de
    wegwerfmail.net wegwerfmail.org yopmail.com yopmail.fr yopmail.net zeroe.ml zoemail.org
"""
DISPOSABLE = frozenset(_LISTED.split())


def is_disposable(domain: str) -> bool:
    """Return whether the domain, or one above it, is on the list."""
    labels = domain.lower().rstrip(".").split(".")
    return any(".".join(labels[start:]) in DISPOSABLE for start in range(len(labels) - 1))
