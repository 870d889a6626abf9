"""A browser without scripts, for the pages: keeps cookies, follows redirects on this server, fills in forms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute
from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.client import Answer, Client


@dataclass
class Form:
    """A form of a page: where it goes, and what its fields hold. `buttons` are the values of its named buttons."""

    method: str = "get"
    action: str = ""
    fields: dict[str, str] = attribute(default_factory=dict)
    buttons: list[tuple[str, str]] = attribute(default_factory=list)


class Forms(HTMLParser):
    """All forms of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.choice = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append(Form(given.get("method", "get").lower(), given.get("action", "")))
        elif not self.forms:
            return
        elif tag == "select":
            self.choice = name
        elif tag == "option" and (self.choice not in self.forms[-1].fields or "selected" in given):
            self.forms[-1].fields[self.choice] = given.get("value", "")
        elif tag == "button" and name:
            self.forms[-1].buttons.append((name, given.get("value", "")))
        elif tag in ("input", "textarea") and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.forms[-1].fields[name] = given.get("value", "on" if given.get("type") == "checkbox" else "")


@dataclass
class Page:
    """What a browser shows: the last answer, after redirects, and the address it came from."""

    answer: Answer
    address: str

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def text(self) -> str:
        """The words of the page, without its tags."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.answer.body.decode())))

    @property
    def forms(self) -> list[Form]:
        return Forms(self.answer.body.decode()).forms

    def form(self, action: str = "") -> Form:
        """The form that goes to a path, or the only one."""
        found = [form for form in self.forms if not action or urlsplit(form.action).path == action]
        assert len(found) == 1, f"{self.address} has {len(found)} forms {action}: {self.text[:500]}"
        return found[0]


class Browser:
    """One person's browser. `page` is what it shows."""

    def __init__(self, client: Client, host: str = "127.0.0.1:8080", headers: Mapping[str, str] | None = None) -> None:
        self.client = client
        self.host = host
        self.headers = dict(headers or {})
        self.cookies: dict[str, str] = {}
        self.page = Page(Answer(0, {}, b""), f"http://{host}/")

    def open(self, address: str) -> Page:
        """A page, by its path or its address on this server; redirects that leave the server are not followed."""
        return self.send("GET", address)

    def submit(self, action: str = "", button: tuple[str, str] | None = None, **fields: str) -> Page:
        """Fill in and send the form of the page that goes to `action`; `button` is the (name, value) that is pressed."""
        form = self.page.form(action)
        values = {**form.fields, **fields, **(dict([button]) if button else {})}
        target = urljoin(self.page.address, form.action or self.page.address)
        if form.method == "get":
            return self.send("GET", f"{target.partition('?')[0]}?{urlencode(values)}")
        return self.send("POST", target, urlencode(values).encode())

    def post(self, path: str, headers: Mapping[str, str] | None = None, **fields: str) -> Page:
        """A form that no page of ours had."""
        return self.send("POST", path, urlencode(fields).encode(), headers)

    def send(self, method: str, address: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Page:
        for _ in range(10):
            address = urljoin(self.page.address, address)
            answer = self.exchange(method, address, body, headers)
            self.page = Page(answer, address)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303) or location is None or not self.is_ours(urljoin(address, location)):
                return self.page
            method, address, body = "GET", urljoin(address, location), b""
        raise AssertionError(f"{address} redirects for ever")

    def is_ours(self, address: str) -> bool:
        return urlsplit(address).netloc == self.host

    def exchange(self, method: str, address: str, body: bytes, headers: Mapping[str, str] | None) -> Answer:
        parts = urlsplit(address)
        named = {"host": self.host, **self.headers, **(headers or {})}
        if self.cookies:
            named["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            named = {"content-type": "application/x-www-form-urlencoded", "origin": f"http://{self.host}", **named}
        fields = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        asked: Any = self.client.exchange(method, parts.path, parts.query.encode(), fields, body)
        answer: Answer = self.client.loop.run(asked)
        self.client.judge(method, f"{parts.path}?{parts.query}", answer)
        for line in answer.headers.get("set-cookie", "").splitlines():
            self.keep(line)
        return answer

    def keep(self, line: str) -> None:
        for name, morsel in SimpleCookie(line).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
