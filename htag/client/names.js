// The names that apps and pages see: globals of the window.

function exposeNames({link, basePath, queue, calls, overlay, outbox, session, connection, events, handlePayload}) {
  const variables = {
    ws: () => link.ws,
    sse: () => link.sse,
    use_fallback: () => link.level !== 'ws',
    use_pure_http: () => link.level === 'http',
  };
  for (const [name, get] of Object.entries(variables)) {
    // a page that has a variable of this name keeps it, ours goes on unseen
    const set = (value) => Object.defineProperty(window, name, {value, writable: true, configurable: true});
    Object.defineProperty(window, name, {get, set, configurable: true});
  }

  Object.assign(window, {
    HTAG_TIMEOUT: 3000,
    htag_event: events.htagEvent,
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
