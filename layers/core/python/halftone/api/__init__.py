"""The control API: what a person or a pipeline does with a deployed stage.

Thin: a route parses, lets one use case of ``halftone.service`` act, and answers. FastAPI routes,
checks and documents; answers are msgspec structs, which cost nothing to import or to encode.

To add a router, write ``api/routers/<topic>.py`` and add its name to ``app.ROUTERS``::

    from halftone.api.responses import Shape, answer, router, shown
    from halftone.api.authorizer import RequestContext, edits, posts, reads
    from halftone.api.requests import EndpointName, Message

    routes = router("settings")

    class Lamp(Shape):                     # an answer: add it to nothing, the document finds it
        '''Whether the lamp is on.'''
        on: bool

    @routes.get("/endpoints/{endpoint}/lamp", responses=shown(Lamp))
    async def show_lamp(
        endpoint: EndpointName, call: Annotated[RequestContext, reads()]
    ) -> Response:
        '''The lamp.'''                    # the first line is the summary in the document
        return answer(Lamp(on=...), etag=state.revision)

    @routes.put("/endpoints/{endpoint}/lamp", responses=shown(Lamp))
    async def edit_lamp(
        endpoint: EndpointName, wanted: LampWanted,
        call: Annotated[RequestContext, edits(Action.RELEASE)],
    ) -> Response:
        state = service.lamp.edit(call.ports, endpoint, ..., author=call.author(wanted.message))
        return answer(Lamp(...), etag=state.revision)

    @routes.post("/endpoints/{endpoint}/lamp/blink", status_code=202, responses=shown(Lamp, 202))
    async def blink(
        endpoint: EndpointName, body: Message,
        call: Annotated[RequestContext, posts(Action.OPERATE)],
    ) -> Response:
        def do(ports: Ports) -> Response:
            return answer(Lamp(...), 202, location=f"/v1/endpoints/{endpoint}/lamp")
        return call.once(do)

Rules, held by tests/unit/api/test_routes.py over every route there is:

- Routes are ``async def``: a sync one costs five times more. No ``@app.middleware("http")``.
- Every route takes a ``RequestContext`` from ``reads()`` (GET), ``posts(action)`` (POST: asks for
  an Idempotency-Key), ``edits(action)`` (PUT, PATCH: asks for If-Match) or ``deletes(action)``.
  That guard is the one place where rights are checked: by the action, and by the group that owns
  the ``endpoint`` in the path. What no endpoint owns is checked by ``call.must(action, group)``.
- A POST acts inside ``call.once(do, lost=...)``, with the ``ports`` that it is given. ``lost``
  answers if a try before died after its change was on record; leave it out only where the use case
  may be done again. ``forget`` names fields of the answer that must not be kept, such as a token.
- ``message`` (requests.Message) is the reason on record; ``call.author(message)`` is who asks,
  and why.
- Errors are raised as errors of ``domain.errors``; ``api.errors`` alone makes HTTP of them.
- Request bodies are pydantic models on ``requests.Body``, which refuses unknown fields.
- After a change of any route: ``python -m halftone.api.openapi docs/openapi.json``.

IAM lets a role of a person reach routes by method and path:
``infra/halftone_cdk/constructs/access/roles.py`` lists them, and its test fails on a route that no
list has.
"""
