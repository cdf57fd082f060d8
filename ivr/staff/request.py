"""One request, on one page, for whoever is ringing."""

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import TypeGuard

from quart import Response, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from ivr.callbacks import states
from ivr.callbacks.attempts import DIALLED, Attempt, Result
from ivr.callbacks.desk import (
    CannotReopenError,
    Claim,
    NotAgainError,
    NoteNeededError,
    NotYoursError,
    WrongTimeError,
)
from ivr.callbacks.drafts import CHOICES, TEXTS, Draft
from ivr.callbacks.records import Shown
from ivr.callbacks.states import OUTCOMES, State
from ivr.callbacks.texted import TOPIC
from ivr.carrier import CarrierError, CarrierSilentError
from ivr.directory.entries import Council
from ivr.hours import HALVES, LONDON
from ivr.numbers import usable
from ivr.people.tables import Role
from ivr.staff import words
from ivr.staff.contact_rules import contact_rules
from ivr.staff.door import DRAFT_CLAIM, Door, field, is_ours
from ivr.staff.history import unfinished
from ivr.staff.office import Office
from ivr.staff.texts import TextPages
from ivr.staff.topics import Topics

TRIED = (*DIALLED, Result.FAILED)  # from the page: whoever did so need not say how they rang
TIMES_AHEAD = 6  # mornings, and as many afternoons, that a person can choose for another try
GREATEST_ID = 2**31 - 1
OF_A_CLAIM = ("note", "hand_over_note", "by_hand")  # texts that are saved when it is let go
WORRIES = {  # texts of the safety box that are saved by its own button alone
    "why": "You wrote down a worry. Mark it urgent, or move it into your note.",
    "why_not": "You wrote why it is not urgent any more. Press that button, or clear the box.",
}


