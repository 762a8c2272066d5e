"""Answers for people and scripts: all of them forbid scripts that are not ours, framing and
guessing of types (security.md N2 to N4)."""

from starlette.responses import Response

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Nothing to others; with none at all the forms of our own page would not say whose they are.
    "Referrer-Policy": "same-origin",
}


def answer(content: bytes, content_type: str, status: int = 200) -> Response:
    return Response(
        content,
        status_code=status,
        headers={
            "Content-Type": content_type,
            "Cache-Control": "no-store",
            **SECURITY_HEADERS,
        },
    )
