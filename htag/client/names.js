// The names that apps and pages see: globals of the window.

function exposeVariable(name, get) {
  // a page that has a variable of this name keeps it, ours goes on unseen
  const set = (value) => Object.defineProperty(window, name, {value, writable: true, configurable: true});
  Object.defineProperty(window, name, {get, set, configurable: true});
}

function exposeNames({link, basePath, queue, calls, overlay, outbox, session, connection, htagEvent, handlePayload}) {
  exposeVariable('ws', () => link.ws);
  exposeVariable('sse', () => link.sse);
  exposeVariable('use_fallback', () => link.level !== 'ws');
  exposeVariable('use_pure_http', () => link.level === 'http');

  Object.assign(window, {
    HTAG_TIMEOUT: 3000,
    htag_event: htagEvent,
    htag_id: tagId,
    htag_transport: window.htag_transport || outbox.enqueue,
    handle_payload: (message) => handlePayload(message),
    init_ws: () => connection.force('ws'),
    fallback: () => connection.force('sse'),
    fallback_pure_http: () => connection.force('http'),
    _htag_renew: session.renew,
    _htag_queue: queue,
    _htag_callbacks: calls.callbacks,
    _base_path: basePath,
    _error_overlay: overlay,
  });
}