class RequestPages:
    """The page of one request, and what can be done there."""

    def __init__(self, door: Door, office: Office) -> None:
        self._door, self._office = door, office
        one = f"/requests/<int(max={GREATEST_ID}):number>"
        door.page(one, Role.ADVISER)(self.one)
        done = {
            "claim": self.claim,
            "longer": self.longer,
            "release": self.release,
            "hand-over": self.hand_over,
            "outcome": self.outcome,
            "reopen": self.reopen,
            "urgent": self.urgent,
            "reveal": self.reveal,
            "draft": self.draft,
            "call": self.call,
            "over": self.over,
        }
        for what, view in done.items():
            door.page(f"{one}/{what}", Role.ADVISER, "POST")(view)
        self._texts = TextPages(door, office, one, self._page)

    async def one(self, number: int) -> Response:
        """The page."""
        return await self._page(number)

    async def draft(self, number: int) -> Response:
        """What was typed is kept by now, as with every button; go on from here."""
        form = await request.form
        if "quiet" in form:  # the script keeps it while somebody types
            return await self._kept(number, form)
        if names := field(form, "discard"):
            await self._office.drafts.discard(number, g.member.name, names.split(","))
            return self._door.go(f"/requests/{number}", done="discarded")
        onward = field(form, "onward")
        if is_ours(onward):
            return self._door.go(onward)
        return self._door.go(f"/requests/{number}", done="kept")

    async def _kept(self, number: int, form: MultiDict[str, str]) -> Response:
        """What the script must know: the draft's version, the texts that another window added to,
        and whether the claim that the page shows is still held."""
        claim = await self._office.desk.held(number, g.member.name)
        draft = _draft_of_post() or Draft()
        texts = {name: draft.typed.fields.get(name, "") for name in TEXTS if name in form}
        told = {
            "version": draft.version,
            "texts": {name: kept for name, kept in texts.items() if kept != field(form, name)},
            "held": claim is not None and claim.token == field(form, DRAFT_CLAIM),
        }
        return Response(json.dumps(told), content_type="application/json")

    async def claim(self, number: int) -> Response:
        """It is mine to ring."""
        desk, me = self._office.desk, g.member.name
        taking = "take_over" in await request.form
        # It may have been given back while its page was read.
        found = (taking and await desk.take_over(number, me)) or await desk.claim(number, me)
        if found is None and await desk.held(number, me) is None:
            return await self._page(number, 409, errors={"claim": "A colleague was quicker."})
        if found is not None:
            await self._office.queue.saw(number, me)
        return self._door.go(f"/requests/{number}")

    async def call(self, number: int) -> Response:
        """Ring me, and then the caller."""
        form, office = await request.form, self._office
        phone = usable(field(form, "phone"), office.demo)
        if office.ring is None or not phone:
            wrong = {"phone": "Give your own UK number, that begins with 01, 02, 03 or 07."}
            return await self._page(number, 422, form, wrong)
        attempt = await office.attempts.begin(number, g.member.name)
        if attempt is None:
            if await self._is_ringing(number):  # the button was pressed twice
                return self._door.go(f"/requests/{number}", done="ringing")
            return await self._page(number, 409, form, {"claim": str(NotYoursError())})
        try:
            await office.ring(attempt.id, phone)
        except CarrierError as refused:
            await office.attempts.end(attempt.id, Result.NOT_TAKEN)
            return await self._page(number, 502, form, {"phone": str(refused)})
        except CarrierSilentError as silent:  # it may ring: whoever holds the request knows best
            return await self._page(number, 502, form, {"claim": str(silent)})
        return self._door.go(f"/requests/{number}", done="ringing")

    async def over(self, number: int) -> Response:
        """My phone did not ring, or the call is over, and the page does not know it."""
        last = await self._office.attempts.last(number)
        if last is not None and last.who == g.member.name:
            await self._office.attempts.cut(last.id)
        return self._door.go(f"/requests/{number}")

    async def longer(self, number: int) -> Response:
        """I am still at it."""
        try:
            await self._office.desk.renew(await self._mine(number))
        except NotYoursError as lost:
            return await self._page(number, 409, errors={"claim": str(lost)})
        return self._door.go(f"/requests/{number}", done="longer")

    async def release(self, number: int) -> Response:
        """Somebody else may ring."""
        form = await request.form
        if worry := _unsaved_worry(form):
            return await self._page(number, 422, form, worry)
        note = _joined(_texts(form), *OF_A_CLAIM)
        try:
            await self._office.desk.release(await self._mine(number), note)
        except NotYoursError as lost:
            if not await self._did(number, states.RELEASE.name):
                return await self._page(number, 409, errors={"claim": str(lost)})
        await self._saved(number, form, *OF_A_CLAIM)
        return self._door.go(done="released")

    async def hand_over(self, number: int) -> Response:
        """This colleague rings."""
        form = await request.form
        to, note = field(form, "to"), _joined(_texts(form), *OF_A_CLAIM)
        if worry := _unsaved_worry(form):
            return await self._page(number, 422, form, worry)
        if to not in await self._colleagues():
            return await self._page(number, 422, form, {"to": "Choose a colleague."})
        try:
            await self._office.desk.hand_over(await self._mine(number), to, note)
        except NotYoursError as lost:
            if not await self._did(number, f"{states.HAND_OVER.name} to {to}"):
                return await self._page(number, 409, form, {"claim": str(lost)})
        await self._saved(number, form, *OF_A_CLAIM)
        return self._door.go(done="handed-over")

    async def outcome(self, number: int) -> Response:
        """How it went."""
        form = await request.form
        name, typed = field(form, "outcome"), _texts(form)
        by_hand = typed.pop("by_hand") if "by_hand" in form else ""
        note = _joined(typed, *OF_A_CLAIM)
        if worry := _unsaved_worry(form):
            return await self._page(number, 422, form, worry)
        if name not in OUTCOMES:
            return await self._page(number, 422, form, {"outcome": "Choose how it went."})
        try:
            again = _moment(field(form, "again"))
            claim = await self._mine(number)
            if OUTCOMES[name].counts and not by_hand and await self._was_not_rung_here(claim):
                how = {"by_hand": "You did not ring from here. Say how you rang, and why."}
                return await self._page(number, 422, form, how)
            await self._office.desk.finish(claim, name, note, again, by_hand)
        except WrongTimeError:
            unlisted = {"again": "Choose a time from the list."}
            return await self._page(number, 422, form, unlisted)
        except NotAgainError:
            ends = (
                f"“{name.capitalize()}” ends the request: nobody rings at that time. Choose another"
            )
            refused = {"again": f"{ends} outcome, or “at the usual time”."}
            return await self._page(number, 422, form, refused)
        except NoteNeededError:
            needed = {"note": f"Write a note: why was it “{name}”? The next person needs to know."}
            return await self._page(number, 422, form, needed)
        except NotYoursError as lost:
            if not await self._did(number, name):
                return await self._page(number, 409, form, {"claim": str(lost)})
        await self._saved(number, form, *OF_A_CLAIM)
        return self._door.go(done="finished")

    async def reopen(self, number: int) -> Response:
        """It was ended by mistake."""
        try:
            await self._office.desk.reopen(number, g.member.name)
        except CannotReopenError as problem:
            if not await self._did(number, states.REOPEN.name):
                return await self._page(number, 409, errors={"claim": str(problem)})
        return self._door.go(f"/requests/{number}", done="reopened")

    async def urgent(self, number: int) -> Response:
        """Somebody may not be safe; or is safe again."""
        form = await request.form
        typed, is_urgent = _texts(form), "safe_again" not in form
        name = "why" if is_urgent or "why_not" not in form else "why_not"
        note = typed[name]
        marked = "urgent" if (await self._there(number)).is_open else "urgent-ended"
        try:
            reached = await self._office.desk.mark(number, g.member.name, is_urgent, note)
        except NoteNeededError:
            needed = {"why" if is_urgent else "why_not": "Write down why, in a few words."}
            return await self._page(number, 422, form, needed)
        await self._saved(number, form, name)
        marked = marked if reached else f"{marked}-unheard"
        return self._door.go(f"/requests/{number}", done=marked if is_urgent else "not-urgent")

    async def reveal(self, number: int) -> Response:
        """Show the whole number without ringing. This is recorded."""
        await self._there(number)
        await self._office.queue.saw(number, g.member.name)
        return await self._page(number, reveal=True)

    async def _saved(self, number: int, form: MultiDict[str, str], *names: str) -> None:
        """Take these texts out of the draft: they are saved with the request by now."""
        texts = {name: words for name, words in _texts(form).items() if name in names}
        claim = field(form, DRAFT_CLAIM)
        await self._office.drafts.saved(number, g.member.name, claim, texts)

    async def _there(self, number: int) -> Shown:
        shown = await self._office.queue.shown(number)
        if shown is None:
            raise NotFound
        return shown

    async def _mine(self, number: int) -> Claim:
        claim = await self._office.desk.held(number, g.member.name)
        if claim is None:
            raise NotYoursError
        return claim

    async def _did(self, number: int, what: str) -> bool:
        """Whether this was done already, and is the last that happened to a request: whoever looks
        pressed the button twice."""
        history = await self._office.queue.history(number)
        return bool(history) and (history[-1].who, history[-1].what) == (g.member.name, what)

    async def _is_ringing(self, number: int) -> bool:
        last = await self._office.attempts.last(number)
        return last is not None and last.who == g.member.name and last.ended_at is None

    async def _was_not_rung_here(self, claim: Claim) -> bool:
        """Whether the caller could have been rung from the page, and was not."""
        if self._office.ring is None:
            return False
        last = await self._office.attempts.last(claim.request_id)
        return not _is_of(last, claim) or last.result not in TRIED

    async def _phone(self) -> str:
        """The number at which whoever looks is on duty, if they are."""
        return await self._office.roster.number_of(g.member.name)

    async def _colleagues(self) -> list[str]:
        everybody = await self._office.register.everybody()
        return [one.name for one in everybody if one.name != g.member.name and not one.barred]

    async def _page(
        self,
        number: int,
        status: int = 200,
        form: MultiDict[str, str] | None = None,
        errors: dict[str, str] | None = None,
        reveal: bool = False,
        preview: bool = False,
    ) -> Response:
        shown = await self._there(number)
        claim = await self._office.desk.held(number, g.member.name)
        seen = claim is not None or reveal
        last = await self._office.attempts.last(number)
        topics = Topics(self._office.book())
        history = await self._office.queue.history(number, notes=seen)
        council = self._council(shown.record.council)
        draft = _draft_of_post() or await self._office.drafts.of(number, g.member.name)
        token = claim.token if claim else ""
        typed = _shown(draft, token, form or {})
        return await self._door.show(
            "request.html",
            status,
            shown=shown,
            record=shown.record,
            claim=claim,
            number=await self._office.queue.number(number) if seen else "",
            history=history,
            before=unfinished(history, g.member.name) if claim else None,
            can_ring=self._office.ring is not None,
            last_event=await self._office.queue.last_event(),
            is_calling=shown.record.state == State.CALLING,
            phone=await self._phone() if claim else "",
            last=last if _is_of(last, claim) else None,
            tried=TRIED,
            can_claim=shown.is_open and claim is None,
            is_rung=shown.is_rung(self._office.clock()),
            is_held=shown.record.state == State.CLAIMED and claim is None,
            outcomes=[(each, words.OUTCOME_HINTS[each]) for each in OUTCOMES],
            rules=contact_rules(shown.record.access),
            topic=topics.topic(shown.record.topic),
            by_text=shown.record.topic == TOPIC,
            council=council,
            vouched=council is not None and self._is_vouched(council),
            colleagues=await self._colleagues() if claim else [],
            times=self._times() if claim else [],
            safety=self._office.safety,
            alarm=await self._office.alarm.reach(number) if shown.urgent else "",
            texts=await self._texts.shown(shown, claim is not None, seen, typed, preview),
            draft=draft,
            is_older_draft=draft.typed.claim != token,
            form=typed,
            errors=errors or {},
        )

    def _council(self, code: str) -> Council | None:
        try:
            return self._office.directory().council(code)
        except KeyError:
            return None

    def _is_vouched(self, council: Council) -> bool:
        day = self._office.clock().astimezone(LONDON).date()
        return self._office.directory().may_be_spoken(council, day)

    def _times(self) -> list[tuple[str, str]]:
        """The next mornings and afternoons: when each begins, and how it is called."""
        now, hours = self._office.clock(), self._office.hours()
        found = [
            (begin, f"{words.day(begin, now)} in the {half}, from {words.clock(begin)}")
            for half in HALVES
            for begin, end in islice(hours.windows(now.date(), half), TIMES_AHEAD)
            if begin > now
        ]
        return [(begin.isoformat(), named) for begin, named in sorted(found)]


