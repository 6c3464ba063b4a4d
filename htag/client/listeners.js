// The handlers of elements: `data-htag-on="click input"` names the events. `data-htag-on-click`, where it is there, is the
// app's own JavaScript for that one; otherwise the server is told.

const HANDLING = `[data-htag-on]`;

function createListeners({scripts, events}) {
  const bound = new WeakMap(); // element -> the names of its events
  // One object for all: a browser attaches it once to an event of an element, in the place of an inline handler
  const listener = {handleEvent};

  function handleEvent(event) {
    const target = event.currentTarget;
    const element = target === window ? document.body : target;
    const source = element.getAttribute(`data-htag-on-${event.type}`);
    if (source === null) return void events.htagEvent(tagId(element), event.type, event);
    const answer = scripts.handler(source, target)?.call(target, event);
    if (event.type === 'beforeunload' ? answer != null : answer === false) event.preventDefault();
  }

  // Listens to the events that `element` names now, and to no others.
  function bind(element) {
    const names = element.getAttribute('data-htag-on')?.split(' ') ?? [];
    for (const name of bound.get(element) ?? [])
      if (!names.includes(name)) targetOf(element, name).removeEventListener(name, listener);
    for (const name of names) targetOf(element, name).addEventListener(name, listener);
    bound.set(element, names);
  }

  function bindAll(node) {
    if (node.matches?.(HANDLING)) bind(node);
    node.querySelectorAll?.(HANDLING).forEach(bind);
  }

  // Elements that come in any way, also those that the app's JavaScript clones or makes from text. While the page is
  // parsed, this is before the scripts that follow an element, and before it can load.
  const bindAdded = (records) => records.forEach(({addedNodes}) => addedNodes.forEach(bindAll));
  const observer = new MutationObserver(bindAdded);
  const bindNew = () => bindAdded(observer.takeRecords()); // now, and not when all that runs is over
  observer.observe(document, {childList: true, subtree: true});
  addEventListener('DOMContentLoaded', bindNew, true);
  bindAll(document);

  return {bind, bindNew};
}

// Of BODY, the events of the window are those that have a property here, as `onhashchange`.
const targetOf = (element, name) =>
  element.tagName === 'BODY' && Object.hasOwn(HTMLBodyElement.prototype, `on${name}`) ? window : element;

// The id by which the server knows the tag of `element`, in JavaScript of handlers `this`.
function tagId(element) {
  const own = element === window ? document.body : element;
  return own.getAttribute('data-htag-id') ?? own.getAttribute('id');
}
