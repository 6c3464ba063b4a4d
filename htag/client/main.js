/* The browser's half of htag, wire version 1: sends events, applies updates, keeps the connection.
 * Version 1 carries JavaScript as text, so the page's CSP must allow `unsafe-eval`. */

// The last part makes the others' objects and gives each what it needs. Parts share functions and constants only:
// whatever changes is in an object that is handed over here.
function main() {
  const tab = Math.random().toString(36).slice(2) + Date.now().toString(36);
  const basePath = location.pathname.replace(/\/?$/, '/');
  const address = (name) => location.origin + basePath + name;
  const queue = []; // messages that wait for a connection
  // what the page is connected by: the transports set it, the outbox and the ladder go by it
  const link = {
    ws: null,
    sse: null,
    bestAllowed: 'ws', // the best transport allowed; fallback() and fallback_pure_http() lower it
    useFallback: false, // below WebSocket
    usePureHttp: false, // below SSE
    httpWorks: false, // the last POST was answered, and not by a server in trouble
  };
  const external = window.HTAG_EXT_INIT; // PyScript: the app is in this very page

  const overlay = createOverlay();
  const report = createReport(overlay);
  const calls = createCalls();
  const places = createPlaces();
  const patch = createPatch({places, calls, overlay});
  const htagEvent = createEvents({tab, calls, places, patch, report});
  const handlePayload = createInbox({calls, places, patch, overlay, report});
  const session = createSession({basePath, address, queue, calls, overlay});
  const receive = (text) => {
    session.works();
    handlePayload(decode(text));
  };
  const outbox = createOutbox({tab, address, link, session, queue, receive, handlePayload, overlay});
  const pause = createPause();
  const transports = createTransports({tab, address, link, outbox, receive});
  const startPolling = createPolling({link, session, outbox, pause});
  const reconnect = createReconnect({link, session, queue, calls, transports, startPolling, pause});

  reportUncaught(report);
  exposeNames({link, basePath, queue, calls, overlay, outbox, session, reconnect, htagEvent, handlePayload});

  // a person looks at the page, or the network is back: do not wait for the next attempt
  addEventListener('online', () => pause.end());
  addEventListener('pageshow', ({persisted}) => persisted && pause.end());
  document.addEventListener('visibilitychange', () => document.hidden || pause.end());
  const noteScrolled = ({target}) => target !== document && places.noteScrolled(target);
  document.addEventListener('scroll', noteScrolled, {capture: true, passive: true});

  const start = () => {
    overlay.attach();
    if (!external) reconnect.connectLoop();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
}

main();
