// The ways to the server that stay open: WebSocket, and server-sent events. Plain HTTP is in posts.js, loaded later.

const RECONNECT_MS = 1500; // ms for an attempt to connect again: where one server is silent, another may not be
const PATIENT_ATTEMPTS = 8; // attempts after which each has longer: all servers have too much to do, perhaps

const isOpen = (connection) => connection?.readyState === 1;

function attemptMs({counts, elsewhere, attempts}) {
  if (attempts > PATIENT_ATTEMPTS) return 2 * window.HTAG_TIMEOUT;
  return counts || elsewhere ? Math.min(RECONNECT_MS, window.HTAG_TIMEOUT) : window.HTAG_TIMEOUT;
}

function createTransports({address, link, outbox, hello, receive, step}) {
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
        connection.onmessage = connection.onerror = connection.onclose = null;
        connection.close?.(); // an EventSource would come back by itself, for ever, also to a session that is gone
        ended(kind, code, readyAt, reason);
      };
      const timer = setTimeout(() => end('silent'), attemptMs(link));
      hangUp[kind] = (code) => end('refused', code);
      connection.onmessage = ({data}) => {
        const message = decode(data);
        if (!readyAt) {
          clearTimeout(timer);
          readyAt = performance.now();
          if (!opened(kind, message)) return end('refused', GOING_AWAY);
          resolve('open');
        }
        receive(message, hangUp[kind]);
      };
      // a dead network, and the page's mock of a forced mode, say only `error`; an orderly end says only `close`
      connection.onerror = connection.onclose = ({code, reason}) => end('refused', code, reason);
    });
  }

  function opened(kind, {action, last, saved, people = 1}) {
    if (!step(kind)) return false; // too late
    link.people = people;
    outbox.greet(action === 'welcome' ? {last, saved} : {});
    return true;
  }

  return {connect, hangUp};
}
