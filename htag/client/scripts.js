// JavaScript that came as text: it runs in script elements that carry the page's nonce, so a Content-Security-Policy
// need not allow `unsafe-eval` nor `unsafe-inline`.

// What a page that requires Trusted Types takes in place of text. The app is trusted: it wrote the page.
function createTrusted() {
  const types = window.trustedTypes;
  const same = (text) => text;
  const policy = types?.createPolicy('htag', {createHTML: same, createScript: same, createScriptURL: same});
  // `value` as `element.setAttribute(name, …)` takes it
  function attribute({localName, namespaceURI}, name, value) {
    const type = types?.getAttributeType(localName, name, namespaceURI); // TrustedHTML, … or null: any text will do
    return type ? policy[type.replace('Trusted', 'create')](value) : value;
  }
  return {
    html: (text) => (policy ? policy.createHTML(text) : text),
    script: (text) => (policy ? policy.createScript(text) : text),
    address: (text) => (policy ? policy.createScriptURL(text) : text),
    attribute,
  };
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
    const script = Object.assign(document.createElement('script'), {nonce, text: trusted.script(text)});
    document.documentElement.append(script);
    script.remove();
    if (window.onerror === failed) window.onerror = onerror;
  }

  // `source` as the browser would make a handler of the attribute `onclick="source"`: the names in it are looked up in
  // the element, its form, the document.
  function handler(source, element) {
    if (!handlers.has(source)) {
      execute(
        `_htag_handler = function () { with (this[2]) with (this[1]) with (this[0]) return function (event) {${source}\n}; }`,
        source,
      );
      handlers.set(source, window._htag_handler);
      delete window._htag_handler;
    }
    const scope = element === window ? [{}, {}, {}] : [element, element.form || {}, document];
    return handlers.get(source)?.call(scope);
  }

  async function injectStatic(html) {
    const template = document.createElement('template');
    template.innerHTML = trusted.html(html);
    for (const element of template.content.querySelectorAll('style, link, script')) {
      if ([...document.head.children].some((present) => isSame(present, element))) continue; // a reconnection repeats
      if (element.tagName === 'SCRIPT') await injectScript(element);
      else document.head.append(Object.assign(element, {nonce}));
    }
  }

  // A script that came as text does not run; its copy does. One with a URL is waited for, as what follows needs it,
  // but not longer than for a connection.
  function injectScript(inert) {
    const script = document.createElement('script');
    for (const {name, value} of inert.attributes) script.setAttribute(name, trusted.attribute(script, name, value));
    script.text = trusted.script(inert.text);
    script.nonce = nonce;
    const loaded = new Promise((resolve) => (script.onload = script.onerror = resolve));
    document.head.append(script);
    return script.src && Promise.race([loaded, sleep(window.HTAG_TIMEOUT)]);
  }

  // Loads another script of ours; rejects where it cannot be had.
  function load(name, given) {
    return new Promise((resolve, reject) => {
      const script = document.createElement('script');
      const address = trusted.address(src.replace('htag.js', name));
      document.head.append(Object.assign(script, given, {nonce, src: address, onload: resolve, onerror: reject}));
    });
  }

  return {run, handler, injectStatic, load};
}

// The nonce is the page's, not the element's.
function isSame(...elements) {
  const [one, other] = elements.map((element) => element.cloneNode(true));
  one.removeAttribute('nonce');
  other.removeAttribute('nonce');
  return one.isEqualNode(other);
}
