// JavaScript that came as text: it runs in script elements that carry the page's nonce, so a Content-Security-Policy
// need not allow `unsafe-eval` nor `unsafe-inline`.

// What a page that requires Trusted Types takes in place of text. The app is trusted: it wrote the page.
function createTrusted() {
  const same = (text) => text;
  const rules = {createHTML: same, createScript: same, createScriptURL: same};
  return window.trustedTypes?.createPolicy('htag', rules) ?? rules;
}

function createScripts({trusted, report}) {
  // what runs now: later a browser tells neither
  const {nonce = '', src = ''} = document.currentScript ?? {};
  const handlers = new Map(); // source -> what makes a handler of it: each is compiled once

  // Runs `code` in the global scope, and reports what fails. In the block, as in an eval, `let` and `const` are the
  // snippet's own, or it could run once only; functions are the page's, also of the kinds that blocks keep to themselves.
  function run(code) {
    const kept = [...code.matchAll(/\b(?:async\s+function\s*\*?|function\s*\*)\s*([\w$]+)\s*\(/g)].map(([, name]) => name);
    const publish = (name) => `if (typeof ${name} === 'function') window.${name} = ${name};`;
    execute(`{${kept.map(publish).join('')}${code}\n}`, code);
  }

  // The script runs before this returns. What fails in it is thrown at the window.
  function execute(text, code) {
    const {onerror} = window;
    const failed = (message, file, line, column, error) => {
      report('JS Eval Error', error || message, code);
      return true; // it need not be printed
    };
    window.onerror = failed;
    addScript({text: trusted.createScript(text)}).remove();
    if (window.onerror === failed) window.onerror = onerror;
  }

  // `source` as the browser would make a handler of the attribute `onclick="source"`: the names in it are looked up in
  // the element, its form, the document.
  function handler(source, element) {
    if (!handlers.has(source)) {
      execute(
        `htag_handler = function () { with (this[2]) with (this[1]) with (this[0]) return function (event) {${source}\n}; }`,
        source,
      );
      handlers.set(source, window.htag_handler);
      delete window.htag_handler;
    }
    const scope = element === window ? [{}, {}, {}] : [element, element.form || {}, document];
    return handlers.get(source)?.call(scope);
  }

  // Whatever is in a fragment of this kind runs. A script with an address is waited for, as what follows needs it, but not
  // longer than for a connection.
  async function injectStatic(html) {
    const fragment = document.createRange().createContextualFragment(trusted.createHTML(html));
    for (const element of fragment.querySelectorAll('style, link, script')) {
      const text = textOf(element);
      if ([...document.head.children].some((present) => textOf(present) === text)) continue; // a reconnection repeats
      const loaded = new Promise((resolve) => (element.onload = element.onerror = resolve));
      document.head.append(Object.assign(element, {nonce}));
      if (element.src) await Promise.race([loaded, sleep(window.HTAG_TIMEOUT)]);
    }
  }

  // Loads another script of ours; rejects where it cannot be had.
  function load(name, given) {
    const address = trusted.createScriptURL(src.replace('htag.js', name));
    return new Promise((onload, onerror) => addScript({...given, src: address, onload, onerror}));
  }

  function addScript(properties) {
    const script = Object.assign(document.createElement('script'), {nonce, ...properties});
    document.head.append(script);
    return script;
  }

  return {run, handler, injectStatic, load};
}

const textOf = (element) => element.outerHTML.replace(/ nonce="[^"]*"/, ''); // the nonce is the page's
