/* What a page needs later than its first click, and so is loaded after it: what is shown and kept while the connection is
 * away. It knows of that as an app can: by events on `document`, and `data-htag-connection` of the root element. */

(() => {
'use strict';

const NOTICE_MS = 500; // ms away before that is told: most connections are back by then
const FIRST_MS = 3000; // ms for a page that has just been loaded: nothing was lost yet
const BACK_MS = 2000; // ms for which the return is told, where it was told that the page is away
const MARK_MS = 250; // ms between looks at what waits
const KEPT_MS = 600000; // ms for which what was typed is kept: a person logs in again meanwhile
const MEASURE_MS = 30000; // ms between two messages about what was measured
const MEASURED = 100; // times of answers in such a message at most

// An app changes them in window.HTAG_TEXTS.
const TEXTS = {
  away: 'Connection lost. Trying again \u2026',
  back: 'Connected again.',
  unkept: 'Not done, as the connection was away for too long: clicks ({n}).',
  login: 'The server does not answer this page. Reload it, perhaps to log in again.',
  framed: 'The browser keeps this page\u2019s cookies from it inside another site. Open it in a tab of its own.',
  close: 'Close',
};
const textOf = (key, n) => (window.HTAG_TEXTS?.[key] ?? TEXTS[key] ?? key).replace('{n}', n);

const NOTICE_STYLE = `
  [part=notice] { position: fixed; inset: auto 1rem 1rem; z-index: 2147483646; width: fit-content; margin: auto;
    padding: .5rem 1rem; border-radius: .5rem; background: #fff; color: #222; box-shadow: 0 2px 12px #0006;
    font: 14px/1.4 system-ui; opacity: 0; pointer-events: none }
  :host([show]) [part=notice] { opacity: 1; pointer-events: auto }
  [hidden] { display: none }
  button { margin: 0 -.5rem 0 .5rem; padding: .25rem .5rem; border: 0; background: none; color: inherit; font: inherit;
    cursor: pointer }
  @media (prefers-color-scheme: dark) { [part=notice] { background: #222; color: #eee } }
  @media (prefers-reduced-motion: no-preference) {
    :host([show]) [part=notice] { animation: rise .2s }
    @keyframes rise { from { opacity: 0; translate: 0 1rem } } }`;
const WAITING_STYLE = ':where([data-htag-waiting]) { cursor: progress; opacity: .6 }';

const connection = () => document.documentElement.dataset.htagConnection;
const isServed = () => ['ws', 'sse', 'http'].includes(connection());
const isAway = () => (connection() ?? 'away') === 'away'; // a page that has just been loaded does not say

// What a policy against inline styles does not forbid.
function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

// -- the notice: an app changes its look by `htag-notice::part(notice)`

function createNotice() {
  const [host, box, text, close] = ['htag-notice', 'div', 'span', 'button'].map((name) => document.createElement(name));
  let passing = ''; // how the connection is
  let lasting = ''; // what is to be read, and closed
  let timer;

  for (const [element, part] of [[box, 'notice'], [text, 'text'], [close, 'close']]) element.setAttribute('part', part);
  box.setAttribute('role', 'status');
  box.setAttribute('aria-live', 'polite');
  close.textContent = '\u00d7';
  close.onclick = () => last('');
  box.append(text, close);
  host.attachShadow({mode: 'open'}).append(box);
  host.shadowRoot.adoptedStyleSheets = [sheetOf(NOTICE_STYLE)];

  function show() {
    text.textContent = `${passing} ${lasting}`.trim();
    close.hidden = !lasting;
    close.setAttribute('aria-label', textOf('close'));
    host.toggleAttribute('show', text.textContent !== '');
  }

  function pass(words) {
    passing = words;
    show();
  }

  function last(words) {
    lasting = words;
    show();
  }

  function later(ms, words) {
    clearTimeout(timer);
    timer = setTimeout(() => pass(words()), ms);
  }

  // Empty at first: a screen reader tells what changes in an element that it knows. Not in the body, which is the app's.
  document.documentElement.append(host);
  show();

  return {
    away: (ms) => later(ms, () => (isAway() ? textOf('away') : '')),
    back() {
      clearTimeout(timer);
      if (!passing) return;
      pass(connection() === 'left' ? '' : textOf('back'));
      later(BACK_MS, () => '');
    },
    say: (key, n) => last(textOf(key, n)),
  };
}

// -- elements whose event waits for the connection

function createMarks() {
  const since = new WeakMap(); // message -> when it was seen to wait
  let marked = new Set();
  let timer;

  const elementOf = ({id}) => document.getElementById(id) ?? document.querySelector(`[data-htag-id="${CSS.escape(id)}"]`);

  function look() {
    const now = performance.now();
    const waiting = window._htag_queue.filter((message) => 'event' in message);
    for (const message of waiting) if (!since.has(message)) since.set(message, now);
    mark(waiting.filter((message) => now - since.get(message) >= NOTICE_MS).map(elementOf));
  }

  function mark(elements) {
    const next = new Set(elements.filter(Boolean));
    for (const element of marked) if (!next.has(element)) element.removeAttribute('data-htag-waiting');
    for (const element of next) element.setAttribute('data-htag-waiting', '');
    marked = next;
  }

  return {
    begin: () => (timer ??= setInterval(look, MARK_MS)),
    end() {
      timer = clearInterval(timer);
      mark([]);
    },
  };
}

// -- what was typed, over the one reload that a page has to do by itself

const SECRET = /password|file|hidden|one-time-code|^cc-/;

function createTyped() {
  const key = `htag_typed ${window._base_path}`;
  const storage = sessionStorageOrNull();
  const fields = () => [...document.querySelectorAll('input, textarea, select')];
  const isSecret = ({type, autocomplete}) => SECRET.test(type) || SECRET.test(autocomplete);

  // Where a field is: of the page that is loaded in the place of this one, it is at the same place.
  function placeOf(element) {
    const steps = [element.type, element.name];
    for (let at = element; at.parentElement; at = at.parentElement) steps.push([...at.parentElement.children].indexOf(at));
    return steps.join('/');
  }

  function keep() {
    const changed = fields().filter((one) => !isSecret(one) && String(valueOf(one)) !== String(defaultOf(one)));
    const kept = changed.map((one) => [placeOf(one), valueOf(one)]);
    storage?.setItem(key, JSON.stringify({at: Date.now(), kept}));
  }

  function restore() {
    const {at, kept} = JSON.parse(storage?.getItem(key) ?? '{}');
    storage?.removeItem(key);
    if (!(Date.now() - at < KEPT_MS)) return;
    const found = new Map(kept);
    for (const field of fields()) if (found.has(placeOf(field))) give(field, found.get(placeOf(field)));
  }

  return {keep, restore};
}

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden, as cookies are then
  }
}

