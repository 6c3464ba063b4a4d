// The dialog that shows an error. The client script loads it with the first one: few visits see any.

(() => {
  const STYLE = `
    :host { display: none } :host([show]) { display: block }
    section { position: fixed; inset: auto 1rem 1rem; z-index: 2147483647; max-height: 60vh; overflow: auto;
      padding: 1rem; background: #fff; color: #222; border-top: 4px solid #c62828; box-shadow: 0 4px 24px #0006;
      font: 14px system-ui }
    div { display: flex; gap: .5rem } b { flex: 1; color: #c62828 }
    pre { margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12px/1.4 monospace }
    button { min-width: 24px; padding: .2rem .6rem; border: 1px solid #8888; border-radius: 4px; background: none;
      color: inherit; font: inherit; cursor: pointer }
    @media (prefers-color-scheme: dark) {
      section { background: #222; color: #eee; border-color: #ff8a80; outline: 1px solid #777 } b { color: #ff8a80 }
    }`;

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  class ErrorDialog extends HTMLElement {
    constructor() {
      super();
      this.heading = make('b');
      this.trace = make('pre');
      const copy = make('button', {onclick: () => this.copy()}, 'Copy');
      const close = make('button', {onclick: () => this.removeAttribute('show'), title: 'Close', ariaLabel: 'Close'}, '\u00d7');
      const box = make('section', {role: 'alert'}, make('div', {}, this.heading, copy, close), this.trace);
      const sheet = new CSSStyleSheet(); // unlike an element, allowed whatever the page's policy says of styles
      sheet.replaceSync(STYLE);
      this.attachShadow({mode: 'open'}).append(box);
      this.shadowRoot.adoptedStyleSheets = [sheet];
    }

    present(title, trace) {
      this.heading.textContent = title;
      this.trace.textContent = trace;
    }

    copy() {
      getSelection().selectAllChildren(this.trace);
      document.execCommand('copy'); // deprecated, but there is no navigator.clipboard without TLS
    }
  }

  customElements.define('htag-error', ErrorDialog);
})();
