"""Every page of the console in a browser: accessible, without an error, by keyboard, and shut."""

import pytest

from tests.browser.seeds import stage_at

SERVICE = (
    "",
    "/monitoring",
    "/try",
    "/samples",
    "/history",
    "/clients",
    "/traffic",
    "/settings",
    "/logs",
)
STAGE = (
    "/",
    "/inbox",
    "/new",
    "/models",
    "/plans?rate=5",
    "/groups",
    "/groups/risk",
    "/audit",
    "/me",
)
STORIES = ("credit", "churn", "digits", "night-shift", "eta", "summaries")


def pages() -> list[str]:
    """Every address: of the stage, of one service, and a rollout page in every state."""
    return [
        *STAGE,
        *(f"/endpoints/fraud{page}" for page in SERVICE),
        *(f"/endpoints/{name}" for name in STORIES),
        "/nowhere",
    ]


@pytest.mark.parametrize("language", ["en", "zh", "pl"])
def test_every_page_in_both_themes_and_widths(run, language):
    shown = pages()
    report = run("matrix.mjs", language, *shown, seconds=550)
    assert report["checked"] == len(shown) * 2 * 2


@pytest.mark.parametrize(
    ("walk", "person"),
    [
        ("rollback", "cleo"),
        ("pause", "cleo"),
        ("approve", "ben"),
        ("release", "cleo"),
        ("verify", "vera"),
        ("client", "ann"),
        ("cursor", "vera"),
    ],
)
def test_the_main_tasks_by_keyboard_alone(run, walk, person):
    run("walks.mjs", walk, person=person)


def test_a_stolen_link_and_a_foreign_page_get_nothing(run):
    run("security.mjs")


def test_the_stories_end_as_the_engine_decides():
    phases = {name: each.rollout.phase.value for name, each in stage_at().services.items()}
    assert phases == {
        "fraud": "observing",
        "churn": "awaiting_approval",
        "credit": "rolled_back",
        "digits": "promoted",
        "night-shift": "observing",
        "eta": "observing",
        "summaries": "failed",
        "tariffs": "promoted",
    }
