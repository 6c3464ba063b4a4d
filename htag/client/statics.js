// Puts statics into the head.

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
