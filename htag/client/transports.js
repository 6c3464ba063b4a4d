// The three ways to the server: WebSocket, server-sent events, and polls in plain HTTP; `link` says which is in use.

const POLL = 1000; // ms between polls in plain HTTP: a clock on the page still ticks

const isOpen = (connection) => connection?.readyState === 1;
// what the page has shown first, or after the last answer over plain HTTP: if nothing changed since, the server need
// not send it again
const revision = () => (window.HTAG_REVISION === undefined ? '' : `?rev=${window.HTAG_REVISION}`);

function createTransports({tab, address, link, outbox, receive}) {
  const hangUp = {ws() {}, sse() {}};
  // the tab says its name on each transport, so that its events keep their order when it changes from one to another
  const from = () => `?tab=${tab}` + revision().replace('?', '&');
  const open = {
    ws: () => new WebSocket(address('ws').replace('http', 'ws') + from()),
    sse: () => new EventSource(address('stream') + from()),
  };

  // One attempt: 'open', 'refused', or 'silent' when there was no answer within HTAG_TIMEOUT. `ended` is told the close
  // code, and when the connection opened (0: never).
  function connect(kind, ended) {
    return new Promise((resolve) => {
      let openedAt = 0;
      const connection = (link[kind] = open[kind]());
      const timer = setTimeout(() => end('silent'), window.HTAG_TIMEOUT);
      const end = (outcome, code) => {
        clearTimeout(timer);
        resolve(outcome);
        if (connection !== link[kind]) return;
        link[kind] = null;
        connection.onopen = connection.onmessage = connection.onerror = connection.onclose = null;
        connection.close?.(); // an EventSource would come back by itself, for ever, also to a session that is gone
        ended(code, openedAt);
      };
      hangUp[kind] = () => end('refused');
      connection.onopen = () => {
        clearTimeout(timer);
        openedAt = performance.now();
        opened(kind);
        resolve('open');
      };
      connection.onmessage = ({data}) => receive(data);
      // a dead network, and the page's mock of a forced mode, say only `error`; an orderly end says only `close`
      connection.onerror = connection.onclose = ({code}) => end('refused', code);
    });
  }

  function opened(kind) {
    link.useFallback = kind !== 'ws';
    link.usePureHttp = false;
    if (kind === 'ws' && link.sse) {
      link.sse.close(); // what was POSTed is answered to all connections of the session: now to the socket
      link.sse = null;
    }
    outbox.pump();
  }

  return {connect, hangUp};
}

function createPolling({link, session, outbox, pause}) {
  let polling = false;

  return async function startPolling() {
    link.useFallback = link.usePureHttp = true;
    link.httpWorks = false;
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
