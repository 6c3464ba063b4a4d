// Keeps the page connected: the transports are a ladder that is climbed again after each fall.

const ATTEMPTS_PER_TRANSPORT = 2; // attempts that fail before a lower transport is tried: one can be bad luck
const UNKNOWN_SESSION = 4404; // close code; over HTTP a text says so
const SESSION_TOO_LARGE = 4413; // close code: only reloading by hand begins anew

function createReconnect({link, session, queue, calls, transports, startPolling, pause}) {
  const backoff = createBackoff();
  let connecting = false;

  async function connectLoop(delay = 0) {
    if (connecting) return pause.end();
    connecting = true;
    pause.begin();
    for (await pause.start(delay); !session.leaving && !(await tryTransports()); await pause.start(backoff.next()));
    connecting = false;
  }

  // One round: the socket, and what is below only when that is hopeless. True when there is nothing left to improve.
  async function tryTransports() {
    if (isOpen(link[link.bestAllowed])) return true;
    const socket = link.bestAllowed === 'ws' ? await transports.connect('ws', ended) : 'forbidden';
    if (session.leaving || socket === 'open') return true;
    if (isOpen(link.sse) || (socket === 'refused' && backoff.tries < ATTEMPTS_PER_TRANSPORT)) return false;
    if (link.bestAllowed !== 'http' && (await transports.connect('sse', ended)) === 'open')
      return link.bestAllowed === 'sse';
    if (!session.leaving && !isOpen(link.ws)) startPolling();
    return link.bestAllowed === 'http';
  }

  function ended(code, openedAt) {
    if (code === UNKNOWN_SESSION) session.lost();
    else if (code === SESSION_TOO_LARGE) session.leave(); // what the server said of it stays on show
    else if (openedAt) connectionLost(performance.now() - openedAt);
  }

  // A server that restarts (1012) or a network that breaks: first the same transport again, at once but not all
  // together.
  function connectionLost(age) {
    calls.settleSent(queue);
    if (age > STABLE_MS) backoff.tries = 0;
    if (window.HTAG_RELOAD && link.bestAllowed === 'ws') session.reloadWhenBack();
    else if (age > STABLE_MS || !connecting) connectLoop(backoff.next());
  }

  function force(level) {
    link.bestAllowed = level;
    backoff.tries = 0;
    if (level !== 'ws') {
      link.useFallback = true;
      transports.hangUp.ws();
    }
    if (level === 'http') {
      link.usePureHttp = true;
      transports.hangUp.sse();
    }
    connectLoop();
  }

  return {connectLoop, force};
}