def _is_of(attempt: Attempt | None, claim: Claim | None) -> TypeGuard[Attempt]:
    """Whether an attempt was made under this claim."""
    return attempt is not None and claim is not None and attempt.claim_token == claim.token


def _draft_of_post() -> Draft | None:
    """The draft as it is with what this request sent, if it sent any."""
    draft: Draft | None = g.get("draft")
    return draft


def _texts(form: MultiDict[str, str]) -> dict[str, str]:
    """All that was typed: by this page, and by other windows of the same person."""
    draft = _draft_of_post()
    kept = draft.typed.fields if draft else {}
    return {name: kept.get(name, "") or field(form, name) for name in TEXTS}


def _joined(texts: Mapping[str, str], *names: str) -> str:
    """One note of these texts: whichever button ends a claim, none of them is lost."""
    return "\n\n".join(text for name in names if (text := texts.get(name, "")))


def _unsaved_worry(form: MultiDict[str, str]) -> dict[str, str]:
    """The error of a claim that is let go while the safety box of its page holds a text: that is
    saved by its own button alone, and no colleague would see it."""
    texts = _texts(form)
    return {name: said for name, said in WORRIES.items() if name in form and texts[name]}


def _shown(draft: Draft, claim: str, form: Mapping[str, str]) -> dict[str, str]:
    """The fields as the page shows them. What was posted is in the draft, together with what other
    windows typed, unless it was posted without one."""
    if _draft_of_post() is None:
        return {**draft.fields(claim), **form}
    others = {name: form[name] for name in form if name not in (*TEXTS, *CHOICES)}
    return {**others, **draft.fields(claim)}


def _moment(text: str) -> datetime | None:
    """The moment that was chosen from the list; None: the usual time. Raises WrongTimeError."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongTimeError from None
    if moment.tzinfo is None:
        raise WrongTimeError
    return moment
