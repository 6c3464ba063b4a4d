// Errors: shown on the page, and told to the server.

const REPORT_LIMIT = 20; // errors told to the server per page: a failing animation makes 60 a second

const OVERLAY_STYLE = `
  :host { display: none } :host([show]) { display: block }
  section { position: fixed; inset: auto 1rem 1rem; z-index: 2147483647; max-height: 60vh; overflow: auto;
    padding: 1rem; background: #fff; color: #222; border-top: 4px solid #c62828; box-shadow: 0 4px 24px #0006;
    font: 14px system-ui }
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

  attach() {
    if (!this.isConnected) document.body.append(this);
  }
}

function createOverlay() {
  customElements.define('htag-error', ErrorOverlay);
  return make('htag-error');
}

function createReport(overlay) {
  let reports = 0;
  return (title, error, code = '') => {
    const text = [error, error?.stack, code].filter(Boolean).join('\n');
    overlay.show(title, text);
    if (++reports <= REPORT_LIMIT) window.htag_transport({action: 'log_error', error: `${title}: ${text}`});
  };
}

function reportUncaught(report) {
  window.onerror = (message, file, line, column, error) => {
    if (/ResizeObserver loop/.test(message)) return; // a notice that charts cause all the time
    report('Client JavaScript Error', error || `${message}\n${file}:${line}:${column}`);
  };
  window.onunhandledrejection = ({reason}) => report('Unhandled Promise Rejection', reason);
}
