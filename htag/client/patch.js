// Makes the DOM what the server says: replaces elements.

function createPatch({trusted, places, calls, overlay, listeners}) {
  const patch = {replacing: false, replaceAll};

  function replaceAll(updates) {
    if (!updates.length) return;
    const successors = places.remember();
    patch.replacing = true;
    for (const [id, html] of updates) replace(find(id), trusted.html(html));
    listeners().bindNew();
    listeners().bind(document.body);
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
