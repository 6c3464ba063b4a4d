// The three ways to the server: WebSocket, server-sent events, and polls in plain HTTP; `link` says which is in use.

const POLL = 1000; // ms between polls in plain HTTP: a clock on the page still ticks
const RECONNECT_MS = 1500; // ms for an attempt to connect again: where one server is silent, another may not be
const PATIENT_ATTEMPTS = 8; // attempts after which each has longer: all servers have too much to do, perhaps

const isOpen = (connection) => connection?.readyState === 1;

// whether the page has a connection, if not the best
const isServed = (link) => isOpen(link.ws) || isOpen(link.sse) || (link.usePureHttp && link.httpWorks);

function attemptMs({counts, elsewhere, attempts}) {
  if (attempts > PATIENT_ATTEMPTS) return 2 * window.HTAG_TIMEOUT;
  return counts || elsewhere ? Math.min(RECONNECT_MS, window.HTAG_TIMEOUT) : window.HTAG_TIMEOUT;
}

function createTransports({address, link, outbox, hello, receive}) {
  const hangUp = {ws() {}, sse() {}};
  const open = {
    ws: (query) => new WebSocket(address('ws').replace('http', 'ws') + query),
    sse: (query) => new EventSource(address('stream') + query),
  };

  // One attempt: 'open' once the server has said something, 'refused', or 'silent' when it did not in time. `ended` is
  // told the close code, when the connection could be used (0: never), and the reason.
  function connect(kind, ended) {
    return new Promise((resolve) => {
      let readyAt = 0;
      if (!isServed(link)) link.attempts++;
      const connection = (link[kind] = open[kind](addressOf(hello())));
      const end = (outcome, code, reason) => {
        clearTimeout(timer);
        resolve(outcome);
        if (connection !== link[kind]) return;
        link[kind] = null;
        connection.onopen = connection.onmessage = connection.onerror = connection.onclose = null;
        connection.close?.(); // an EventSource would come back by itself, for ever, also to a session that is gone
        ended(code, readyAt, reason);
      };
      const timer = setTimeout(() => end('silent'), attemptMs(link));
      hangUp[kind] = (code) => end('refused', code);
      connection.onmessage = ({data}) => {
        const message = decode(data);
        if (!readyAt) {
          clearTimeout(timer);
          readyAt = performance.now();
          opened(kind, message);
          resolve('open');
        }
        receive(message, hangUp[kind]);
      };
      // a dead network, and the page's mock of a forced mode, say only `error`; an orderly end says only `close`
      connection.onerror = connection.onclose = ({code, reason}) => end('refused', code, reason);
    });
  }

  function opened(kind, {action, last, saved}) {
    link.useFallback = kind !== 'ws';
    link.usePureHttp = false;
    link.ready = link[kind];
    if (kind === 'ws' && link.sse) {
      link.sse.close(); // what was POSTed is answered to all connections of the session: now to the socket
      link.sse = null;
    }
    outbox.greet(action === 'welcome' ? {last, saved} : {});
  }

  return {connect, hangUp};
}

function createPolling({link, session, outbox, pause}) {
  let polling = false;

  return async function startPolling() {
    if (!link.usePureHttp) link.httpWorks = false; // it is to say first what it has
    link.useFallback = link.usePureHttp = true;
    if (polling) return;
    polling = true;
    for (; link.usePureHttp && !session.leaving; await sleep(jitter(POLL))) {
      const worked = link.httpWorks;
      await outbox.poll();
      if (link.httpWorks && !worked) pause.end(); // the server is back, perhaps with its WebSocket
    }
    polling = false;
  };
}