const isTick = ({type}) => type === 'checkbox' || type === 'radio';
const chosen = (options, property) => [...options].filter((option) => option[property]).map(({index}) => index);

function valueOf(field) {
  if (isTick(field)) return field.checked;
  return field.options ? chosen(field.options, 'selected') : field.value;
}

function defaultOf(field) {
  if (isTick(field)) return field.defaultChecked;
  return field.options ? chosen(field.options, 'defaultSelected') : field.defaultValue;
}

// As if it had been typed now: the server is to know it as well.
function give(field, value) {
  if (isTick(field)) field.checked = value;
  else if (field.options) for (const option of field.options) option.selected = value.includes(option.index);
  else field.value = value;
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, {bubbles: true}));
}

// -- what the server's operator sees of browsers: times and numbers, nothing about the person

function measure() {
  const empty = () => ({roundtrips: [], aways: [], errors: 0});
  let measured = empty();
  const ownError = ({filename}) => (measured.errors += filename === undefined || filename.startsWith(location.origin));

  function send() {
    const {roundtrips, aways, errors} = measured;
    if (!isServed() || !(roundtrips.length || aways.length || errors)) return;
    window.htag_transport({action: 'measures', ...measured, transport: connection()});
    measured = empty();
  }

  document.addEventListener('htag-answered', ({detail}) => {
    if (measured.roundtrips.length < MEASURED) measured.roundtrips.push(detail.seconds);
  });
  document.addEventListener('htag-connected', ({detail}) => {
    if (detail.awaySeconds && measured.aways.length < MEASURED) measured.aways.push(detail.awaySeconds);
  });
  addEventListener('error', ownError);
  addEventListener('unhandledrejection', ownError);
  addEventListener('pagehide', send);
  setInterval(send, MEASURE_MS);
}

function main() {
  const notice = createNotice();
  const marks = createMarks();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheetOf(WAITING_STYLE)];

  function wait(ms) {
    notice.away(ms);
    marks.begin();
  }

  document.addEventListener('htag-disconnected', () => wait(NOTICE_MS));
  document.addEventListener('htag-connected', () => {
    notice.back();
    marks.end();
  });
  document.addEventListener('htag-notice', (event) => event.defaultPrevented || notice.say(event.detail.text, event.detail.n));
  if (isAway()) wait(FIRST_MS);
  const typed = createTyped();
  document.addEventListener('htag-reload', typed.keep);
  typed.restore();
  measure();
}

main();
})();
