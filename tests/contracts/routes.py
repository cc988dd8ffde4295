"""Every route of the product, found by walking the URLconf."""

from django.urls import URLPattern, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")


def walk():
    """Yield (pattern, view) of every route."""

    def below(patterns, prefix):
        for entry in patterns:
            pattern = prefix + str(entry.pattern).removeprefix("^")
            if isinstance(entry, URLPattern):
                yield pattern, entry.callback
            else:
                yield from below(entry.url_patterns, pattern)

    return list(below(get_resolver().url_patterns, ""))


def methods_of(view):
    """Return the methods that a class-based view of the API answers."""
    return {name.upper() for name in METHODS if hasattr(view.cls, name)}


def is_api(pattern):
    return pattern.startswith("api/v1/") and pattern != "api/v1/.*$"
