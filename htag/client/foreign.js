// What the server last said of each node, where others have changed it since: the person, the app's JavaScript, a
// library, the browser itself. Of anything else, the DOM shows what the server said.

const CHILDREN = ' children'; // with a blank: no attribute can be called so
const TEXT = ' text';

function createForeign() {
  const said = new WeakMap(); // node -> Map: attribute, CHILDREN or TEXT -> what the server said
  const foreign = {ours, last, tell, know, namesOf, CHILDREN, TEXT, changes: 0}; // changes: how many of ours there were
  const observer = new MutationObserver(note);

  // Undoes what `records` tell, from the latest to the first, to get to what was before them.
  function note(records) {
    const before = new Map();
    for (const {type, target, attributeName, oldValue, addedNodes, removedNodes, nextSibling} of records.toReversed()) {
      if (!before.has(target)) before.set(target, new Map());
      const state = before.get(target);
      if (type !== 'childList') {
        state.set(attributeName ?? TEXT, oldValue);
        continue;
      }
      const nodes = state.get(CHILDREN) ?? [...target.childNodes];
      const end = nextSibling ? nodes.indexOf(nextSibling) : nodes.length;
      nodes.splice(end - addedNodes.length, addedNodes.length, ...removedNodes);
      state.set(CHILDREN, nodes);
    }
    for (const [node, state] of before) said.set(node, new Map([...state, ...(said.get(node) ?? [])]));
  }

  // Does `change`, which makes so many records: what comes after them was done by a custom element in answer to it.
  function ours(change, records = 1) {
    foreign.changes++;
    note(observer.takeRecords());
    change();
    note(observer.takeRecords().slice(records));
  }

  // What the server last said, which is `present` unless others changed it.
  function last(node, key, present) {
    const state = said.get(node);
    return state?.has(key) ? state.get(key) : present;
  }

  // The attributes of `node` of which that may be something else, present or not.
  function namesOf(node) {
    return [...(said.get(node)?.keys() ?? [])].filter((key) => !key.includes(' '));
  }

  // The server says `value` now, and the DOM shows it as far as others have left it to the server.
  function tell(node, key, value) {
    if (said.get(node)?.has(key)) know(node, key, value);
  }

  function know(node, key, value) {
    if (!said.has(node)) said.set(node, new Map());
    said.get(node).set(key, value);
  }

  const attributes = {subtree: true, attributes: true, attributeOldValue: true};
  const observe = () => observer.observe(document, {...attributes, childList: true, characterDataOldValue: true});
  observer.observe(document, attributes); // what is added before the page is parsed, is added by the parser
  if (document.readyState !== 'loading') observe();
  document.addEventListener('readystatechange', observe);
  return foreign;
}
