// What the parts that are loaded later share.

const standing = () => document.documentElement.dataset.htagConnection ?? 'away'; // just loaded, a page does not say
const isConnected = () => ['ws', 'sse', 'http'].includes(standing());

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden, as cookies are then
  }
}

// What a policy against inline styles does not forbid.
function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}
