"""Answers that a Valkey or Redis server gives in trouble, from one that is told what to answer; and none at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from htag.errors import StoreError
from htag.stores.base import Record, Save, Store
from htag.stores.valkey import ValkeyStore
from htag.stores.valkey_client import ANSWER_SECONDS

CUT = b""  # instead of an answer: the connection is closed


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[Store]:
    """A store whose server gives these answers, one to each command, the last again and again."""
    left: Iterator[bytes] = iter(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await _command(reader):
            given = next(left, answers[-1])
            if given == CUT:
                break
            writer.write(given)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    store = ValkeyStore(f"valkey://127.0.0.1:{server.sockets[0].getsockname()[1]}", 60)
    yield store
    await store.close()
    server.close()
    await server.wait_closed()


async def _command(reader: asyncio.StreamReader) -> Sequence[bytes]:
    """Read a command: *2, then for each word $length and the word. Nothing at the end of the connection."""
    head = await reader.readline()
    words = []
    for _ in range(int(head[1:] or 0)):
        length = int((await reader.readline())[1:])
        words.append((await reader.readexactly(length + 2))[:-2])
    return words


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("LOADING Valkey is loading the dataset in memory", "still loading its data"),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "has lost its primary"),
        ("MISCONF Valkey is configured to save RDB snapshots, but it's unable to", "cannot write to its own disk"),
        ("MOVED 3999 127.0.0.1:6381", "a cluster of several nodes"),
        ("CLUSTERDOWN Hash slot not served", "a cluster that is down"),
        ("BUSY Valkey is busy running a script.", "busy with another program's script"),
        ("NOAUTH Authentication required.", "wants a password"),
        ("ERR Error running script (call to f_1a2b): @user_script:5: -OOM command not allowed when", "memory is full"),
        ("ERR Error running script (call to f_1): @user_script:5: -READONLY You can't write against", "is a replica"),
        (
            "ERR Error running script (call to f_5): @user_script:11: @user_script: 11: "
            "The user executing the script can't run this command or subcommand",
            "does not let this user",
        ),
        ("ERR max number of clients reached", "max number of clients reached"),
        ("ERR something new", "something new"),
    ],
)
async def test_an_error_is_said_in_plain_words_and_in_the_server_s(answer: str, sentence: str) -> None:
    async with answering(b"-%b\r\n" % answer.encode()) as store:
        for asked in (store.peek("a"), store.save([Save("a", 1, "us", b"x")])):
            with pytest.raises(StoreError, match=sentence) as caught:
                await asked
            assert answer.split()[-1] in str(caught.value)


async def test_an_error_does_not_tell_what_the_command_said() -> None:
    """It may be a password, or a session's id, with which its person's session could be had."""
    told = b"-ERR unknown command 'EVALSHA', with args beginning with: 'secret-id'\r\n"
    async with answering(told) as store:
        with pytest.raises(StoreError, match="unknown command 'EVALSHA'") as caught:
            await store.claim("secret-id", "us")
    assert "secret-id" not in str(caught.value)


@pytest.mark.parametrize("found", [b"hello", b"", b"\n", b"-", b"12 owner", b"x owner\ndata", b"\xff\x00"])
async def test_what_another_program_has_put_under_a_session_s_key_is_no_snapshot_and_no_trouble(found: bytes) -> None:
    """Else its visitor would be told to come again later, for ever."""
    told = b"$%d\r\n%b\r\n" % (len(found), found)
    async with answering(told, b":1\r\n") as store:
        assert await store.peek("a") == Record(0, "", found)
        assert await store.drop("a", 0)


@pytest.mark.parametrize("answer", [b"+OK\r\n", b"*1\r\n:5\r\n", b"*0\r\n", b"$5\r\nhello\r\n", b"hello\r\n"])
async def test_nonsense_is_a_store_error(answer: bytes) -> None:
    async with answering(answer) as store:
        save = Save("a", 1, "us", b"x")
        asked: list[Awaitable[object]] = [store.claim("a", "us"), store.save([save, save]), store.drop("a", 1)]
        if not answer.startswith((b"+", b"$")):  # a text may stand under a session's key
            asked.append(store.peek("a"))
        for each in [*asked, store.pulse()]:
            with pytest.raises(StoreError):
                await each


async def test_a_connection_that_the_server_has_closed_is_made_anew_and_the_save_sent_again() -> None:
    async with answering(CUT, b"*2\r\n:1\r\n:1\r\n") as store:
        assert await store.save([Save("a", 1, "us", b"x")]) == [True]


async def test_if_the_connection_is_lost_twice_the_save_s_fate_is_not_guessed() -> None:
    async with answering(CUT) as store:
        with pytest.raises(StoreError):
            await store.save([Save("a", 1, "us", b"x")])


async def test_half_an_answer_is_given_up_in_time() -> None:
    async with answering(b"*2\r\n:1\r\n") as store:
        with pytest.raises(StoreError, match=f"within {ANSWER_SECONDS:.1f} s"):
            await store.save([Save("a", 1, "us", b"x")])
