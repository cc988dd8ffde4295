"""What visits say of themselves and what people write."""

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Mobile Safari/537.36"
)
TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Safari/537.36"
)
PEOPLE = {PHONE: 34, ANDROID: 30, DESK: 18, MAC: 12, TABLET: 6}

PREVIEWS = {
    "whatsapp": "WhatsApp/2.24.20.89 A",
    "facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "telegram": "TelegramBot (like TwitterBot)",
    "linkedin": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "x": "Twitterbot/1.0",
}
BOTS = (
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "python-requests/2.32.3",
)

SHARED_BY = {"whatsapp": 40, "copy": 16, "email": 15, "native": 9, "facebook": 7, "sms": 5, "qr": 4, "telegram": 4}
FOUND_BY = {"search": 30, "direct": 26, "instagram": 18, "newsletter": 12, "store": 9, "": 5}
UNKNOWN_CODES = ("SUMMER25", "WELCOME10", "BLACKFRIDAY", "INFLUENCER20")

SCORES = {10: 31, 9: 28, 8: 16, 7: 11, 6: 5, 5: 3, 4: 2, 3: 1, 2: 1, 1: 1, 0: 1}
COMMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "promoter": (
            "Lovely packaging and it arrived two days early.",
            "The linen is even softer after the third wash.",
            "My sister told me about you, and now I tell everybody else.",
            "Somebody answered my question within ten minutes, on a Sunday.",
            "Honest sizes, honest prices. Thank you!",
            "Best bread knife I have ever owned.",
        ),
        "passive": (
            "Good quality, but delivery took a week.",
            "All fine. I wish there were more colours.",
            "Nice shop; the search could be better.",
        ),
        "detractor": (
            "The parcel was left outside in the rain.",
            "I had to ask three times for my refund.",
            "Colour was nothing like the picture.",
        ),
    },
    "de": {
        "promoter": (
            "Wunderschön verpackt und schneller da als gedacht.",
            "Das Leinen wird mit jeder Wäsche weicher.",
            "Meine Schwester hat euch empfohlen, jetzt empfehle ich euch weiter.",
            "Freundliche Antwort am Sonntag, das erlebt man selten.",
            "Ehrliche Größen, ehrliche Preise. Danke!",
        ),
        "passive": (
            "Gute Qualität, aber die Lieferung dauerte eine Woche.",
            "Alles in Ordnung. Mehr Farben wären schön.",
        ),
        "detractor": (
            "Das Paket stand im Regen.",
            "Ich musste dreimal nach meinem Geld fragen.",
            "Die Farbe sah auf dem Bild ganz anders aus.",
        ),
    },
}
