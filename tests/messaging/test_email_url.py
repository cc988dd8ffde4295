import pytest
from django.core.mail import get_connection

from messaging.email_url import PROVIDERS, BadEmailUrl, read_email_url


def test_read_email_url_of_a_folder():
    read = read_email_url("file:///srv/my%20mails")

    assert (read.backend, read.folder) == ("messaging.backends.FolderBackend", "/srv/my mails")


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "ssl"),
    [
        ("smtp://mail.example", "mail.example", 25, False, False),
        ("smtp://mail.example:2525", "mail.example", 2525, False, False),
        ("smtp://ann:s%40cret@mail.example:587/?tls=true", "mail.example", 587, True, False),
        ("smtp://mail.example:465?ssl=1", "mail.example", 465, False, True),
        ("smtps://mail.example", "mail.example", 465, False, True),
        ("smtp+ssl://mail.example", "mail.example", 465, False, True),
        ("smtp+tls://mail.example", "mail.example", 587, True, False),
        ("submission+tls://mail.example", "mail.example", 587, True, False),
        ("submission://mail.example", "mail.example", 587, True, False),
    ],
)
def test_read_email_url_of_a_server(url, host, port, tls, ssl):
    read = read_email_url(url)

    assert (read.backend, read.folder) == ("messaging.backends.SmtpBackend", "")
    assert (read.host, read.port, read.use_tls, read.use_ssl) == (host, port, tls, ssl)


def test_read_email_url_decodes_user_and_password():
    read = read_email_url("smtps://ann%40shop:s%3Acret%2F@mail.example")

    assert (read.user, read.password) == ("ann@shop", "s:cret/")


@pytest.mark.parametrize("scheme", ["consolemail", "console"])
def test_read_email_url_of_the_console(scheme):
    assert read_email_url(f"{scheme}://").backend == "django.core.mail.backends.console.EmailBackend"


def test_read_email_url_of_a_provider():
    read = read_email_url("anymail+mailgun://key-1@mg.shop.example?api_url=https://api.eu.mailgun.net/v3")

    assert read.backend == "anymail.backends.mailgun.EmailBackend"
    assert read.anymail == {
        "MAILGUN_API_KEY": "key-1",
        "MAILGUN_SENDER_DOMAIN": "mg.shop.example",
        "MAILGUN_API_URL": "https://api.eu.mailgun.net/v3",
    }


def test_read_email_url_of_a_provider_with_two_keys():
    assert read_email_url("anymail+mailjet://public:private@").anymail == {
        "MAILJET_API_KEY": "public",
        "MAILJET_SECRET_KEY": "private",
    }


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_read_email_url_makes_settings_that_the_provider_accepts(provider, settings):
    read = read_email_url(f"anymail+{provider.replace('_', '-')}://key:secret@host.example")
    settings.ANYMAIL = read.anymail | dict.fromkeys(("POSTAL_API_URL", "UNISENDER_GO_API_URL"), "https://api.example/")
    settings.EMAIL_BACKEND = read.backend

    assert get_connection().esp_name


@pytest.mark.parametrize(
    "url", ["", "mails", "http://mail.example", "file://server/folder", "file:relative", "anymail+nobody://k@d"]
)
def test_read_email_url_refuses_the_rest(url):
    with pytest.raises(BadEmailUrl):
        read_email_url(url)
