// The page's connection as one state machine: what serves the page, what may happen then, and where that leads.

// State -> what happens -> next state. What is not listed comes too late, and changes nothing.
const TRANSITIONS = {
  away: {ws: 'ws', sse: 'sse', http: 'http', leave: 'left'}, // nothing serves the page; attempts go on
  http: {ws: 'ws', sse: 'sse', lost: 'away', leave: 'left'}, // POSTs are answered; attempts at better ones go on
  sse: {ws: 'ws', lost: 'away', rest: 'resting', leave: 'left'}, // a stream, and POSTs; attempts at the socket go on
  ws: {lost: 'away', leave: 'left'},
  resting: {ws: 'ws', wake: 'away', leave: 'left'}, // hidden: of the six streams of a browser it leaves one to other tabs
  left: {}, // the page is going to be loaded again, or its session has ended
};

const ATTEMPTS_PER_TRANSPORT = 2; // attempts that fail before a lower transport is tried: one can be bad luck
const LASTING_MS = 1000; // ms a connection must last for the delays to begin anew, else a server that hangs up is hammered
const LATER = 7; // of the delays, the one that begins where the server is too busy
const REST_MS = 30000; // ms that a hidden tab keeps its stream
const TRY_LATER = 1013; // close code
const HELD_ELSEWHERE = 4307; // close code: another server has the session; the reason says how to get to it
const UNKNOWN_SESSION = 4404; // close code; over HTTP a text says so
const SESSION_TOO_LARGE = 4413; // close code: only reloading by hand begins anew

// What is known of the connection. Only `step` changes the state.
const createLink = () => ({
  state: 'away',
  since: 0, // when the page went away
  hurried: 0, // the same, where it did not wait for its turn then
  level: 'ws', // the transport in use, or the lowest that is tried
  best: 'ws', // the best transport allowed; fallback() and fallback_pure_http() lower it
  ws: null, // the connections, also those that are being opened
  sse: null,
  counts: false, // the server counts this tab's events (version 2), so that they can be sent again
  people: 1, // sessions of its worker, which all come again when that fails
  attempts: 0, // to connect, since the tab was connected
  elsewhere: 0, // unless 0, nginx shall choose another server than it did: a different number, a different one
  at: undefined, // the server that has the session, where nginx chose another one
  atUntil: 0, // attempts after which that server is gone
});

const isServed = ({state}) => ['ws', 'sse', 'http'].includes(state);

function createConnection({link, log, session, calls, outbox, posts, transports, later, pause}) {
  const backoff = createBackoff(link);
  const worked = {}; // the transports that were ever of use
  let connecting = false;
  let resting;

  function step(event) {
    const before = link.state;
    const next = TRANSITIONS[before][event];
    if (!next) return false;
    link.state = document.documentElement.dataset.htagConnection = next;
    if (isServed(link)) arrive(before);
    else depart(before);
    return true;
  }

  function arrive(before) {
    const awaySeconds = before === 'away' && link.since ? (performance.now() - link.since) / 1000 : 0;
    link.level = link.state;
    if (before === 'sse') closeStream(); // what was POSTed is answered to all connections of the session: now to the socket
    restLater();
    announce('connected', {transport: link.state, awaySeconds});
  }

  function depart(before) {
    if (link.state !== 'away') closeStream();
    if (before !== 'away') link.since = performance.now();
    announce('disconnected', {transport: before, state: link.state});
  }

  function closeStream() {
    const stream = link.sse;
    link.sse = null;
    stream?.close();
  }

  // -- the ladder: transports are climbed again after each fall

  async function connectLoop(delay = 0) {
    if (connecting) return pause.end();
    connecting = true;
    pause.begin();
    for (await pause.start(delay); isClimbing() && !(await tryTransports()); await pause.start(backoff.next()));
    connecting = false;
  }

  const isClimbing = () => !['left', 'resting', link.best].includes(link.state);

  // One round: the socket, and what is below only when that is hopeless. True when there is nothing left to improve.
  async function tryTransports() {
    const socket = link.best === 'ws' ? await attempt('ws') : 'forbidden';
    if (!isClimbing()) return true;
    if (link.state === 'sse' || (socket === 'refused' && backoff.tries < ATTEMPTS_PER_TRANSPORT)) return false;
    if (link.best !== 'http') await attempt('sse');
    if (!isClimbing()) return true;
    if (link.state === 'sse') return false;
    later.call('startPolling');
    return link.best === 'http';
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

  // -- what ends

  function ended(kind, code, readyAt, reason) {
    if (code === UNKNOWN_SESSION) return session.lost();
    if (code === SESSION_TOO_LARGE) return session.leave(); // what the server said of it stays on show
    if (code === HELD_ELSEWHERE) goTo(link, reason);
    const age = readyAt && performance.now() - readyAt;
    if (age > LASTING_MS) backoff.tries = 0;
    if (code === TRY_LATER) backoff.tries = Math.max(backoff.tries, LATER);
    if (link.state === kind) step('lost');
    if (readyAt) connectionLost(code, age);
  }

  // A server that restarts (1012) or a network that breaks: first the same transport again, soon, but not all together.
  function connectionLost(code, age) {
    log.lost(code);
    calls.settleSent(log.messages());
    if (window.HTAG_RELOAD && link.best === 'ws') session.reloadWhenBack();
    else if (age > LASTING_MS || !connecting) connectLoop(backoff.next());
  }

  // A POST was not taken. What comes next is a new beginning: the server says which events it has.
  function interrupted(code) {
    if (code === 503) leaveSlot();
    if (isOpen(link.sse)) return transports.hangUp.sse(code);
    if (link.state === 'http') step('lost');
    log.lost(code);
  }

  function silent() {
    leaveSlot();
    posts.abandon();
    if (isOpen(link.ws)) transports.hangUp.ws();
    else interrupted();
  }

  // -- what people and apps want

  function force(level) {
    link.best = level;
    backoff.tries = 0;
    if (level !== 'ws') {
      link.level = level;
      transports.hangUp.ws(GOING_AWAY);
    }
    if (level === 'http') transports.hangUp.sse(GOING_AWAY);
    connectLoop();
  }

  // A hidden tab that waits for nothing needs no stream.
  function restLater() {
    clearTimeout(resting);
    if (document.hidden && link.state === 'sse')
      resting = setTimeout(() => (outbox.isIdle() ? step('rest') : restLater()), REST_MS);
  }

  // A person waits for an answer: once, that is a reason not to wait for one's turn among all people.
  function hurry() {
    if (link.state === 'resting') return wake();
    if (link.state !== 'away' || link.hurried === link.since) return;
    link.hurried = link.since;
    pause.end();
  }

  // To hear whether the server still knows this page: a connection that is open does not say.
  function comeAgain() {
    for (const kind of ['ws', 'sse']) transports.hangUp[kind](GOING_AWAY);
  }

  function wake() {
    clearTimeout(resting);
    if (step('wake')) connectLoop();
    else pause.end();
  }

  return {step, connectLoop, force, interrupted, silent, restLater, hurry, comeAgain, wake};
}
