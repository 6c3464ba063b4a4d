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
  const hello = createHello({tab, link, log});
  const leftovers = createLeftovers({basePath, tab, log, bye: () => outbox.sayLast({action: 'bye'})});
  // these are loaded later: until then nothing is posted, and no silence noticed
  const posts = {pump() {}, abandon() {}, sayLast() {}, isBusy: () => false};
  const silence = {heard() {}, told() {}, expect() {}, probe() {}};
  const receive = (message, hangUp) => {
    silence.heard();
    if (message.seq && !message.done) silence.told();
    if (message.action === 'saved') log.saved(message.saved);
    else if (message.action !== 'welcome' && message.action !== 'pong') handlePayload(message, hangUp);
  };
  const waits = () => connection.hurry();
  const outbox = createOutbox({say, link, log, queue, calls, handlePayload, overlay, posts, silence, waits});
  const pause = createPause();
  const transports = createTransports({address, link, outbox, hello, receive, step});
  const startPolling = () => later.call('startPolling');
  const connection = createConnection({link, log, session, calls, outbox, posts, transports, startPolling, pause});

  // for what is loaded later
  const tools = {encode, decode, sleep, jitter, spanOf, isServed, attemptMs, addressOf, goTo, LOSSES, ORDERLY};
  const page = {
    ...tools, basePath, address, queue, link, step, log, session, receive, handlePayload, overlay, leftovers, hello, say,
    outbox, posts, silence, pause, connection, external, events, patch, trusted, calls, listeners, report,
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
