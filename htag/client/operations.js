// Applies the operations of an update (docs/wire.md) to the page. Ids that are not there are skipped.

const find = (key) => document.getElementById(key) ?? document.querySelector(`[data-htag-id="${CSS.escape(key)}"]`);
const findAll = (keys) => keys.map(find).filter(Boolean);
const isText = (name, {length}) => length === 1 && name !== 'r';

// What `patch` does, from when this is loaded.
function createOperations({patch, foreign, trusted, calls, listeners, report}) {
  const {CHILDREN} = foreign;
  const fields = createFields({foreign, calls});
  const morph = createMorph({foreign, fields, listeners, trusted});
  const inert = document.createElement('template').content.ownerDocument; // nothing loads or runs in there

  // `html` as the content of `parent`: what it is can depend on that, as of rows, options and shapes.
  function parse(html, parent) {
    const context = inert.importNode(parent, false);
    context.innerHTML = trusted.createHTML(html);
    setIndeterminate(context);
    return context;
  }

  // The parser may put others beside it: a head before BODY, what cannot be in it.
  function freshOf(element, html) {
    const {children, lastElementChild} = parse(html, element.parentNode);
    return [...children].find((one) => keyOf(one) === keyOf(element)) ?? lastElementChild;
  }

  const operations = {
    a: (element, html) => morph.attributes(element, freshOf(element, html)),
    h: (element, html) => morph.become(element, freshOf(element, html)),
    r: (element, ...ids) => [element, ...findAll(ids)].forEach(remove),
    i: (parent, before, html) => insert(...placeIn(parent, before, html), html),
    m: (parent, before, ...ids) => move(before && find(before), findAll(ids)),
  };

  function operate([name, ...rest]) {
    const [id, ...more] = isText(name, rest) ? [name] : rest;
    const element = find(id);
    const scope = !isText(name, rest) && 'ahr'.includes(name) ? element?.parentNode : element;
    if (!element || scope.closest(KEPT)) return;
    if (isText(name, rest)) morph.setText(element, rest[0]);
    else operations[name](element, ...more);
  }

  function remove(node) {
    relist(node.parentNode, [node]);
    morph.remove(node);
  }

  function insert(parent, before, html) {
    const nodes = [...parse(html, parent).childNodes];
    relist(parent, [], before, nodes);
    for (const node of nodes) morph.place(parent, node, before);
  }

  function move(before, nodes) {
    const parent = (before ?? nodes[0])?.parentNode;
    const live = liveElements();
    if (live.some((element) => nodes.some((node) => node.contains(element)))) {
      const list = morph.childrenOf(parent);
      morph.arrange(parent, list, changed([...list], nodes, before, nodes));
    } else for (const node of nodes) morph.place(parent, node, before);
    relist(parent, nodes, before, nodes);
  }

  // What the server last said of the content of `parent` changes, where that is not what the DOM shows.
  function relist(parent, ...change) {
    const list = foreign.last(parent, CHILDREN);
    if (list) changed(list, ...change);
  }

  // One after the other; one that fails is no reason to leave out the others.
  function apply(ops) {
    during(() => {
      for (const op of ops) {
        try {
          operate(op);
        } catch (error) {
          report('Client JavaScript Error', error, JSON.stringify(op));
        }
      }
    });
  }

  function during(change) {
    patch.isPatching = true;
    try {
      change();
      listeners.bindNew();
      fields.restoreChoices();
    } finally {
      patch.isPatching = false;
    }
  }

  // after the event by which the server is told of what was composed
  const finish = () => during(() => fields.postponed.splice(0).forEach((change) => change()));
  document.addEventListener('compositionend', () => setTimeout(finish));
  Object.assign(patch, {apply, held: createPress(), noteTyped: fields.noteTyped, answered: fields.answered});
  for (const [name, given] of patch.early) patch[name](...given);
}

// `list` without `gone`, and with `come` before the node `before`.
function changed(list, gone, before, come = []) {
  for (const node of gone) if (list.includes(node)) list.splice(list.indexOf(node), 1);
  const at = list.indexOf(before);
  list.splice(at < 0 ? list.length : at, 0, ...come);
  return list;
}

// HTML has no word for it; the server says it as an attribute.
function setIndeterminate(root) {
  for (const box of root.querySelectorAll('[indeterminate]')) box.indeterminate = true;
}

// Where children of `parent` come to stand: the parser has put rows into a body of their own.
function placeIn(parent, before, html) {
  const next = before && find(before);
  if (next) return [next.parentNode, next];
  const last = parent.lastElementChild;
  return [last?.localName === 'tbody' && !keyOf(last) && /^<tr\b/.test(html) ? last : parent, null];
}
