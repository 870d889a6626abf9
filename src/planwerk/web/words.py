"""Filters of the templates: values of the database in words for people."""

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str | None) -> str:
    """What a browser calls itself (RFC 9110, section 10.1.5), in the words of people; the first word if it is no usual one.

    >>> browser_name("Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0"), browser_name("curl/8.5.0"), browser_name(None)
    ('Firefox on Windows', 'curl/8.5.0', 'Unknown browser')
    """
    if not agent or not agent.strip():
        return "Unknown browser"
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if not browser:
        return agent if len(agent) <= 40 else agent.split()[0][:40]
    return f"{browser} on {system}" if system else browser


def moment(timestamp: str | None) -> str:
    """A timestamp of the API without its seconds.

    >>> moment("2026-03-05T08:30:12Z"), moment(None)
    ('2026-03-05 08:30', 'never')
    """
    return timestamp[:16].replace("T", " ") if timestamp else "never"
