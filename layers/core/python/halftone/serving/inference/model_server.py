"""A server's own answers: by the one model that it loaded, whoever asks and by which way."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from halftone.domain.errors import HalftoneError
from halftone.domain.model.schema import Field
from halftone.serving.http.caller import NOBODY, context_of
from halftone.serving.http.request import Request
from halftone.serving.http.response import ModelFault, Problem, Response
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.inference.metadata import metadata_response
from halftone.serving.routing.config_cache import RouteConfigCache
from halftone.serving.settings import Settings
from halftone.serving.telemetry.metrics import Telemetry
from halftone.serving.telemetry.rolling_window import RollingWindow

if TYPE_CHECKING:
    from halftone.serving.inference.scoring import Scorer

Source = Callable[[], LoadedModel]


class LocalModel:
    """One model, which ``source`` loads right now or never.

    One that could not be loaded is kept as its reason and answered as 503, so that the smoke test
    reads why instead of watching a crash loop.
    """

    def __init__(
        self, settings: Settings, source: Source, telemetry: Telemetry, cache: RouteConfigCache
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._telemetry = telemetry
        self._scorer: Scorer | None = None
        self._reason = "no model has been released to this endpoint yet"
        self.recent = RollingWindow()
        if settings.package is None:
            return
        try:
            model = source()
            # Imported here: it needs msgspec, which a server without a model does without.
            from halftone.serving.inference import scoring  # noqa: PLC0415

            self._scorer = scoring.Scorer(model, settings.endpoint, settings.max_body)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a model's code can raise anything)
            self._reason = f"the model could not be loaded: {_told(error)}"
            telemetry.not_loaded(error, self._reason)

    @property
    def outputs(self) -> Sequence[Field]:
        """The output fields of the model; none without one."""
        return self._scorer.model.manifest.outputs if self._scorer else ()

    def respond(
        self,
        request: Request,
        *,
        version: str,
        request_id: str,
        client: str | None = None,
        smoke: bool = False,
    ) -> Response:
        """The answer to ``request``, also where it is a problem or the model's fault."""
        try:
            scorer = self._scorer
            if scorer is None or not request.predicts:
                return self._tell(request, version, smoke=smoke)
            if scorer.model.arrays is not None:  # one on arrays is told of nothing else
                return scorer.score(request, NOBODY, version=version)
            wanted = scorer.model.manifest.headers
            context = context_of(request.headers, wanted, client=client, request_id=request_id)
            return scorer.score(request, context, version=version)
        except Problem as problem:
            return problem.to_response(request.spoken)
        except ModelFault as fault:
            cause = fault.__cause__ or fault
            self._telemetry.fault(str(fault), cause, version=version, request_id=request_id)
            # Only the smoke test is told what the exception says: it may quote the request.
            detail = f"{fault}: {_told(cause)}" if smoke else str(fault)
            return Problem(500, detail).to_response(request.spoken)

    def _tell(self, request: Request, version: str, *, smoke: bool) -> Response:
        """The answer without the model's help: because nobody asks for it, or there is none."""
        released = self._settings.package is not None
        hidden = self._scorer is None and released and not smoke
        reason = "the model could not be loaded" if hidden else self._reason
        if request.predicts:
            raise Problem(503, reason)
        return metadata_response(
            self._scorer.model if self._scorer else None,
            request,
            self._settings,
            version=version,
            recent=self.recent,
            cache=self._cache,
            reason=reason,
        )


def _told(error: BaseException) -> str:
    text = str(error) if isinstance(error, HalftoneError) else f"{type(error).__name__}: {error}"
    missing = _missing_module(error)
    if missing is None:
        return text
    return (
        f"{text}; neither the package nor what is installed for it on Lambda has {missing}: bring "
        "it along (docs/serving.md, What is installed)"
    )


def _missing_module(error: BaseException) -> str | None:
    """The top-level module whose import failed on the way to ``error``; None: it was not that."""
    cause: BaseException | None = error
    for _ in range(_DEEPEST):
        if isinstance(cause, ModuleNotFoundError) and cause.name:
            return cause.name.partition(".")[0]
        cause = cause and (cause.__cause__ or cause.__context__)
    return None


_DEEPEST = 10
"""How many causes are looked at: package code may make a ring of them."""
