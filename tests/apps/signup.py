"""A form with every kind of input, checked while one types, summed up when it is sent."""

from htag import State, Tag, prevent

COUNTRIES = {"at": "Austria", "fr": "France", "jp": "Japan"}
PLANS = ("free", "team", "company")


class Field(Tag.label):
    """A caption, the control, and what is wrong with it."""

    def init(self, caption, control):
        self.problem = State("")
        self <= Tag.span(caption)
        self <= control
        self <= Tag.em(self.problem, _class="problem", _hidden=lambda: not self.problem.value)


class Signup(Tag.App):
    """One control of each type; `summary` repeats what the server has received."""

    def init(self):
        self.name = Tag.input(_id="name", _name="name", _required=True, _oninput=self.check_name)
        self.age = Tag.input(_id="age", _name="age", _type="number", _min=0, _max=130, _value=18)
        self.volume = Tag.input(_id="volume", _name="volume", _type="range", _oninput=lambda event: None)
        self.bio = Tag.textarea("about me", _id="bio", _name="bio")
        self.country = Tag.select(_id="country", _name="country")
        self.news = Tag.input(_id="news", _type="checkbox", _name="news", _value="weekly", _onchange=self.toggle_news)
        self.wants_news = State(False)
        self.name_field = Field("Name", self.name)
        with self.country:
            for code, country in COUNTRIES.items():
                Tag.option(country, _value=code, _selected=code == "at")
        plans = Tag.fieldset(Tag.legend("Plan"))
        for plan in PLANS:
            plans <= Tag.input(_id=plan, _type="radio", _name="plan", _value=plan, _onchange=self.choose) + plan
        self.plan = State("")
        form = Tag.form(_id="form", _onsubmit=self.send)
        form <= [
            self.name_field,
            Field("Password", Tag.input(_id="password", _type="password", _name="password")),
            Field("Born", Tag.input(_id="born", _type="date", _name="born")),
            Field("Colour", Tag.input(_id="colour", _type="color", _name="colour", _value="#ff0000")),
            Field("Age", self.age),
            Field("Volume", self.volume),
            Field("About", self.bio),
            Field("Country", self.country),
            Field("News", self.news),
            Tag.p(lambda: "weekly news" if self.wants_news.value else "no news", _id="news-shown"),
            plans,
            Tag.p(lambda: self.plan.value or "no plan", _id="plan-shown"),
            Tag.button("Sign up", _type="submit"),
        ]
        self.form = form
        self <= form
        self.summary = Tag.dl(_id="summary")
        self <= self.summary
        self <= Tag.button("redraw", _type="button", _onclick=lambda event: self.form.toggle_class("drawn") and None)

    def check_name(self, event):
        self.name_field.problem.value = "" if len(event.value) >= 2 else "two letters at least"

    def toggle_news(self, event):
        self.wants_news.value = event.checked

    def choose(self, event):
        self.plan.value = event.target["value"]

    @prevent
    def send(self, event):
        self.summary.clear()
        with self.summary:
            for name, value in event.value.items():
                Tag.dt(name)
                Tag.dd("*" * len(value) if name == "password" else value)
        return len(event.value)
