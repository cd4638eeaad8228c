"""``halftone console`` serves the stage that the command works on, with the caller's rights."""

import asyncio
import json
import urllib.request

import pytest


def ask(url, body=None, **headers):
    """The JSON that a request of the page is answered with."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, given), timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def bundle(monkeypatch, tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html>")
    monkeypatch.setattr("halftone_cli.local.console.files._IN_WHEEL", tmp_path)


@pytest.fixture
def answering(cli):
    """The API for the server's threads, which have no event loop of their own."""
    loop, send = asyncio.new_event_loop(), cli.send

    def answer(request):
        asyncio.set_event_loop(loop)
        return send(request)

    cli.send = answer
    yield cli
    loop.close()


def test_the_link_opens_the_callers_own_stage(answering, bundle):
    cli = answering
    links, answers = [], []

    def look(link):
        links.append(link)
        return link

    def wait():
        origin, _, key = links[0].partition("/#key=")
        session = ask(f"{origin}/session", {"key": key})
        answers.append(session)
        answers.append(ask(f"{origin}/v1/me", halftone_session=session["session"]))
        raise KeyboardInterrupt

    cli.while_waiting = wait
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webbrowser.open", look)
        ran = cli("console", "--json", "--browser")
    assert ran.code == 0, ran.err
    assert ran.json["url"] == links[0]
    assert (ran.json["stage"], answers[0]["stage"]) == ("test", "test")
    assert ran.json["arn"] == answers[1]["arn"] == cli.by
    assert "stopped" in ran.err
