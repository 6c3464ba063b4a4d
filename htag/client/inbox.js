// Applies what the server says: one message after the other, also while one waits for a script to load.

function createInbox({calls, places, patch, overlay, report}) {
  const inbox = [];
  let applying = false;

  async function handlePayload(message) {
    inbox.push(message);
    if (applying) return;
    applying = true;
    while (inbox.length) await apply(inbox.shift()).catch((error) => report('Client JavaScript Error', error));
    applying = false;
  }

  async function apply({action, traceback, updates = {}, statics = [], js = [], callback_id: id, result = null}) {
    const resolve = calls.take(id); // before a snippet runs: a fallback() in there must not settle it
    try {
      if (action === 'error') overlay.show('Server Error', traceback);
      places.forgetTyped((callback) => callback === id);
      patch.replaceAll(Object.entries(updates));
      for (const html of statics) await injectStatic(html);
      js.forEach(run);
    } finally {
      resolve?.(result);
      calls.showInteracting();
    }
  }

  // Indirect eval has the global scope: no variable of a snippet can meet one of ours.
  function run(code) {
    try {
      (0, eval)(code);
    } catch (error) {
      report('JS Eval Error', error, code);
    }
  }

  return handlePayload;
}
