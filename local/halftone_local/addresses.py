"""How to reach on this machine what the stacks' outputs call by its name on AWS."""

from urllib.parse import urlsplit

from halftone_local.supervisor import LocalAws


def api_url(aws: LocalAws, address: str) -> str:
    """Where the HTTP API of ``address`` (``https://<id>.execute-api...``) answers on loopback.

    Names below ``localhost`` do not resolve everywhere, so the API is named in the path.
    """
    api = (urlsplit(address).hostname or "").split(".")[0]
    return f"{aws.endpoint_url}/_aws/execute-api/{api}/$default"
