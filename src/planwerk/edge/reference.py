"""One Reference-Tag per request: a random UUID (RFC 9562, version 4), in the answer and in every log line about it."""

import random
from collections.abc import Callable


def new_reference(bits: Callable[[int], int] = random.getrandbits) -> str:
    text = f"{bits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
