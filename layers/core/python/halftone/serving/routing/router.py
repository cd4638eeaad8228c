"""Where a request goes: pure, from the dispatch and what the request says of itself.

In this order: an endpoint that is stopped serves nobody; a pinned request goes to its version; the
first rule that matches decides; the split takes its shares; the trial takes its share of the rest.
What remains is the front's own. In a weighted rollout the alias has drawn already, so that the
version that was reached is the trial's or the champion's by itself.

A version that is unknown or stopped answers nobody: a pinned request is told, any other one is the
front's own.
"""

from dataclasses import dataclass

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.names import CHALLENGER
from halftone.domain.traffic.assignment import fingerprint, position, salted
from halftone.domain.traffic.policy import CHAMPION, Access, Client, Mirror, Mode
from halftone.serving.routing import signed_ids
from halftone.serving.routing.matching import RequestAttributes, condition, key_reader
from halftone.serving.routing.signed_ids import Signer

TRIAL = "trial"
PINNED = "pinned"
MIRROR = "mirror"
DIRECT = "direct"


class Refusal(Exception):
    """The endpoint does not answer this request; ``status`` is 404, 409 or 503."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Shadow:
    """The version that scores the same request unseen, reached by the qualifier ``via``."""

    version: str
    qualifier: str


@dataclass(slots=True)
class Assignment:
    """The arm that a request is assigned to. Never changed; not frozen for the same reason as
    ``Case``.

    ``via`` is the qualifier by which ``version`` is reached, "" for the front itself, and ``hop``
    what the callee is told. ``cohort`` is "trial" for whoever takes part in a rollout, whichever
    arm it drew; "pinned" for pinned ones. ``key`` (16 hex digits) is set where the request's key
    was freshly drawn by the present stage, so that it counts as evidence. ``trial`` is the one that
    it takes part in.
    """

    version: str
    qualifier: str = ""
    hop: str = ""
    cohort: str = ""
    key: str = ""
    shadow: Shadow | None = None
    trial: Experiment | None = None


class Router:
    """Assigns the requests that reach version ``own``. Made anew for each dispatch."""

    def __init__(self, dispatch: RouteConfig, own: str) -> None:
        serving, trial = dispatch.serving, dispatch.trial
        self.dispatch = dispatch
        self._own = own
        self._salt = salted(serving.salt or dispatch.endpoint)
        self._split_salt = salted(serving.salt or dispatch.endpoint, "split")
        self._mirror_salt = salted(serving.salt or dispatch.endpoint, MIRROR)
        self._key = key_reader(serving.key.source, serving.key.name) if serving.key else None
        self._names = _names(dispatch)
        parts = {CHAMPION: dispatch.champion, CHALLENGER: trial.version if trial else None}
        self._parts = {part: version for part, version in parts.items() if version}
        self._rules = [(condition(rule.match), rule.version) for rule in serving.rules]
        self._split = _bounds(dispatch)
        self._trial = trial
        self._draws = trial is not None and trial.mode is Mode.GUARDED
        self._takes_part = condition(trial.match) if trial and trial.match else None
        self._mirror = _mirror(dispatch)
        self._mirrors = condition(self._mirror.match) if self._mirror else None
        self._qualifiers = {trial.version: CHALLENGER} if trial else {}
        if serving.probation is not None:
            # By the alias, which goes back to the champion when the alarms take it back.
            self._qualifiers[serving.probation.version] = CHALLENGER
        self._plain = Assignment(own)
        simple = not self._rules and not self._split and not self._draws and self._mirror is None
        self.always = self._plain if simple and not serving.stopped else None
        """The arm of every request that is not pinned, where there is nothing to decide."""
        self.private = serving.access is Access.PRIVATE
        self.clients = serving.clients
        self.admitted: dict[bytes, Client] = {}
        budget = serving.latency_budget
        self.budget_seconds = budget.total_seconds() if budget else None
        self.label = serving.label
        self.cors = serving.cors
        self.capture = serving.capture
        self._capture_salt = salted(serving.salt or dispatch.endpoint, "capture")
        self.signer = Signer(dispatch)
        self._alias_draws = (
            trial is not None
            and trial.mode is Mode.WEIGHTED
            and trial.share > 0
            and own in (trial.version, dispatch.champion)
        )
        self.hops = not simple or len(self._names) > 2
        """Whether a request may have to be passed on."""

    def assign(self, facts: RequestAttributes) -> Assignment:
        """The arm of one request.

        Raises:
            Refusal: 503 if the endpoint is stopped; 404 for a pin that names nothing, 409 for one
                that names what is stopped.
        """
        if self.always is not None and facts.pin is None:
            return self.always
        if self.dispatch.serving.stopped:
            raise Refusal(503, f"the endpoint is stopped: {self.dispatch.serving.stopped}")
        if facts.pin is not None:
            return self._pinned(facts.pin)
        for matches, version in self._rules:
            if matches(facts) and self._answers(version):
                return self._to(version, facts)
        key = self._key(facts) if self._key else None
        if self._split:
            at = position(self._split_salt, facts.request_id if key is None else key)
            taken = next((version for bound, version in self._split if at < bound), None)
            if taken is not None and self._answers(taken):
                return self._to(taken, facts)
        if self._trial is not None:
            return self._tried(self._trial, facts, key)
        return self._to(self._own, facts)

    def captures(self, request_id: str) -> bool:
        """Whether the request is kept: the same of every version that asks."""
        share = self.capture.share
        return share > 0 and position(self._capture_salt, request_id) < share

    def claim(self, arm: Assignment, *, fallback: bool) -> str:
        """How the request was drawn, as its id says it: see ``signed_ids``.

        Where another version stood in, the answer is not that of the version that was drawn.
        """
        if arm.cohort == PINNED:
            return signed_ids.PINNED
        if fallback:
            return signed_ids.NOBODY
        trial = arm.trial
        if trial is None:
            drawn = self._alias_draws and arm.version == self._own
            return self.signer.drawn if drawn else signed_ids.NOBODY
        if trial.sticky and not trial.mirror:
            return f"{self.signer.drawn}-{arm.key}" if arm.key else signed_ids.NOBODY
        return self.signer.drawn

    def known(self) -> str:
        """The deployments that a request can be pinned to, for people to read."""
        names = [
            name if name == version else f"{name} ({version})"
            for name, (version, stopped) in self._names.items()
            if not stopped and (name != version or not self._named(version))
        ]
        return ", ".join(names) or self._own

    def _named(self, version: str) -> bool:
        return any(name != of == version for name, (of, _) in self._names.items())

    def _pinned(self, pin: str) -> Assignment:
        found = self._names.get(self._parts.get(pin, pin))
        if found is None and self._parts.get(pin, pin) != self._own:
            raise Refusal(404, f"there is no deployment {pin[:64]!r}; there are: {self.known()}")
        version, stopped = found or (self._own, "")
        if stopped:
            what = f"deployment {pin[:64]!r} is stopped: {stopped}"
            raise Refusal(409, f"{what}; there are: {self.known()}")
        qualifier = "" if version == self._own else version
        return Assignment(version, qualifier, DIRECT if qualifier else "", PINNED)

    def _tried(self, trial: Experiment, facts: RequestAttributes, key: str | None) -> Assignment:
        if self._takes_part is not None and not self._takes_part(facts):
            return self._to(self._own, facts)
        at = 100.0
        if self._draws:
            at = position(self._salt, facts.request_id if key is None else key)
        taken = at < trial.share
        version = trial.version if taken else self._own
        counts = self._draws and trial.share > 0 and key is not None and at >= trial.since
        evidence = fingerprint(self._salt, key) if counts and key is not None else ""
        cohort = TRIAL if self._draws or trial.mirror > 0 else ""
        if not taken and self._own == trial.version and self._draws:
            # The alias is on its way to 100 %: this version is the challenger, not the control.
            cohort = evidence = ""
        return self._to(version, facts, cohort, evidence)

    def _to(
        self, version: str, facts: RequestAttributes, cohort: str = "", key: str = ""
    ) -> Assignment:
        shadow = self._shadow(version, facts)
        trial = self._trial if cohort else None
        if version == self._own:
            if trial is None and shadow is None:
                return self._plain
            return Assignment(version, "", "", cohort, key, shadow, trial)
        qualifier = self._qualifiers.get(version, version)
        if trial is None:
            return Assignment(version, qualifier, DIRECT, "", "", shadow)
        return Assignment(version, qualifier, TRIAL, cohort, key, shadow, trial)

    def _shadow(self, version: str, facts: RequestAttributes) -> Shadow | None:
        mirror = self._mirror
        if mirror is None or mirror.version == version or self._mirrors is None:
            return None
        if not self._mirrors(facts) or not self._answers(mirror.version):
            return None
        if position(self._mirror_salt, facts.request_id) >= mirror.share:
            return None
        return Shadow(mirror.version, self._qualifiers.get(mirror.version, mirror.version))

    def _answers(self, version: str) -> bool:
        found = self._names.get(version)
        return version == self._own or (found is not None and not found[1])


def _names(dispatch: RouteConfig) -> dict[str, tuple[str, str]]:
    """Versions and deployments' names, each to its version and why it is stopped."""
    found: dict[str, tuple[str, str]] = {}
    for version in (dispatch.champion, dispatch.trial.version if dispatch.trial else None):
        if version is not None:
            found[version] = (version, "")
    for placed in dispatch.placed:
        found[placed.version] = found[placed.name] = (placed.version, placed.stopped)
    return found


def _bounds(dispatch: RouteConfig) -> list[tuple[float, str]]:
    """Up to where in [0, 100) each deployment of the split reaches; the champion has the rest.

    One that is stopped keeps its part, which the champion answers: nobody else's moves.
    """
    bounds, total = [], 0.0
    for portion in dispatch.serving.split:
        total += portion.share
        bounds.append((total, portion.version))
    return bounds


def _mirror(dispatch: RouteConfig) -> Mirror | None:
    trial = dispatch.trial
    if trial is not None and trial.mirror > 0:
        return Mirror(trial.version, trial.mirror, trial.match)
    mirror = dispatch.serving.mirror
    return mirror if mirror is not None and mirror.share > 0 else None
