"""What an answer says about who asked: the key behind a webhook, and how to prove oneself after a 401."""

from tests.client import Client


def test_a_webhook_belongs_to_the_key_that_made_it(api: Client) -> None:
    made = api.post("/v1/webhook", {"url": "https://example.com/hook", "api_key_id": "00000000-0000-4000-8000-000000000000"})
    assert (made["api_key_id"], made["third_party"]) == (api.get("/v1/me")["api-key"]["id"], True)


def test_a_refused_caller_is_told_the_scheme(api: Client) -> None:
    """RFC 9110, section 11.6.1."""
    answer = api.ask("GET", "/v1/order", headers={"X-Api-Key": "x" * 64})
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'ApiKey realm="Planwerk"')
