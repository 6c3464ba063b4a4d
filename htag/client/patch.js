// Makes the DOM what the server says: replaces elements, puts statics in the head.

function createPatch({places, calls, overlay}) {
  const patch = {replacing: false, replaceAll};

  function replaceAll(updates) {
    if (!updates.length) return;
    const successors = places.remember();
    patch.replacing = true;
    for (const [id, html] of updates) replace(find(id), html);
    successors.forEach(giveToSuccessor);
    patch.replacing = false;
    places.forgetTyped((callback) => !calls.waits(callback)); // lost on the way: kept this once
    overlay.attach();
  }

  return patch;
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
