// Notices a server that is silent while something waits for it: a frozen one keeps its connections open for ever.

const SILENCE_MS = 3000; // ms before the server is asked whether it is there; as many again before it is given up
const QUIET_MS = 10000; // ms after something that was not asked for, in which more of that is expected

function createSilence({link, log, outbox, posts, connection, encode}) {
  let heardAt = 0;
  let asked = false;
  let timer = null;
  let quiet = null;

  const mayAsk = () => link.counts && !window.HTAG_RELOAD; // a developer may have stopped the server at a line
  const isWaiting = () => mayAsk() && (posts.isBusy() || log.isWaiting());
  const isConnected = () => mayAsk() && (outbox.isReady('ws') || outbox.isReady('sse'));

  function ask() {
    asked = true;
    if (outbox.isReady('ws')) link.ws.send(encode({action: 'ping'}));
    else posts.ask().catch(() => {}); // then it goes on being silent
  }

  function heard() {
    heardAt = performance.now();
    asked = false;
  }

  // Where the server tells something by itself and then falls silent, it is asked, once.
  function told() {
    quiet ??= setTimeout(checkQuiet, QUIET_MS);
  }

  function checkQuiet() {
    const rest = heardAt + QUIET_MS - performance.now();
    quiet = rest > 0 ? setTimeout(checkQuiet, rest) : null;
    if (!quiet && !document.hidden) probe();
  }

  function expect() {
    if (timer) return;
    heard();
    timer = setTimeout(check, SILENCE_MS);
  }

  // A person is back, the computer perhaps slept: the connection may have ended without a word.
  function probe() {
    if (!isConnected() || asked) return;
    clearTimeout(timer);
    ask();
    timer = setTimeout(check, SILENCE_MS);
  }

  function check() {
    timer = null;
    if (!isWaiting() && !(asked && isConnected())) return;
    const rest = heardAt + SILENCE_MS - performance.now();
    if (rest <= 0 && asked) return connection.silent();
    if (rest <= 0) ask();
    timer = setTimeout(check, rest > 0 ? rest : SILENCE_MS);
  }

  return {heard, told, expect, probe};
}
