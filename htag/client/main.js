/* The browser's half of htag, wire version 2: sends events, applies updates, keeps the connection, and what was not
 * saved. */

// What makes the page's objects, in this order: each is given those before it, and what else there is of the page.
const MAKERS = {
  later: createLater,
  overlay: createOverlay,
  report: createReport,
  calls: createCalls,
  trusted: createTrusted,
  foreign: createForeign,
  patch: createPatch,
  events: createEvents,
  scripts: createScripts,
  listeners: createListeners,
  log: createEventLog,
  handlePayload: createInbox,
  receive: createReceive,
  session: createSession,
  hello: createHello,
  outbox: createOutbox,
  leftovers: createLeftovers,
  pause: createPause,
  transports: createTransports,
  connection: createConnection,
};

// Parts share functions and constants only: whatever changes is in an object of the page.
function main() {
  const tools = {encode, decode, sleep, jitter, spanOf, isServed, attemptMs, addressOf, goTo, isOurs, LOSSES, ORDERLY};
  const page = {
    ...tools, // for what is loaded later
    tab: Math.random().toString(36).slice(2) + Date.now().toString(36),
    basePath: location.pathname.replace(/\/?$/, '/'),
    address: (name) => location.origin + page.basePath + name,
    storage: sessionStorageOrNull(),
    queue: [], // messages that wait for a connection
    link: createLink(),
    external: window.HTAG_EXT_INIT, // PyScript: the app is in this very page
    // these are loaded later: until then nothing is posted, and no silence noticed
    posts: {pump() {}, abandon() {}, sayLast() {}, isBusy: () => false},
    silence: {heard() {}, told() {}, expect() {}, probe() {}},
    step: (event) => page.connection.step(event),
  };
  for (const [name, make] of Object.entries(MAKERS)) page[name] = make(page);
  const {external, later, overlay, connection, silence, leftovers} = page;

  // where no script element loads it, what is loaded later finds it there
  if (external) Object.defineProperty(overlay, 'page', {value: page});
  else later.load();
  reportUncaught(page.report);
  exposeNames(page);

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
    if (!external) connection.connectLoop();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
}

main();
