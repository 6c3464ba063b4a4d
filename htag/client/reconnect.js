// Keeps the page connected: the transports are a ladder that is climbed again after each fall.

const ATTEMPTS_PER_TRANSPORT = 2; // attempts that fail before a lower transport is tried: one can be bad luck
const LASTING_MS = 1000; // ms a connection must last for the delays to begin anew, else a server that hangs up is hammered
const LATER = 7; // of the delays, the one that begins where the server is too busy
const TRY_LATER = 1013; // close code
const HELD_ELSEWHERE = 4307; // close code: another server has the session; the reason says how to get to it
const UNKNOWN_SESSION = 4404; // close code; over HTTP a text says so
const SESSION_TOO_LARGE = 4413; // close code: only reloading by hand begins anew

function createReconnect({link, log, session, calls, outbox, transports, startPolling, pause}) {
  const backoff = createBackoff();
  const worked = {}; // the transports that were ever of use
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
    const socket = link.bestAllowed === 'ws' ? await attempt('ws') : 'forbidden';
    if (session.leaving || socket === 'open') return true;
    if (isOpen(link.sse) || (socket === 'refused' && backoff.tries < ATTEMPTS_PER_TRANSPORT)) return false;
    if (link.bestAllowed !== 'http' && (await attempt('sse')) === 'open') return link.bestAllowed === 'sse';
    if (!session.leaving && !isOpen(link.ws)) startPolling();
    return link.bestAllowed === 'http';
  }

  async function attempt(kind) {
    const outcome = await transports.connect(kind, ended);
    worked[kind] ||= outcome === 'open';
    // one that never worked may be what a proxy swallows
    if (outcome === 'silent' && worked[kind] && !isServed(link)) leaveSlot();
    return outcome;
  }

  // The server that this page is bound to does not answer: the next attempts ask for any other. It would not know a
  // session that is in that server's memory only.
  function leaveSlot() {
    link.at = undefined;
    if (log.isSaved()) link.elsewhere ||= Math.ceil(Math.random() * 1e6);
  }

  function ended(code, readyAt, reason) {
    if (code === UNKNOWN_SESSION) return session.lost();
    if (code === SESSION_TOO_LARGE) return session.leave(); // what the server said of it stays on show
    if (code === HELD_ELSEWHERE) goTo(link, reason);
    const age = readyAt && performance.now() - readyAt;
    if (age > LASTING_MS) backoff.tries = 0;
    if (code === TRY_LATER) backoff.tries = Math.max(backoff.tries, LATER);
    if (readyAt) connectionLost(code, age);
  }

  // A server that restarts (1012) or a network that breaks: first the same transport again, at once but not all
  // together.
  function connectionLost(code, age) {
    log.lost(code);
    calls.settleSent(log.messages());
    if (window.HTAG_RELOAD && link.bestAllowed === 'ws') session.reloadWhenBack();
    else if (age > LASTING_MS || !connecting) connectLoop(backoff.next());
  }

  // A POST was not taken. What comes next is a new beginning: the server says which events it has.
  function interrupted(code) {
    link.httpWorks = false;
    if (code === 503) leaveSlot();
    if (isOpen(link.sse)) transports.hangUp.sse(code);
    else log.lost(code);
  }

  function silent() {
    leaveSlot();
    outbox.abandon();
    if (isOpen(link.ws)) transports.hangUp.ws();
    else interrupted();
  }

  function force(level) {
    link.bestAllowed = level;
    backoff.tries = 0;
    if (level !== 'ws') {
      link.useFallback = true;
      transports.hangUp.ws(GOING_AWAY);
    }
    if (level === 'http') {
      link.usePureHttp = true;
      link.httpWorks = false;
      transports.hangUp.sse(GOING_AWAY);
    }
    connectLoop();
  }

  return {connectLoop, force, interrupted, silent};
}
