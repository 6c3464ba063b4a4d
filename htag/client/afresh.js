// The page is loaded again, where nothing else helps: never in a loop, and with what was typed.

const RELOAD_DELAYS = [1000, 5000, 20000, 60000]; // ms before a page without a session is reloaded: once, again, …
const RENEWALS = 10; // requests for a new id, one in a second: later the next page load gets it
const ANSWER_MS = 10000; // ms for an answer that takes no time to make
const NOT_OURS = [0, 401, 403]; // states of HTTP, 0 a redirect: to see why, a page must be loaded
const STABLE_MS = 5000; // ms a connection lasts after a page load that was of use

function createAfresh({basePath, address, storage, link, step, overlay, later, typed, sleep, jitter, isServed}) {
  const key = `htag_reloads ${basePath}`; // in sessionStorage: reloads of this page since a session lasted
  let isTold = false; // that answers are not our server's

  // An answer to this page's own session proves little, a stranger may take it away again: what lasts does.
  const works = () => setTimeout(() => link.state === 'left' || storage?.removeItem(key), STABLE_MS);
  if (isServed(link)) works();
  else document.addEventListener('htag-connected', works, {once: true});

  // The server has said that the session is gone, and only a page load makes a new one. That may be lost as well, and so
  // on for ever, as while a server fails again and again: so each reload waits longer. Without a cookie (`blocked`) a
  // second one is no use.
  async function loadAgain(blocked) {
    const reloads = Number(storage?.getItem(key));
    const last = !storage || (blocked && reloads > 0);
    const advice = last ? 'Are cookies blocked? Reload the page to try again.' : 'Trying again soon.';
    if (last && window.top !== window) return later.say('framed');
    if (reloads || last) overlay.show('Network Error', `The server does not know this page's session. ${advice}`);
    if (last) return;
    storage.setItem(key, reloads + 1);
    await sleep(jitter(RELOAD_DELAYS[Math.min(reloads, RELOAD_DELAYS.length - 1)])); // not all tabs of a worker at once
    reloadWhenBack();
  }

  // Where a proxy in front wants a login, only a page load can show that; it gets what was not saved as well. Where that
  // was no use, attempts go on.
  function loadForLogin() {
    if (isTold) return;
    isTold = true;
    if (!storage || storage.getItem(key)) return later.say('login');
    storage.setItem(key, 1);
    step('leave');
    load();
  }

  // Also with HTAG_RELOAD (development): the server restarts with new code, show it. HEAD, because GET makes a session.
  async function reloadWhenBack() {
    for (;;) {
      await sleep(500);
      const options = {method: 'HEAD', cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS)};
      const answer = await fetch(location.href, options).catch(() => null); // still down
      if (answer?.ok || NOT_OURS.includes(answer?.status)) return load();
    }
  }

  // Without `?n`: that would end the session that another tab has begun, whose page would do the same.
  function load() {
    typed.keep();
    const url = new URL(location.href);
    if (!url.searchParams.has('n')) return location.reload();
    url.searchParams.delete('n');
    location.replace(url);
  }

  // The session has a new id. Its cookie can come with an answer to a request only, whatever told us so.
  async function renew() {
    const headers = {'X-HTAG-TOKEN': window.HTAG_CSRF ?? ''};
    for (let tries = 0; tries < RENEWALS; tries++) {
      const options = {method: 'POST', headers, signal: AbortSignal.timeout(ANSWER_MS)};
      const answer = await fetch(address('renew'), options).catch(() => ({status: 503}));
      if (answer.ok) window.HTAG_CSRF = (await answer.json()).csrf;
      if (answer.status !== 503) return;
      await sleep(POLL); // the session is on its way to another server
    }
  }

  return {loadAgain, loadForLogin, reloadWhenBack, renew};
}
