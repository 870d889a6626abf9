"""Which passwords people may choose: long enough, and none of the first that somebody would try (NIST SP 800-63B, 3.1.1.2).

Comes in: a password and what is known of its user. Goes out: a sentence that says what is wrong, or an empty text.
"""

from collections.abc import Iterable

from planwerk.identity.passwords import LONGEST, SHORTEST

RULES = f"{SHORTEST} to {LONGEST} characters, any you like; not your email address and nothing everybody would try first."
OBVIOUS = frozenset(
    [
        "password",
        "passwort",
        "wachtwoord",
        "motdepasse",
        "contraseña",
        "planwerk",
        "vplan",
        "changeme",
        "letmein",
        "welcome",
        "welkom",
        "willkommen",
        "geheim",
        "secret",
        "qwerty",
        "qwertyuiop",
        "qwertz",
        "qwertzuiop",
        "azerty",
        "azertyuiop",
        "asdfghjkl",
        "iloveyou",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "superman",
        "trustno1",
        "abc",
        "abcdefgh",
        "admin",
        "administrator",
    ]
)


def password_fault(password: str, known: Iterable[str]) -> str:
    """What is wrong with a new password; empty if it may be taken. `known` are texts of its user, such as the email address.

    >>> password_fault("short", ())
    'The password must have 8 to 1024 characters.'
    >>> password_fault("Wachtwoord123!", ()), password_fault("aaaaaaaaaa", ()), password_fault("87654321", ())
    ('This password is one of the first that somebody would try.', 'This password is one of the first that somebody would try.', 'This \
password is one of the first that somebody would try.')
    >>> password_fault("Eva@Mill.example", ("eva@mill.example",)), password_fault("a long sentence about bees", ("eva@mill.example",))
    ('The password must not be your email address or your name.', '')
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return f"The password must have {SHORTEST} to {LONGEST} characters."
    if is_obvious(password):
        return "This password is one of the first that somebody would try."
    if password.casefold() in {text.casefold() for text in known if text}:
        return "The password must not be your email address or your name."
    return ""


def is_obvious(password: str) -> bool:
    """Whether a password is a known word with or without digits behind it, one character again and again, or a row of digits."""
    text = password.casefold()
    word = text.rstrip("0123456789!?.-_*#$")
    return word in OBVIOUS or len(set(text)) <= 2 or text in "01234567890" * 2 or text in "09876543210" * 2
