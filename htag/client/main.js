/* The browser's half of htag, wire version 2: sends events, applies updates, keeps the connection, and what was not
 * saved. */

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
    ready: null, // the one of these two by which the server has answered
    bestAllowed: 'ws', // the best transport allowed; fallback() and fallback_pure_http() lower it
    useFallback: false, // below WebSocket
    usePureHttp: false, // below SSE
    httpWorks: false, // the last POST was answered, and not by a server in trouble
    counts: false, // the server counts this tab's events (version 2), so that they can be sent again
    attempts: 0, // to connect, since the tab was connected
    elsewhere: 0, // unless 0, nginx shall choose another server than it did: a different number, a different one
    at: undefined, // the server that has the session, where nginx chose another one
    atUntil: 0, // attempts after which that server is gone
  };
  const external = window.HTAG_EXT_INIT; // PyScript: the app is in this very page

  const overlay = createOverlay();
  const report = createReport(overlay);
  const calls = createCalls();
  const trusted = createTrusted();
  const places = createPlaces();
  const patch = createPatch({trusted, places, calls, overlay, listeners: () => listeners});
  const htagEvent = createEvents({tab, calls, places, patch, report});
  const scripts = createScripts({trusted, report});
  const listeners = createListeners({scripts, htagEvent});
  const log = createEventLog();
  const shows = () => outbox.shows();
  const handlePayload = createInbox({calls, log, places, patch, overlay, scripts, report, shows});
  const session = createSession({basePath, address, log, queue, calls, overlay});
  const post = createPost({address});
  const hello = createHello({tab, link, log});
  const leftovers = createLeftovers({basePath, tab, log, session, post, bye: () => outbox.bye()});
  const mayAsk = () => link.counts && !window.HTAG_RELOAD; // a developer may have stopped the server at a line
  const silence = createSilence({
    isWaiting: () => mayAsk() && (outbox.isBusy() || log.isWaiting()),
    isConnected: () => mayAsk() && outbox.isReady('ws'),
    ask() {
      if (outbox.isReady('ws')) link.ws.send(encode({action: 'ping'}));
      else post({action: 'ping'}, hello()).then(silence.heard, () => {}); // then it goes on being silent
    },
    giveUp: () => reconnect.silent(),
  });
  const receive = (message, hangUp) => {
    session.works();
    silence.heard();
    if (message.action === 'saved') log.saved(message.saved);
    else if (message.action !== 'welcome' && message.action !== 'pong') handlePayload(message, hangUp);
  };
  const lost = {silent: () => reconnect.silent(), interrupted: (code) => reconnect.interrupted(code)};
  const outbox = createOutbox({
    link, log, session, queue, calls, receive, handlePayload, overlay, post, hello, silence, lost,
  });
  const pause = createPause();
  const transports = createTransports({address, link, outbox, hello, receive});
  const startPolling = createPolling({link, session, outbox, pause});
  const reconnect = createReconnect({link, log, session, calls, outbox, transports, startPolling, pause});

  reportUncaught(report);
  exposeNames({link, basePath, queue, calls, overlay, outbox, session, reconnect, htagEvent, handlePayload});

  // a person looks at the page, or the network is back: do not wait for the next attempt
  const isBack = () => {
    pause.end();
    silence.probe();
  };
  addEventListener('online', isBack);
  addEventListener('pageshow', ({persisted}) => persisted && isBack());
  document.addEventListener('visibilitychange', () => document.hidden || isBack());
  addEventListener('pagehide', leftovers.keep);
  const noteScrolled = ({target}) => target !== document && places.noteScrolled(target);
  document.addEventListener('scroll', noteScrolled, {capture: true, passive: true});

  const start = () => {
    overlay.attach();
    if (external) return;
    leftovers.send();
    reconnect.connectLoop();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
}

main();
