"""The public page: ``GET /``. No cookie, no script, nothing that a reader could be known by."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from markupsafe import Markup, escape
from quart import Blueprint, Quart, Response, make_response, render_template, request

from ivr.core.flow import Book
from ivr.numbers import printed
from ivr.site.guide import guide

FRESH_S = 300  # seconds for which a browser does not ask again; a book can change at any time
A_YEAR_S = 365 * 24 * 3600
SOON_S = 600  # seconds after which a helpline without a book may have one
PHONE_NUMBER = re.compile(r"\b(?:0\d{2,4}(?: \d{3,4}){1,3}|116 123|101|111|999)\b")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Site:
    """What the public page is made of."""

    book: Callable[[], Book | None]  # the one that is served; None: there is none
    number: str  # the helpline's own, E.164; "" if it is not known
    other_number: str  # to be given when all else fails; "" if there is none
    public_url: str


@dataclass(slots=True)
class Made:
    """The page of one book, kept until another book is served."""

    digest: str
    page: str
    tag: str


def site_pages(app: Quart, site: Site) -> None:
    """Give the application its public page."""
    blueprint = Blueprint(
        "site",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    made: list[Made] = []

    @blueprint.get("/")
    async def page() -> Response:
        book = site.book()
        if book is None:
            sorry = await render_template("site/sorry.html", phone=_phone(site.other_number))
            answer = await _answer(sorry, 503)
            answer.headers["Retry-After"] = str(SOON_S)
            return answer
        if not made or made[0].digest != book.digest:
            made[:] = [await _make(site, book)]
        answer = await _answer(made[0].page, 200)
        answer.headers["Cache-Control"] = f"public, max-age={FRESH_S}"
        answer.set_etag(made[0].tag)
        return await answer.make_conditional(request)

    @blueprint.after_request
    async def leave(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers[name] = value
        if site.public_url.startswith("https:"):
            answer.headers["Strict-Transport-Security"] = f"max-age={A_YEAR_S}"
        return answer

    app.register_blueprint(blueprint)


async def _answer(page: str, status: int) -> Response:
    # Quart types what it makes as Werkzeug's response; it is one of its own.
    return await make_response(page, status)  # type: ignore[return-value]


async def _make(site: Site, book: Book) -> Made:
    """The page of a book; it is the same for everybody."""
    page = await render_template(
        "site/page.html", guide=guide(book), with_numbers=with_numbers, phone=_phone(site.number)
    )
    return Made(book.digest, page, sha256(page.encode()).hexdigest()[:16])


def _phone(number: str) -> Markup:
    """A number of ours to ring, as it is printed."""
    shown = printed(number) if number.startswith("+") else number
    return Markup('<a href="tel:{}">{}</a>').format(number, shown) if number else Markup()


def with_numbers(text: str) -> Markup:
    """The text with each phone number in it as a link that rings it."""
    return Markup(  # noqa: S704  # what stands around the links is escaped
        PHONE_NUMBER.sub(_link, str(escape(text)))
    )


def _link(found: re.Match[str]) -> str:
    return f'<a href="tel:{found[0].replace(" ", "")}">{found[0]}</a>'
