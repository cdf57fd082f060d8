"""Who may come in: sessions, form tokens, roles, and the headers of every page.

A route that does not say who may use it is open to nobody.
"""

import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from traceback import format_tb
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from quart import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from ivr.callbacks.drafts import CHOICES, TEXTS, Sent
from ivr.database import NoDatabaseError
from ivr.errors import HelplineError
from ivr.people.sign_in import LONGEST, Member, SignedIn
from ivr.people.tables import Role
from ivr.staff import words
from ivr.staff.office import Office

Answer: TypeAlias = Response | tuple[str, int] | str
PageView: TypeAlias = Callable[..., Awaitable[Any]]

SESSION, DEVICE, VISIT = "helpline_session", "helpline_device", "helpline_visit"  # cookies
A_YEAR = 365 * 24 * 3600
LARGEST_FORM = 300_000  # bytes: a request's page with all fields full, of nine bytes a letter
SEE_OTHER = 303
WRITTEN = (*TEXTS, "text", "reason", "service_name", "hours", "source_url")  # of some length
# Fields of the form of a request's page.
DRAFT_OF, DRAFT_VERSION, DRAFT_CLAIM = "draft_of", "draft_version", "draft_claim"
READING = ("GET", "HEAD", "OPTIONS")  # methods that change nothing

_OURS = re.compile(r"(/[\w-]+)+(\.csv)?(\?request=\d{1,10})?", re.ASCII)

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class ClosedError(HelplineError):
    """This page is not for your role; ask whoever manages the accounts."""


