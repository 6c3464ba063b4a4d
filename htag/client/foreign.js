// What the server last said of each node, where others have changed it since: the person, the app's JavaScript, a
// library, the browser itself. Of anything else, the DOM shows what the server said.

const CHILDREN = ' children'; // with a blank: no attribute can be called so
const TEXT = ' text';

function createForeign() {
  const said = new WeakMap(); // node -> {attribute, CHILDREN or TEXT: what the server said}
  const foreign = {ours, last, tell, know, changes: 0}; // changes: how many of ours there were
  const observer = new MutationObserver(note);

  // Undoes what `records` tell, from the latest to the first, to get to what was before them.
  function note(records) {
    const before = new Map();
    for (const record of records.reverse()) {
      const {type, target, attributeName, oldValue} = record;
      if (!before.has(target)) before.set(target, {});
      const state = before.get(target);
      if (type === 'childList') undo(record, (state[CHILDREN] ??= [...target.childNodes]));
      else state[attributeName ?? TEXT] = oldValue;
    }
    for (const [node, state] of before) said.set(node, {...state, ...said.get(node)});
  }

  function undo({addedNodes, removedNodes, nextSibling}, nodes) {
    const end = nextSibling ? nodes.indexOf(nextSibling) : nodes.length;
    nodes.splice(end - addedNodes.length, addedNodes.length, ...removedNodes);
  }

  // Does `change`, which makes so many records: what comes after them was done by a custom element in answer to it.
  function ours(change, records = 1) {
    foreign.changes++;
    note(observer.takeRecords());
    change();
    note(observer.takeRecords().slice(records));
  }

  const knows = (node, key) => Object.hasOwn(said.get(node) ?? {}, key);

  // What the server last said, which is `present` unless others changed it.
  function last(node, key, present) {
    return knows(node, key) ? said.get(node)[key] : present;
  }

  // The server says `value` now, and the DOM shows it as far as others have left it to the server.
  function tell(node, key, value) {
    if (knows(node, key)) know(node, key, value);
  }

  function know(node, key, value) {
    said.set(node, {...said.get(node), [key]: value});
  }

  const attributes = {subtree: true, attributes: true, attributeOldValue: true};
  const observe = () => observer.observe(document, {...attributes, childList: true, characterDataOldValue: true});
  // what is added before that is added by the parser
  if (document.readyState !== 'loading') observe();
  else {
    observer.observe(document, attributes);
    document.addEventListener('readystatechange', observe, {once: true});
  }
  return foreign;
}
