"""The smallest app: `HTAG_APP=hello:Hello docker compose up`. Put yours beside it, or set HTAG_APPS_DIR."""

from htag import Tag


class Hello(Tag.App):
    def init(self) -> None:
        self.clicks = 0
        self.button = Tag.button("Hello", _onclick=self.count)

    def count(self, event: object) -> None:
        self.clicks += 1
        self.button.clear(f"Hello, {self.clicks} times")
