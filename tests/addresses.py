"""URLs that must lead a webhook nowhere, in every spelling that parsers and resolvers are known to take; `PORT` is the listener's.

Collected from the ways in which others were tricked: numbers, mapped and translated addresses, look-alike characters, userinfo,
schemes, and names that mean this machine.
"""

from collections.abc import Iterator

PORT = "65432"
LOOPBACK = (  # this machine
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "127.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "hooks.localhost",
    "ⓛocalhost",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::1%25lo]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
)
PRIVATE = (  # the networks around it
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2001:20::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[100::1]",
    "[2620:4f:8000::1]",
)
MALFORMED = (  # what is no http address of one host
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ftp://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "//127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}",
    "http://:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:word@example.com/",
    "http://@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\.example.com/",
    "http://127%2e0%2e0%2e1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.com/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1 :{port}/",
    "http://127.0.0.1\n.example.com/",
    "http://127.0.0.1:{port}:80/",
    "http://127.0.0.1:99999/",
    "http://256.256.256.256/",
    "http://99999999999/",
    "http://0x/",
    "http://[::1]example.com/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1/",
    "http://.../",
    "http://-a-/",
    "http://a..b/",
    "http://exam\u00adple.com/",
    "http://exam\u200bple.com/",
    "http://" + "a" * 64 + ".example.com/",
)
PORTS = ("http://example.com:22/", "http://example.com:25/", "http://example.com:0/", "https://example.com:1023/")


def hostile(port: str = PORT) -> Iterator[str]:
    """Every one of them."""
    for host in (*LOOPBACK, *PRIVATE):
        yield f"http://{host}:{port}/hook"
    for host in LOOPBACK:
        yield f"hTTPs://{host}:{port}/hook"
    yield from (url.replace("{port}", port) for url in (*MALFORMED, *PORTS))
