"""Headers of every answer: no sniffing, no framing, no caching unless the view says so, no version of ours."""

from __future__ import annotations

from collections.abc import MutableMapping

from aiohttp import hdrs, web
from multidict import CIMultiDict, istr

from mobile_api.web.operation import JSON
from mobile_api.web.trace import REQUEST_ID, current_trace

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

_POLICY = istr("Content-Security-Policy")
_ALWAYS = (
    (istr("X-Content-Type-Options"), "nosniff"),
    (istr("Referrer-Policy"), "no-referrer"),
    (hdrs.SERVER, "mobile-api"),
)
_HSTS = istr("Strict-Transport-Security")


def complete(headers: MutableMapping[str, str], *, cached: bool = False, unchanged: bool = False) -> None:
    """Add what every answer carries; what the view has set (a policy, a cache life) stays. `cached`: a static file.

    `unchanged` (304): browsers lay these headers over the stored ones (RFC 9111, 3.2), so the stored policy is left alone.
    """
    for name, value in _ALWAYS:
        headers[name] = value
    if _POLICY not in headers and not unchanged:
        headers[_POLICY] = PAGE_POLICY if headers.get(hdrs.CONTENT_TYPE, "").startswith("text/html") else DATA_POLICY
    if not cached and hdrs.CACHE_CONTROL not in headers:
        headers[hdrs.CACHE_CONTROL] = "no-store"
    trace = current_trace()
    if trace is not None:
        headers[REQUEST_ID] = trace.id


class Dresser:
    """Completes the headers of each answer, streamed ones included; `tls`: the server is only reached by HTTPS."""

    def __init__(self, *, tls: bool) -> None:
        self._tls = tls
        self.json: CIMultiDict[str] = CIMultiDict({hdrs.CONTENT_TYPE: JSON})
        self._dress(self.json, cached=False)

    async def __call__(self, _request: web.BaseRequest, response: web.StreamResponse) -> None:
        """The receiver of `on_response_prepare`; what was made from `json` needs nothing more."""
        if REQUEST_ID not in response.headers:
            unchanged = response.status == web.HTTPNotModified.status_code
            self._dress(response.headers, cached=isinstance(response, web.FileResponse), unchanged=unchanged)

    def _dress(self, headers: CIMultiDict[str], *, cached: bool, unchanged: bool = False) -> None:
        complete(headers, cached=cached, unchanged=unchanged)
        if self._tls:
            headers[_HSTS] = "max-age=31536000; includeSubDomains"
