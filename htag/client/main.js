/* The browser's half of htag, wire version 2: sends events, applies updates, keeps the connection, and what was not
 * saved. */

// The last part makes the others' objects and gives each what it needs. Parts share functions and constants only:
// whatever changes is in an object that is handed over here.
function main() {
  const tab = Math.random().toString(36).slice(2) + Date.now().toString(36);
  const basePath = location.pathname.replace(/\/?$/, '/');
  const address = (name) => location.origin + basePath + name;
  const queue = []; // messages that wait for a connection
  const link = createLink();
  const step = (event) => connection.step(event);
  const external = window.HTAG_EXT_INIT; // PyScript: the app is in this very page

  const overlay = createOverlay((name) => scripts.load(name));
  const report = createReport(overlay);
  const calls = createCalls();
  const trusted = createTrusted();
  const patch = createPatch({foreign: createForeign()});
  const events = createEvents({tab, calls, patch, report, say: (text) => say(text)});
  const {htagEvent} = events;
  const scripts = createScripts({trusted, report});
  const listeners = createListeners({scripts, htagEvent});
  const log = createEventLog();
  const shows = () => outbox.shows();
  const later = createLater(() => scripts.load('later.js', {page}), () => page.later);
  const handlePayload = createInbox({calls, log, patch, later, overlay, scripts, report, shows});
  const {say} = later;
  const session = createSession({link, step, log, queue, calls, later: later.call});
  const post = createPost({address});
  const hello = createHello({tab, link, log});
  const leftovers = createLeftovers({basePath, tab, log, bye: () => outbox.sayLast({action: 'bye'})});
  const mayAsk = () => link.counts && !window.HTAG_RELOAD; // a developer may have stopped the server at a line
  const silence = createSilence({
    isWaiting: () => mayAsk() && (outbox.isBusy() || log.isWaiting()),
    isConnected: () => mayAsk() && (outbox.isReady('ws') || outbox.isReady('sse')),
    ask() {
      if (outbox.isReady('ws')) return link.ws.send(encode({action: 'ping'}));
      outbox.ask().catch(() => {}); // then it goes on being silent
    },
    giveUp: () => connection.silent(),
  });
  const receive = (message, hangUp) => {
    silence.heard();
    if (message.seq && !message.done) silence.told();
    if (message.action === 'saved') log.saved(message.saved);
    else if (message.action !== 'welcome' && message.action !== 'pong') handlePayload(message, hangUp);
  };
  const lost = {
    silent: () => connection.silent(),
    interrupted: (code) => connection.interrupted(code),
    waits: () => link.state === 'resting' && connection.wake(),
  };
  const outbox = createOutbox({
    say, link, log, session, queue, calls, receive, handlePayload, overlay, post, hello, silence, step, lost,
  });
  const pause = createPause();
  const transports = createTransports({address, link, outbox, hello, receive, step});
  const startPolling = createPolling({link, outbox, pause});
  const connection = createConnection({link, log, session, calls, outbox, transports, startPolling, pause});

  // for what is loaded later
  const page = {
    external, patch, trusted, calls, listeners, report, events,
    basePath, address, queue, link, step, overlay, leftovers, outbox, post, say, sleep, jitter, POLL, LOSSES, ORDERLY,
  };
  // where no script element loads it, what is loaded later finds it there
  if (external) Object.defineProperty(overlay, 'page', {value: page});
  else later.load();
  reportUncaught(report);
  exposeNames({link, basePath, queue, calls, overlay, outbox, session, connection, htagEvent, handlePayload});

  // a person looks at the page, or the network is back: do not wait for the next attempt
  const isBack = () => {
    connection.wake();
    silence.probe();
  };
  addEventListener('online', isBack);
  addEventListener('pageshow', ({persisted}) => persisted === false || isBack()); // false: it has just been loaded
  document.addEventListener('visibilitychange', () => (document.hidden ? connection.restLater() : isBack()));
  addEventListener('pagehide', leftovers.keep);

  const start = () => {
    overlay.attach();
    if (external) return;
    connection.connectLoop();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
}

main();
