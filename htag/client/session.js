// This page's session: whether it is still there, and what to do when it is not.

const RELOAD_DELAYS = [1000, 5000, 20000, 60000]; // ms before a page without a session is reloaded: once, again, …
const RENEWALS = 10; // requests for a new id, one in a second: later the next page load gets it

function createSession({basePath, address, log, queue, calls, overlay}) {
  const session = {leaving: false, works, lost, leave, reloadWhenBack, renew}; // leaving: this page will be reloaded
  const reloadsKey = `htag_reloads ${basePath}`; // in sessionStorage: reloads of this page since a session lasted
  const storage = sessionStorageOrNull();
  let lasting;

  // An answer to this page's own session. One answer proves little, a stranger may take it away again: what lasts does.
  function works() {
    lasting ??= setTimeout(() => session.leaving || storage?.removeItem(reloadsKey), STABLE_MS);
  }

  // The server has said that the session is gone, and only a page load makes a new one. That may be lost as well, and so
  // on for ever, as while a server fails again and again: so each reload waits longer. Without a cookie (`blocked`) a
  // second one is no use.
  async function lost(blocked) {
    if (session.leaving) return;
    leave();
    const reloads = Number(storage?.getItem(reloadsKey));
    const last = !storage || (blocked && reloads > 0);
    const advice = last ? 'Are cookies blocked? Reload the page to try again.' : 'Trying again soon.';
    if (reloads || last) overlay.show('Network Error', `The server does not know this page's session. ${advice}`);
    if (last) return;
    storage.setItem(reloadsKey, reloads + 1);
    await sleep(jitter(RELOAD_DELAYS[Math.min(reloads, RELOAD_DELAYS.length - 1)])); // not all tabs of a worker at once
    reloadWhenBack(pageAgain);
  }

  // What was not saved was of that session: it must not come to another.
  function leave() {
    session.leaving = true;
    log.clear();
    queue.length = 0;
    calls.settleSent([]);
  }

  // Also with HTAG_RELOAD (development): the server restarts with new code, show it. HEAD, because GET makes a session.
  async function reloadWhenBack(load = () => location.reload()) {
    session.leaving = true;
    for (;;) {
      await sleep(500);
      const answer = await fetch(location.href, {method: 'HEAD', cache: 'no-store'}).catch(() => null); // still down
      if (answer?.ok) return load();
    }
  }

  // The session has a new id. Its cookie can come with an answer to a request only, whatever told us so.
  async function renew() {
    const headers = {'X-HTAG-TOKEN': window.HTAG_CSRF ?? ''};
    for (let tries = 0; tries < RENEWALS; tries++) {
      const answer = await fetch(address('renew'), {method: 'POST', headers}).catch(() => ({status: 503}));
      if (answer.ok) window.HTAG_CSRF = (await answer.json()).csrf;
      if (answer.status !== 503) return;
      await sleep(POLL); // the session is on its way to another server
    }
  }

  return session;
}

// Loads the page without `?n`: that would end the session that another tab has begun, whose page would do the same.
function pageAgain() {
  const url = new URL(location.href);
  if (!url.searchParams.has('n')) return location.reload();
  url.searchParams.delete('n');
  location.replace(url);
}

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden, as cookies are then
  }
}
