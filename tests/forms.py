"""A page's forms as a browser without JavaScript sees them: fields, and buttons that send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

Attributes = dict[str, str]


@dataclass
class Button:
    """A control that sends a form, or a link."""

    label: str
    form: str  # its id; "" for a link
    action: str
    name: str = ""
    value: str = ""


@dataclass
class Form:
    """What a form sends: its fields in the order of the page."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)  # names of text areas and text fields
    choices: dict[str, list[str]] = field(default_factory=dict)  # what can be chosen, by name


class Page(HTMLParser):
    """Reads the forms, buttons and links of a page. The form of a control is the one that its
    ``form`` attribute names, or else the one around it."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.buttons: list[Button] = []
        self._around = ""
        self._open: tuple[str, Attributes, list[str]] | None = None
        self._select: tuple[Form, str] | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._around = own.get("id", f"form {len(self.forms)}")
            self.forms[self._around] = Form(own["action"])
        elif tag in ("button", "textarea", "a"):
            self._open = (tag, own, [])
        elif tag == "input":
            self._input(own)
        elif tag == "select":
            self._select = (self._of(own), own["name"])
            self._of(own).fields.setdefault(own["name"], [])
        elif tag == "option" and self._select:
            form, name = self._select
            form.choices.setdefault(name, []).append(own.get("value", ""))
            if "selected" in own or not form.fields[name]:
                form.fields[name] = [own.get("value", "")]

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[2].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._around = ""
        elif tag == "select":
            self._select = None
        elif self._open and tag == self._open[0]:
            _, own, words = self._open
            self._open = None
            self._closed(tag, own, "".join(words))

    def _closed(self, tag: str, own: Attributes, words: str) -> None:
        label = " ".join(words.split())
        if tag == "textarea":
            self._text(self._of(own), own["name"], words.removeprefix("\n"))
        elif tag == "button":
            form = own.get("form", self._around)
            action = own.get("formaction", self.forms[form].action)
            name, value = own.get("name", ""), own.get("value", "")
            self.buttons.append(Button(label, form, action, name, value))
        elif "href" in own:
            self.buttons.append(Button(label, "", own["href"]))

    def _input(self, own: Attributes) -> None:
        kind, name = own.get("type", "text"), own.get("name", "")
        form = self._of(own)
        if kind == "radio":
            form.choices.setdefault(name, []).append(own["value"])
            if "checked" in own:
                form.fields[name] = [own["value"]]
        elif kind == "hidden":
            form.fields.setdefault(name, []).append(own["value"])
        else:
            self._text(form, name, own.get("value", ""))

    def _text(self, form: Form, name: str, value: str) -> None:
        form.fields[name] = [value]
        form.texts.append(name)

    def _of(self, own: Attributes) -> Form:
        return self.forms[own.get("form", self._around)]

    def button(self, label: str) -> Button:
        """The one control with this label."""
        (found,) = [each for each in self.buttons if each.label == label]
        return found

    def sent(self, button: Button, typed: dict[str, str]) -> dict[str, Any]:
        """What the browser sends when this button is pressed, after this was typed and chosen."""
        form = self.forms[button.form]
        fields = {**form.fields, **{name: [value] for name, value in typed.items()}}
        if button.name:
            fields[button.name] = [*fields.get(button.name, []), button.value]
        return fields
