"""The events of one tab by number, as wire version 2 has it: each is kept until the server has saved it."""

from headless.wire import Message

LOSSES = 3  # lost connections after which an event is given up: it may be what breaks them


class Numbers:
    """Numbers the events of a tab, and knows which are to be sent again."""

    def __init__(self) -> None:
        self.next = 1
        self.patience = LOSSES
        self.log: dict[int, Message] = {}  # what no snapshot has yet, by number
        self.answers: dict[int, Message] = {}  # by number, until they are asked for
        self.saved = 0
        self.done = 0  # all up to this one were answered
        self._answered: set[int] = set()  # those above `done`
        self._losses: dict[int, int] = {}
        self._sent: set[int] = set()  # on this connection, and not answered

    def add(self, message: Message) -> int:
        """Give an event its number, and keep it. Returns the number."""
        number, self.next = self.next, self.next + 1
        message["n"] = number
        self.log[number] = message
        return number

    @property
    def oldest(self) -> int:
        """The lowest number that is kept; if none is, the next."""
        return min(self.log, default=self.next)

    def pending(self, last: int, saved: int) -> list[Message]:
        """The server has taken all events up to `last`, and saved those up to `saved`: return what is to be sent again,
        in order."""
        self.note_saved(saved)
        self.next = max(self.next, last + 1)
        for number in [each for each in self._losses if each <= last]:
            del self._losses[number]  # it was not what broke the connection
        return [self.log[number] for number in sorted(self.log) if number > last]

    def note_saved(self, saved: int) -> None:
        """The server has saved all up to this number: they need not be kept."""
        self.saved = max(self.saved, saved)
        for number in [each for each in self.log if each <= saved]:
            del self.log[number]

    def note_sent(self, number: int) -> None:
        """The event went out on the connection that there is."""
        if not self.is_answered(number):
            self._sent.add(number)

    def note_lost(self) -> None:
        """The connection is lost. If events that it carried were not answered, the first of them may be why; after
        `patience` of these it becomes a message that skips it."""
        if self._sent:
            number = min(self._sent)
            self._losses[number] = self._losses.get(number, 0) + 1
            if self._losses[number] >= self.patience and number in self.log:
                self.log[number] = {**self.log[number], "action": "skip"}
        self._sent.clear()

    def is_answered(self, number: int) -> bool:
        """Whether the answer to this event has come."""
        return number <= self.done or number in self._answered

    def take(self, number: int, answer: Message) -> bool:
        """The answer to an event came. False: it has come before."""
        if self.is_answered(number):
            return False
        self._answered.add(number)
        self._sent.discard(number)
        self._losses.pop(number, None)
        while self.done + 1 in self._answered:
            self.done += 1
            self._answered.remove(self.done)
        self.answers[number] = answer
        if "made" in answer and number in self.log:
            self.log[number]["made"] = answer["made"]  # to be said with it, if it is sent again
        return True
