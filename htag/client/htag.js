/* The browser's half of htag, wire version 1: sends events, applies updates, keeps the connection.
 * Version 1 carries JavaScript as text, so the page's CSP must allow `unsafe-eval`. */
(() => {
  'use strict';

  const DELAYS = [50, 100, 250, 500, 1000, 2000, 5000]; // ms between attempts to connect; a server restarts in 1-3 s
  const PATIENCE = 2; // attempts that fail before a lower transport is tried: one can be bad luck
  const CALM = 5000; // ms a connection must last for the delays to begin anew, else a server that hangs up is hammered
  const POLL = 1000; // ms between polls in plain HTTP: a clock on the page still ticks
  const QUEUE_LIMIT = 1000; // messages kept while nothing is connected: what the server reads in a second
  const REPORT_LIMIT = 20; // errors told to the server per page: a failing animation makes 60 a second
  const RELOAD_DELAYS = [1000, 5000, 20000, 60000]; // ms before a page without a session is reloaded: once, again, …
  const UNKNOWN_SESSION = 4404; // close code; over HTTP a text says so
  const SESSION_TOO_LARGE = 4413; // close code: only reloading by hand begins anew

  const tab = Math.random().toString(36).slice(2) + Date.now().toString(36);
  const basePath = location.pathname.replace(/\/?$/, '/');
  const RELOADS = `htag_reloads ${basePath}`; // in sessionStorage: reloads of this page since a session lasted
  const queue = []; // messages that wait for a connection
  const callbacks = {}; // callback id -> resolver of the promise that waits for the answer

  // ------------------------------------------------------- transport: a ladder that is climbed again after each fall

  const live = {ws: null, sse: null};
  const hangUp = {ws() {}, sse() {}};
  const open = {
    ws: () => new WebSocket(address('ws').replace('http', 'ws') + revision()),
    sse: () => new EventSource(address('stream') + revision()),
  };
  let useFallback = false; // below WebSocket
  let usePureHttp = false; // below SSE
  let ceiling = 'ws'; // the best transport allowed; fallback() and fallback_pure_http() lower it
  let tries = 0;
  let climbing = false;
  let polling = false;
  let posting = false; // one request at a time, so that events and answers keep their order
  let httpWorks = false;
  let leaving = false; // this page will be reloaded
  let endPause = () => {};

  const isOpen = (kind) => live[kind]?.readyState === 1;
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const jitter = (ms) => ms * (0.5 + Math.random());
  const backoff = () => jitter(DELAYS[Math.min(tries++, DELAYS.length - 1)]);

  const address = (name) => location.origin + basePath + name;
  // what the page has shown first, or after the last answer over plain HTTP: if nothing changed since, the server need
  // not send it again
  const revision = () => (window.HTAG_REVISION === undefined ? '' : `?rev=${window.HTAG_REVISION}`);

  async function climb(delay = 0) {
    if (climbing) return endPause();
    climbing = true;
    for (await pause(delay); !leaving && !(await reachCeiling()); await pause(backoff()));
    climbing = false;
  }

  function pause(ms) {
    return new Promise((resolve) => {
      endPause = resolve;
      setTimeout(resolve, ms);
    });
  }

  // One round: the socket, and what is below only when that is hopeless. True when there is nothing left to improve.
  async function reachCeiling() {
    if (isOpen(ceiling)) return true;
    const socket = ceiling === 'ws' ? await connect('ws') : 'forbidden';
    if (leaving || socket === 'open') return true;
    if (isOpen('sse') || (socket === 'refused' && tries < PATIENCE)) return false;
    if (ceiling !== 'http' && (await connect('sse')) === 'open') return ceiling === 'sse';
    if (!leaving && !isOpen('ws')) poll();
    return ceiling === 'http';
  }

  // One attempt: 'open', 'refused', or 'silent' when there was no answer within HTAG_TIMEOUT.
  function connect(kind) {
    return new Promise((resolve) => {
      let openedAt = 0;
      const connection = (live[kind] = open[kind]());
      const timer = setTimeout(() => end('silent'), window.HTAG_TIMEOUT);
      const end = (outcome, code) => {
        clearTimeout(timer);
        resolve(outcome);
        if (connection !== live[kind]) return;
        live[kind] = null;
        connection.onopen = connection.onmessage = connection.onerror = connection.onclose = null;
        connection.close?.(); // an EventSource would come back by itself, for ever, also to a session that is gone
        if (code === UNKNOWN_SESSION) sessionLost();
        else if (code === SESSION_TOO_LARGE) leaving = (settleSent(), true); // what the server said of it stays on show
        else if (openedAt) connectionLost(performance.now() - openedAt);
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
    useFallback = kind !== 'ws';
    usePureHttp = false;
    if (kind === 'ws' && live.sse) {
      live.sse.close(); // what was POSTed is answered to all connections of the session: now to the socket
      live.sse = null;
    }
    pump();
  }

  // A server that restarts (1012) or a network that breaks: first the same transport again, at once but not all together.
  function connectionLost(age) {
    settleSent();
    if (age > CALM) tries = 0;
    if (window.HTAG_RELOAD && ceiling === 'ws') reloadWhenBack();
    else if (age > CALM || !climbing) climb(backoff());
  }

  function force(level) {
    ceiling = level;
    tries = 0;
    if (level !== 'ws') {
      useFallback = true;
      hangUp.ws();
    }
    if (level === 'http') {
      usePureHttp = true;
      hangUp.sse();
    }
    climb();
  }

  async function poll() {
    useFallback = usePureHttp = true;
    httpWorks = false;
    if (polling) return;
    polling = true;
    for (; usePureHttp && !leaving; await sleep(jitter(POLL))) {
      const worked = httpWorks;
      if (!posting) await exclusively({action: 'poll'});
      if (httpWorks && !worked) endPause(); // the server is back, perhaps with its WebSocket
    }
    polling = false;
  }

  // Sends what waits, in order, over whatever is connected.
  function pump() {
    if (posting) return;
    while (queue.length && isOpen('ws')) live.ws.send(encode(queue.shift()));
    if (queue.length && (isOpen('sse') || (usePureHttp && httpWorks))) exclusively(queue.shift());
  }

  async function exclusively(message) {
    posting = true;
    await post(message);
    posting = false;
    pump();
  }

  async function post(message) {
    const headers = {'Content-Type': 'application/json', 'X-HTAG-TOKEN': window.HTAG_CSRF ?? '', 'X-HTAG-TAB': tab};
    const fallback = usePureHttp || undefined; // the answer shall come in this very response
    try {
      const url = address('event') + revision();
      const response = await fetch(url, {method: 'POST', headers, body: encode({...message, fallback})});
      const text = await response.text();
      httpWorks = response.status < 500;
      window.HTAG_CSRF = response.headers.get('X-HTAG-TOKEN') ?? window.HTAG_CSRF; // another tab renewed the session's id
      // the last: the person logged in elsewhere while this tab was cut off, and its token is an old one
      if (/^(Unknown session|No session cookie|CSRF)/.test(text)) return sessionLost(text.startsWith('No'));
      if (!response.ok) return failed(message, 'HTTP Error', `${response.status} ${response.statusText}\n${text}`);
      const answer = JSON.parse(text);
      sessionWorks();
      answer.payloads?.forEach(receive);
      if (answer.revision !== undefined) window.HTAG_REVISION = answer.revision;
      if (fallback) giveUp(message);
    } catch (error) {
      httpWorks = false;
      failed(message, 'Network Error', String(error));
    }
  }

  function failed(message, title, text) {
    if (message.event) overlay.show(title, text); // a poll fails in silence: it is repeated anyway
    giveUp(message);
  }

  // Settles a message's promise, after all answers that came before it; one already answered is not there any more.
  function giveUp(message) {
    if (message.data) handlePayload({callback_id: message.data.callback_id});
  }

  // An event whose answer did not come before the connection broke may have run or not, version 1 cannot know: it is
  // never sent again, and its promise ends with null.
  function settleSent() {
    const waiting = new Set(queue.map((message) => message.data?.callback_id));
    for (const id of Object.keys(callbacks)) if (!waiting.has(id)) settle(id, null);
  }

  function enqueue(message) {
    if (leaving) return giveUp(message);
    if (queue.length >= QUEUE_LIMIT) {
      const last = queue.at(-1);
      const typing = message.event === 'input' && last.event === 'input' && message.id === last.id;
      giveUp(typing ? queue.pop() : message); // of what is typed on and on in one field the last value counts
      if (!typing) return;
    }
    queue.push(message);
    pump();
  }

  const storage = (() => {
    try {
      return window.sessionStorage;
    } catch {
      return null; // forbidden, as cookies are then
    }
  })();

  // The session is gone, and only a page load makes a new one. That may be lost as well, and so on for ever: where
  // cookies are blocked, or two servers take turns. So each reload waits longer, and after the last one nothing happens.
  async function sessionLost(blocked) {
    if (leaving) return;
    leaving = true;
    settleSent();
    const reloads = storage ? Number(storage.getItem(RELOADS)) : RELOAD_DELAYS.length;
    const last = reloads >= RELOAD_DELAYS.length || (blocked && reloads > 0);
    const advice = last ? 'Are cookies blocked? Reload the page to try again.' : 'Trying again soon.';
    if (reloads || last) overlay.show('Network Error', `The server does not know this page's session. ${advice}`);
    if (last) return;
    storage.setItem(RELOADS, reloads + 1);
    await sleep(jitter(RELOAD_DELAYS[reloads])); // not all tabs of a lost worker at once
    location.reload();
  }

  // An answer to this page's own session. One answer proves little, a stranger may take it away again: what lasts does.
  let lasting;
  function sessionWorks() {
    lasting ??= setTimeout(() => leaving || storage?.removeItem(RELOADS), CALM);
  }

  // HTAG_RELOAD (development): the server restarts with new code, show it. HEAD, because GET makes a session.
  async function reloadWhenBack() {
    leaving = true;
    for (;;) {
      await sleep(500);
      const answer = await fetch(location.href, {method: 'HEAD', cache: 'no-store'}).catch(() => null); // still down
      if (answer?.ok) return location.reload();
    }
  }

  // ------------------------------------------------------- messages

  function encode(message) {
    const text = JSON.stringify(message);
    if (!window.PARANO) return text;
    const bytes = exclusiveOr(new TextEncoder().encode(text));
    let binary = '';
    // 32 KiB a piece: as many arguments as every browser takes
    for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(binary);
  }

  function decode(text) {
    if (!window.PARANO) return JSON.parse(text);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(exclusiveOr(bytes)));
  }

  function exclusiveOr(bytes) {
    const key = new TextEncoder().encode(window.PARANO);
    for (let at = 0; at < bytes.length; at++) bytes[at] ^= key[at % key.length];
    return bytes;
  }

  function receive(text) {
    sessionWorks();
    handlePayload(decode(text));
  }

  const inbox = [];
  let applying = false;

  // One message after the other, also while one waits for a script to load.
  async function handlePayload(message) {
    inbox.push(message);
    if (applying) return;
    applying = true;
    while (inbox.length) await apply(inbox.shift()).catch((error) => report('Client JavaScript Error', error));
    applying = false;
  }

  async function apply({action, traceback, updates = {}, statics = [], js = [], callback_id: id, result = null}) {
    const resolve = callbacks[id]; // taken out before a snippet runs: a fallback() in there must not settle it
    delete callbacks[id];
    try {
      if (action === 'error') overlay.show('Server Error', traceback);
      for (const [key, callback] of typed) if (callback === id) typed.delete(key);
      replaceAll(Object.entries(updates));
      for (const html of statics) await injectStatic(html);
      js.forEach(run);
    } finally {
      resolve?.(result);
      showInteracting();
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

  // The session has a new id. Its cookie can come with an answer to a request only, whatever told us so.
  async function renew() {
    const headers = {'X-HTAG-TOKEN': window.HTAG_CSRF ?? ''};
    const answer = await fetch(address('renew'), {method: 'POST', headers});
    if (answer.ok) window.HTAG_CSRF = (await answer.json()).csrf;
  }

  function settle(id, result) {
    callbacks[id]?.(result);
    delete callbacks[id];
    showInteracting();
  }

  let events = 0;

  function htagEvent(id, name, event) {
    const isDom = event instanceof Event;
    // a focused element that is replaced says blur, its successor says focus: no person did that
    if (replacing && isDom && /^(focus|blur|change)/.test(event.type)) return Promise.resolve(null);
    const callback = `${tab}-${++events}`; // all tabs of a session get all answers: unique among them
    return new Promise((resolve) => {
      callbacks[callback] = resolve;
      showInteracting();
      try {
        // as the server will see it: later changes by the caller do not matter, and what is not JSON fails here
        const data = JSON.parse(JSON.stringify({...eventData(name, event), callback_id: callback}));
        if (isDom && event.type === 'input') typed.set(keyOf(event.target), callback);
        window.htag_transport({id, event: name, data});
      } catch (error) {
        report('Client JavaScript Error', error);
        settle(callback, null);
      }
    });
  }

  function eventData(name, event) {
    if (event === undefined) return {};
    if (event === null || typeof event !== 'object') return {value: event};
    if (!(event instanceof Event)) return event;
    const {target, key, pageX, pageY, button, which, newURL, oldURL} = event;
    const data = {key, pageX, pageY, button, which, newURL, oldURL};
    if (!(target instanceof Element)) return data;
    if (isTick(target)) data.checked = target.checked;
    data.value = data.checked ?? target.value;
    if (name === 'submit' && target.tagName === 'FORM') data.value = Object.fromEntries(new FormData(target));
    return data;
  }

  function showInteracting() {
    const body = document.body;
    if (!body) return; // an event from the head
    body.classList.toggle('interacting', Object.keys(callbacks).length > 0);
    if (!body.className) body.removeAttribute('class');
  }

  // ------------------------------------------------------- DOM

  const typed = new Map(); // key of a field -> callback id of its last `input` event, until the server answers that
  const scrolled = new Set(); // elements that were scrolled
  let replacing = false;

  const isTick = (element) => element.type === 'checkbox' || element.type === 'radio';
  const keyOf = (element) => element.getAttribute?.('id') || element.dataset?.htagId;
  const find = (key) => document.getElementById(key) || document.querySelector(`[data-htag-id="${CSS.escape(key)}"]`);

  function replaceAll(updates) {
    if (!updates.length) return;
    const successors = rememberPlaces();
    replacing = true;
    for (const [id, html] of updates) replace(find(id), html);
    successors.forEach(giveToSuccessor);
    replacing = false;
    for (const [key, id] of typed) if (!(id in callbacks)) typed.delete(key); // lost on the way: kept this once
    attachOverlay();
  }

  function replace(element, html) {
    if (element?.tagName === 'BODY') replaceBody(element, html);
    else if (element) element.outerHTML = html;
  }

  function replaceBody(body, html) {
    const fresh = new DOMParser().parseFromString(html, 'text/html').body;
    for (const {name} of [...body.attributes]) if (!fresh.hasAttribute(name)) body.removeAttribute(name);
    for (const {name, value} of fresh.attributes) if (body.getAttribute(name) !== value) body.setAttribute(name, value);
    body.replaceChildren();
    while (fresh.firstChild) body.append(fresh.firstChild);
  }

  // What replaced elements would lose: [element, its key, function that gives it to the element which takes its place].
  function rememberPlaces() {
    const places = [];
    const remember = (old, give) => old && places.push([old, keyOf(old), give]);
    for (const key of typed.keys()) remember(find(key), (fresh, old) => giveTyped(fresh, old));
    const {activeElement} = document;
    const {selectionStart, selectionEnd, selectionDirection} = activeElement || {};
    remember(activeElement, (fresh) => {
      fresh.focus({preventScroll: true});
      if (typeof selectionStart === 'number') fresh.setSelectionRange(selectionStart, selectionEnd, selectionDirection);
    });
    for (const old of scrolled) {
      if (!old.isConnected) scrolled.delete(old);
      const {scrollTop, scrollLeft} = old;
      remember(old, (fresh) => scrolled.add(Object.assign(fresh, {scrollTop, scrollLeft}))); // its own event is late
    }
    return places;
  }

  function giveToSuccessor([old, key, give]) {
    const fresh = !old.isConnected && key && find(key);
    if (fresh && fresh.tagName === old.tagName && fresh.type === old.type) give(fresh, old);
  }

  function giveTyped(fresh, old) {
    if (isTick(old)) fresh.checked = old.checked;
    else if (old.type !== 'file') fresh.value = old.value; // a file can be chosen by a person only
  }

  async function injectStatic(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    for (const element of template.content.querySelectorAll('style, link, script')) {
      if ([...document.head.children].some((present) => present.isEqualNode(element))) continue; // a reconnection repeats
      if (element.tagName === 'SCRIPT') await injectScript(element);
      else document.head.append(element);
    }
  }

  // A script that came as text does not run; its copy does. One with a URL is waited for, as what follows needs it,
  // but not longer than for a connection.
  function injectScript(inert) {
    const script = document.createElement('script');
    for (const {name, value} of inert.attributes) script.setAttribute(name, value);
    script.text = inert.text;
    const loaded = new Promise((resolve) => (script.onload = script.onerror = resolve));
    document.head.append(script);
    return script.src && Promise.race([loaded, sleep(window.HTAG_TIMEOUT)]);
  }

  // ------------------------------------------------------- errors

  const OVERLAY_STYLE = `
    :host { display: none } :host([show]) { display: block }
    section { position: fixed; inset: auto 1rem 1rem; z-index: 2147483647; max-height: 60vh; overflow: auto; padding: 1rem;
      background: #fff; color: #222; border-top: 4px solid #c62828; box-shadow: 0 4px 24px #0006; font: 14px system-ui }
    header { display: flex; gap: .5rem } b { flex: 1; color: #c62828 }
    pre { margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12px/1.4 monospace }`;

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  class ErrorOverlay extends HTMLElement {
    constructor() {
      super();
      this.heading = make('b');
      this.trace = make('pre');
      const copy = make('button', {onclick: () => this.copy()}, 'Copy');
      const close = make('button', {onclick: () => this.removeAttribute('show'), title: 'Close'}, '\u00d7');
      const box = make('section', {role: 'alert'}, make('header', {}, this.heading, copy, close), this.trace);
      this.attachShadow({mode: 'open'}).append(make('style', {}, OVERLAY_STYLE), box);
    }

    show(title, trace) {
      this.heading.textContent = title;
      this.trace.textContent = trace;
      this.setAttribute('show', '');
    }

    copy() {
      getSelection().selectAllChildren(this.trace);
      document.execCommand('copy'); // deprecated, but there is no navigator.clipboard without TLS
    }
  }
  customElements.define('htag-error', ErrorOverlay);
  const overlay = make('htag-error');
  const attachOverlay = () => overlay.isConnected || document.body.append(overlay);

  let reports = 0;

  function report(title, error, code = '') {
    const text = [error, error?.stack, code].filter(Boolean).join('\n');
    overlay.show(title, text);
    if (++reports <= REPORT_LIMIT) window.htag_transport({action: 'log_error', error: `${title}: ${text}`});
  }

  window.onerror = (message, file, line, column, error) => {
    if (/ResizeObserver loop/.test(message)) return; // a notice that charts cause all the time
    report('Client JavaScript Error', error || `${message}\n${file}:${line}:${column}`);
  };
  window.onunhandledrejection = ({reason}) => report('Unhandled Promise Rejection', reason);

  // ------------------------------------------------------- what apps see

  function expose(name, get) {
    // a page that has a variable of this name keeps it, ours goes on unseen
    const set = (value) => Object.defineProperty(window, name, {value, writable: true, configurable: true});
    Object.defineProperty(window, name, {get, set, configurable: true});
  }
  expose('ws', () => live.ws);
  expose('sse', () => live.sse);
  expose('use_fallback', () => useFallback);
  expose('use_pure_http', () => usePureHttp);

  Object.assign(window, {
    HTAG_TIMEOUT: 3000,
    htag_event: htagEvent,
    htag_transport: window.htag_transport || enqueue,
    handle_payload: handlePayload,
    init_ws: () => force('ws'),
    fallback: () => force('sse'),
    fallback_pure_http: () => force('http'),
    _htag_renew: renew,
    _htag_queue: queue,
    _htag_callbacks: callbacks,
    _base_path: basePath,
    _error_overlay: overlay,
  });

  // somebody looks at the page, or the network is back: do not wait for the next attempt
  addEventListener('online', () => endPause());
  addEventListener('pageshow', ({persisted}) => persisted && endPause());
  document.addEventListener('visibilitychange', () => document.hidden || endPause());
  document.addEventListener('scroll', ({target}) => target !== document && scrolled.add(target), {capture: true, passive: true});

  const external = window.HTAG_EXT_INIT; // PyScript: the app is in this very page
  const start = () => {
    attachOverlay();
    if (!external) climb();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
