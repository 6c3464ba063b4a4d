// Errors: shown on the page, and told to the server.

const REPORT_LIMIT = 20; // errors told to the server per page: a failing animation makes 60 a second

// The element that shows errors. What it looks like is loaded with the first one; the last one is on show.
function createOverlay(page) {
  const overlay = document.createElement('htag-error');
  let said;
  let loading;

  async function show(...titleAndText) {
    said = titleAndText;
    overlay.attach();
    overlay.setAttribute('show', '');
    try {
      if (!overlay.present) await (loading ??= page.scripts.load('errors.js'));
      overlay.present(...said);
    } catch {
      loading = null;
      document.addEventListener('htag-connected', () => show(...said), {once: true}); // the server is away: that is it
    }
  }

  return Object.assign(overlay, {show, attach: () => overlay.isConnected || document.body?.append(overlay)});
}

function createReport({overlay}) {
  let reports = 0;
  return (title, error, code = '') => {
    const text = [error, error?.stack, code].filter(Boolean).join('\n');
    overlay.show(title, text);
    // 4000 characters: no more is read there, and a message that is too large ends the connection
    if (++reports <= REPORT_LIMIT) window.htag_transport({action: 'log_error', error: `${title}: ${text}`.slice(0, 4000)});
  };
}

function reportUncaught(report) {
  window.onerror = (message, file, line, column, error) => {
    const text = `${message}\n${file}:${line}:${column}`;
    if (isShown(`${text}\n${error?.stack}`)) report('Client JavaScript Error', error || text);
  };
  window.onunhandledrejection = ({reason}) => {
    if (isShown(`${reason?.stack}`)) report('Unhandled Promise Rejection', reason);
  };
}

// Whether an error is of this page: not of an extension of the browser, nor of a script from elsewhere, of which a browser
// tells nothing.
const isOurs = (text) => text.includes(location.origin) && !text.includes('-extension:');

// Who debugs wants to see all errors, but for a notice that charts cause all the time.
const isShown = (text) => !text.includes('ResizeObserver loop') && (window.HTAG_DEBUG !== false || isOurs(text));
