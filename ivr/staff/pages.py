"""All staff pages, joined."""

from quart import Quart, Request

from ivr.callbacks.bell import Bell
from ivr.staff import account, audit, doubtful, duty, live, people, queue, reports, sign_in
from ivr.staff.directory import DirectoryPages
from ivr.staff.door import LARGEST_FORM, Door
from ivr.staff.forms import Forms
from ivr.staff.office import Office
from ivr.staff.request import RequestPages
from ivr.staff.today import TodayPages


class FormRequest(Request):
    """A request whose form is bounded before it is parsed."""

    form_data_parser_class = Forms


def staff_pages(app: Quart, office: Office, bell: Bell) -> None:
    """Give the application its staff pages."""
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM  # refused before it is read
    app.request_class = FormRequest
    door = Door(office)
    for part in (sign_in, account, queue, doubtful, duty, reports, people, audit):
        part.add_pages(door, office)
    RequestPages(door, office)
    TodayPages(door, office)
    DirectoryPages(door, office)
    live.add_pages(door, bell)
    app.register_blueprint(door.blueprint)
