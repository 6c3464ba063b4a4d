// The small notice of a page that is away from its server, or could not do what a person wanted. An app changes its look
// by `htag-notice::part(notice)`, and its texts.

const NOTICE_MS = 500; // ms away before that is told: most connections are back by then
const FIRST_MS = 3000; // ms for a page that has just been loaded: nothing was lost yet
const BACK_MS = 2000; // ms for which the return is told, where it was told that the page is away

// An app changes them in window.HTAG_TEXTS.
const TEXTS = {
  away: 'Connection lost. Trying again \u2026',
  back: 'Connected again.',
  unkept: 'Not done, as the connection was away for too long: clicks ({n}).',
  full: 'Too much waits for the connection. What you have just done is lost.',
  large: 'This is too much for one message to the server. It was not sent.',
  login: 'The server does not answer this page. Reload it, perhaps to log in again.',
  framed: 'The browser keeps this page\u2019s cookies from it inside another site. Open it in a tab of its own.',
  close: 'Close',
};
const textOf = (key, n) => (window.HTAG_TEXTS?.[key] ?? TEXTS[key] ?? key).replace('{n}', n);

// The status is not the whole of it: the button is no news.
const NOTICE = `<div part="notice"
  ><span part="text" role="status" aria-live="polite"></span
  ><button part="close">\u00d7</button></div>`;

const NOTICE_STYLE = `
  div { position: fixed; inset: auto 1rem 1rem; z-index: 2147483646; width: fit-content; margin: auto;
    padding: .5rem 1rem; border-radius: .5rem; background: #fff; color: #222; box-shadow: 0 2px 12px #0006;
    font: 14px/1.4 system-ui; opacity: 0; pointer-events: none }
  :host([show]) div { opacity: 1; pointer-events: auto }
  [hidden] { display: none }
  button { margin: 0 -.5rem 0 .5rem; padding: .25rem .5rem; border: 0; background: none; color: inherit; font: inherit;
    cursor: pointer }
  @media (prefers-color-scheme: dark) { div { background: #333; color: #fff; outline: 1px solid #777 } }
  @media (prefers-reduced-motion: no-preference) {
    :host([show]) div { animation: rise .2s }
    @keyframes rise { from { opacity: 0; translate: 0 1rem } } }`;

// What a policy against inline styles does not forbid.
function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

function createNotice({link, trusted}) {
  const host = document.createElement('htag-notice');
  const root = host.attachShadow({mode: 'open'});
  let passing = ''; // how the connection is
  let lasting = ''; // what is to be read, and closed
  let timer;

  root.innerHTML = trusted.createHTML(NOTICE);
  root.adoptedStyleSheets = [sheetOf(NOTICE_STYLE)];
  const [text, close] = root.firstChild.children;
  close.onclick = () => last('');

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
    away: (ms) => later(ms, () => (link.state === 'away' ? textOf('away') : '')),
    back() {
      clearTimeout(timer);
      if (!passing) return;
      pass(link.state === 'left' ? '' : textOf('back'));
      later(BACK_MS, () => '');
    },
    say: (key, n) => last(textOf(key, n)),
  };
}
