// The promises of events that wait for the server's answer; the body's class `interacting` says that there are some.

function createCalls() {
  const callbacks = {}; // callback id -> resolver

  function add(id, resolve) {
    callbacks[id] = resolve;
    showInteracting();
  }

  function settle(id, result) {
    take(id)?.(result);
    showInteracting();
  }

  function take(id) {
    const resolve = callbacks[id];
    delete callbacks[id];
    return resolve;
  }

  // Where the server does not count events (version 1), one whose answer did not come before the connection broke may
  // have been done or not: it is never sent again, and its promise ends with null. `kept` are those that will be.
  function settleSent(kept) {
    const waiting = new Set(kept.map((message) => message.data?.callback_id));
    for (const id of Object.keys(callbacks)) if (!waiting.has(id)) settle(id, null);
  }

  function showInteracting() {
    const body = document.body;
    if (!body) return; // an event from the head
    body.classList.toggle('interacting', Object.keys(callbacks).length > 0);
    if (!body.className) body.removeAttribute('class');
  }

  return {callbacks, add, waits: (id) => id in callbacks, settle, take, settleSent, showInteracting};
}
