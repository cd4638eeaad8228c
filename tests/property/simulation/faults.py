"""The faults that were found in November 2026, by their letters, each as a meeting of actors.

    a  a version that was taken back answers by a split that named it
    b  rules, and ``to: champion``, outlive a return
    c  back goes to a version that was taken back before
    d  fronts without the table go on calling by its number what was taken back
    e  a version that is tagged FAILED keeps its traffic
    f  a person gives all to a version whose gate was rejected
    g  several who go back from the same champion go back as often
    h  a late event and one read that fails end a rollout that is innocent
    i  back to a version that Lambda no longer has is fenced and stuck
    j  a composite alarm that follows its children late ends the release that mends the champion
    k  a refused change of traffic takes the alarms from a rollout
    l  a tick arms over a red guardrail
    m  CloudFormation's return sets and releases what the file said before
    n  the end of a replaced resource retires a living endpoint
    o  a rename makes a private endpoint public
    p  a declaration that is refused has ended the rollout before
    q  a release that meets its package on its way back is told that it rolls out
    r  a table restored from a backup moves all traffic
    s  feedback on an id that nobody signed is evidence
    t  feedback counts for nobody
    v  what was not read yet when a mirror step ended is lost by a pause
    w  the plan's word "promote" stands in for a proven loss of traffic
    x  impossible counts raise out of the tick
    y  an approval of all traffic does not look at the last minute
    z  the shares that are shown are not those that are served

    s twice  feedback on one answer counts as often as it is sent
    champion gone  the champion is deleted in Lambda after a hand took its alias: every tick fails
    champion gone at rest  the same where nothing rolls out, and the hand's version was taken back
    nothing left  no version that could serve is left on Lambda: every tick fails
    undone  a deploy that was taken back at once is answered as a success when its event comes again
    late shift  a share that was decided on is given late, without a look at what came since

Not to be seen here, because no actor of the engine's takes part in it:

    u  keys that are counted twice make a proof too bold: rollouts that are simulated show it
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.property.simulation.exploration import Bounds

IN_TURN = Bounds(switches=0)
"""One after the other, in every order."""


@dataclass(frozen=True)
class Fault:
    """Who meets in which world, and the promise that breaks there, with its tag.

    ``besides`` are tags of other faults that would show before it.
    """

    world: str
    actors: tuple[str, ...]
    promise: int
    tag: str
    bounds: Bounds = IN_TURN
    besides: tuple[str, ...] = ()


FAULTS: Mapping[str, Fault] = {
    "a": Fault("beside", ("person gives 2 a share", "person goes back to 2",
                          "person goes back to 1"), 11, "still answers",
               besides=("answers again",)),
    "b": Fault("beside", ("person rules for the champion", "person goes back"),
               11, "still answers"),
    "c": Fault("returned", ("person goes back",), 11, "answers again"),
    "d": Fault("beside", ("person gives 2 a share", "person goes back to 2",
                          "person gives the champion all", "person goes back to 1"),
               11, "by number", besides=("still answers", "answers again", "shares")),
    "e": Fault("passing on", ("person tags 2 FAILED",), 11, "tagged"),
    "f": Fault("at the gate", ("person rejects", "person gives 2 all"), 11, "answers again"),
    "g": Fault("beside", ("person goes back", "other goes back"), 12, "more than was seen",
               Bounds(1)),
    "h": Fault("watched", ("late alarm of another",), 12, "foreign event", Bounds(0, 0, 1)),
    "i": Fault("beside", ("2 is deleted in Lambda", "person goes back to 2"), 8, "tick fails"),
    "j": Fault("watched", ("composite that lags",), 12, "foreign event"),
    "k": Fault("aside", ("person gives 2 a share", "deploy of m3", "workflow"),
               1, "alarms taken away", Bounds(2), besides=("answers again",)),
    "l": Fault("watched", ("alarm whose event is lost", "one alarm rewritten"), 1, "red wiped"),
    "m": Fault("serving", ("deploy of m3 that fails late",), 13, "return releases"),
    "n": Fault("deployed", ("deploy that replaces",), 13, "replace retires"),
    "o": Fault("deployed private", ("deploy that renames",), 13, "rename opens"),
    "p": Fault("watched", ("deploy that is refused",), 13, "refused, but"),
    "q": Fault("watched", ("person aborts", "person releases m2"), 13, "nothing released",
               Bounds(1)),
    "r": Fault("serving", ("table restored",), 16, "moved after a restore"),
    "s": Fault("watched", ("client forges ids", "ten seconds", "tick"), 14, "feedback counts"),
    "s twice": Fault("watched", ("client says it twice", "ten seconds", "tick"),
                     14, "feedback counts"),
    "t": Fault("passing on", ("client says what is so", "ten seconds", "tick"),
               14, "feedback lost"),
    "v": Fault("scored", ("workflow", "person pauses", "a quarter of an hour", "person resumes",
                          "tick"),
               14, "evidence lost"),
    "w": Fault("promoting on age", ("challenger gets nothing", "ten seconds", "workflow",
                                    "ten seconds", "schedule"), 6, "lost traffic"),
    "x": Fault("watched", ("counts are impossible", "ten seconds", "tick"), 9, "raised"),
    "y": Fault("at the gate", ("challenger turns bad", "ten seconds", "person approves", "tick"),
               6, "bad news overlooked"),
    "z": Fault("beside", ("person gives 1 a share", "1 is deleted in Lambda"), 16, "shares"),
    "undone": Fault("deployed", ("deploy that replaces",), 13, "replace retires",
                    Bounds(0, crashes=1, faults=1)),
    "late shift": Fault("watched", ("schedule", "challenger turns bad"), 6, "bad news overlooked",
                        Bounds(1, faults=1)),
    "champion gone": Fault("passing on", ("hand points live at 2", "1 is deleted in Lambda"),
                           8, "tick fails"),
    "champion gone at rest": Fault("returned", ("hand points live at 2",
                                                "hand points challenger at 1",
                                                "3 is deleted in Lambda"),
                                   8, "tick fails"),
    "nothing left": Fault("serving", ("stack deleted and made anew", "table restored"),
                          8, "tick fails", Bounds(1)),
}  # fmt: skip

OPEN: tuple[str, ...] = ()
"""Faults that are not mended yet: whoever mends one takes its letter away."""

OPEN_TAGS = frozenset(FAULTS[letter].tag for letter in OPEN)
"""What is not raised where all pairs meet, so that a known fault hides no other."""