class Door:
    """Lets the right people through to the pages, and gives every page what it needs."""

    def __init__(self, office: Office) -> None:
        self._office = office
        parts = urlsplit(office.public_url)
        self.base = f"{parts.path.rstrip('/')}/staff"
        self._secure = parts.scheme == "https"
        self._roles: dict[str, Role | None] = {}
        self.blueprint = Blueprint(
            "staff",
            __name__,
            url_prefix="/staff",
            template_folder="templates",
            static_folder="static",
            static_url_path="/static",
        )
        self.blueprint.before_request(self._come_in)
        self.blueprint.after_request(self._leave)
        self.blueprint.register_error_handler(NoDatabaseError, self._no_database)
        self.blueprint.register_error_handler(ClosedError, self._closed)
        self.blueprint.register_error_handler(HTTPException, self._failed)
        self.blueprint.register_error_handler(Exception, self._broken)

    def page(self, rule: str, role: Role | None, *methods: str) -> Callable[[PageView], PageView]:
        """Give a page its address, and say who may use it; None: whoever comes."""

        def add(view: PageView) -> PageView:
            self._roles[f"staff.{view.__name__}"] = role
            self.blueprint.add_url_rule(rule, view_func=view, methods=list(methods or ("GET",)))
            return view

        return add

    def at(self, path: str = "/", **query: str) -> str:
        """Return the address of a page."""
        asked = "&".join(f"{name}={quote(value)}" for name, value in query.items() if value)
        return f"{self.base}{path}{'?' if asked else ''}{asked}"

    def go(self, path: str = "/", **query: str) -> Response:
        """Send the browser on to a page, which it then asks for by GET."""
        # Quart types what it makes as Werkzeug's response; it is one of its own.
        return redirect(self.at(path, **query), SEE_OTHER)  # type: ignore[return-value]

    async def show(self, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page made from a template."""
        member: Member | None = g.get("member")
        common: dict[str, Any] = {
            "member": member,
            "is_supervisor": bool(member and member.role.includes(Role.SUPERVISOR)),
            "is_administrator": bool(member and member.role.includes(Role.ADMINISTRATOR)),
            "form_token": self._office.entrance.token_for_forms(g.get("token", "")),
            "at": self.at,
            "words": words,
            "now": self._office.clock(),
            "notice": words.DONE.get(request.args.get("done", ""), ""),
            "errors": {},
        }
        page = await render_template(f"staff/{template}", **(common | context))
        # As above: it is a response of Quart's own.
        return await make_response(page, status)  # type: ignore[return-value]

    def let_in(self, answer: Response, signed: SignedIn) -> Response:
        """Give the browser its session, and the cookie by which it is known the next time."""
        self.keep_session(answer, signed.token)
        self._set(answer, DEVICE, signed.device, A_YEAR)
        return answer

    def keep_session(self, answer: Response, token: str) -> None:
        """Give the browser this session in place of another."""
        self._set(answer, SESSION, token, int(LONGEST.total_seconds()))

    def let_out(self, answer: Response) -> Response:
        """Take the session away from the browser."""
        self._set(answer, SESSION, "", 0)
        return answer

    # --- on the way in and out -----------------------------------------------------------------

    async def _come_in(self) -> Response | None:
        if request.endpoint == "staff.static":
            return None
        role = self._roles.get(request.endpoint or "", Role.ADMINISTRATOR)
        g.token = request.cookies.get(SESSION, "")
        g.member = await self._who() if g.token else None
        if g.member is None:
            g.token = request.cookies.get(VISIT, "")
            g.visit = g.token = g.token or secrets.token_urlsafe(16)
        if request.method not in READING and not await self._is_ours():
            return await self._problem("stale", 400)
        if role is None:
            return None
        if g.member is None:
            here = request.path.removeprefix("/staff") if request.method == "GET" else ""
            return self.go("/sign-in", next=here if here != "/" else "")
        if g.member.must_change and request.endpoint not in ("staff.password", "staff.sign_out"):
            return self.go("/account/password")
        if not g.member.role.includes(role):
            raise ClosedError
        if request.method == "POST":
            await self._keep_draft(await request.form)
        return None

    async def _keep_draft(self, form: Mapping[str, str]) -> None:
        """Keep what was typed on a request's page, whichever of its buttons was pressed."""
        if of := number(form, DRAFT_OF):
            fields = {name: field(form, name) for name in (*TEXTS, *CHOICES) if name in form}
            sent = Sent(fields, number(form, DRAFT_VERSION), field(form, DRAFT_CLAIM))
            g.draft = await self._office.drafts.keep(of, g.member.name, sent)

    async def _who(self) -> Member | None:
        is_use = request.endpoint != "staff.events"
        return await self._office.entrance.who(g.token, is_use)

    async def _is_ours(self) -> bool:
        """Whether a form was made by us for this very session."""
        given = (await request.form).get("form_token", "")
        wanted = self._office.entrance.token_for_forms(g.token)
        return hmac.compare_digest(given.encode(), wanted.encode())

    async def _leave(self, answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers[name] = value
        if request.endpoint != "staff.static":
            answer.headers["Cache-Control"] = "no-store"
        if self._secure:
            answer.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
        if visit := g.get("visit"):
            self._set(answer, VISIT, visit, 24 * 3600)
        return answer

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self.base,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    # --- when it cannot be done ----------------------------------------------------------------

    async def _problem(self, problem: str, status: int) -> Response:
        """A page that says what is wrong, and gives back what was written: it is not kept."""
        form = {} if request.method in READING else await request.form
        written = [text for name in WRITTEN if (text := field(form, name))]
        return await self.show("problem.html", status, problem=problem, written=written)

    async def _no_database(self, problem: Exception) -> Response:
        return await self._problem("database", 503)

    async def _closed(self, problem: Exception) -> Response:
        return await self.show("problem.html", 403, problem="closed")

    async def _failed(self, problem: HTTPException) -> Response:
        kind = "missing" if problem.code == 404 else "other"
        return await self.show("problem.html", problem.code or 500, problem=kind)

    async def _broken(self, fault: Exception) -> Response:
        # Where it failed, but not its message: that may hold a number.
        trace = "".join(format_tb(fault.__traceback__))
        log.error("a staff page failed: %s\n%s", type(fault).__name__, trace)
        return await self._problem("other", 500)


def is_ours(path: str) -> bool:
    """Return whether a browser may be sent on to this path: no other site, no end of a header."""
    return path == "/" or bool(_OURS.fullmatch(path))


def field(form: Mapping[str, str], name: str) -> str:
    """Return what was typed into a field, or stands in an address, without the space around it;
    without NULs, which PostgreSQL takes none of, and with line ends of one character."""
    return form.get(name, "").replace("\0", "").replace("\r\n", "\n").strip()


def number(form: Mapping[str, str], name: str) -> int:
    """Return the whole number that stands in a field or in an address; 0 for none."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
