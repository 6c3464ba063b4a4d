"""A chat between sessions: a room that everybody joins while their page is open."""

from htag import State, Tag, prevent


class Room:
    """Who is here, and what was said."""

    def __init__(self):
        self.guests = []
        self.lines = []

    def enter(self, guest):
        if guest not in self.guests:
            self.guests.append(guest)
        self.tell_all()

    def leave(self, guest):
        if guest in self.guests:
            self.guests.remove(guest)
        self.tell_all()

    def say(self, name, text):
        self.lines.append((name, text))
        self.tell_all()

    def tell_all(self):
        for guest in self.guests:
            guest.news.notify()


class Line(Tag.p):
    """What somebody said."""

    styles = "b { color: teal } .mine { text-align: right }"

    def init(self, name, text):
        Tag.b(name)
        self <= ": "
        self <= Tag.span(text)


class Chat(Tag.App):
    """Say your name, then talk."""

    room = Room()

    def init(self):
        self.news = State(0)
        self.nickname = State("")
        self <= Tag.h1(lambda: f"Chat of {self.nickname.value}" if self.nickname.value else "Who are you?")
        self <= (lambda: None if self.nickname.value else self.welcome())
        self <= (lambda: self.talk() if self.nickname.value else None)

    def welcome(self):
        return Tag.form(Tag.input(_name="name"), Tag.button("Enter"), _id="welcome", _onsubmit=self.enter)

    def talk(self):
        return [
            Tag.div(self.lines, _id="lines"),
            Tag.p(lambda: ", ".join(guest.nickname.value for guest in self.present()), _id="present"),
            Tag.form(Tag.input(_name="text"), Tag.button("Say"), _id="talk", _onsubmit=self.say),
        ]

    def lines(self):
        self.news.get()
        return [Line(*line) for line in self.room.lines]

    def present(self):
        self.news.get()
        return self.room.guests

    @prevent
    def enter(self, event):
        self.nickname.value = event["name"]
        self.room.enter(self)

    @prevent
    def say(self, event):
        self.room.say(self.nickname.value, event["text"])

    def on_unmount(self):
        self.room.leave(self)

    def on_mount(self):
        if self.nickname.value:
            self.room.enter(self)
