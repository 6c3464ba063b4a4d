// Makes nodes of the page what the server says they are. A node stays as long as it can, and what others did to it.

const keyOf = (node) => node.getAttribute?.('data-htag-id') || node.getAttribute?.('id');
const KEPT = '[data-htag-keep]';

function createMorph({foreign, fields, listeners, trusted}) {
  const {CHILDREN, TEXT} = foreign;
  const move = createMoves();
  let olds, news, gone, reused; // of the change under way: keys -> elements, nodes

  // `change` may use any node in `old`; what it does not use any more goes in the end.
  function within(old, fresh, change) {
    [olds, news] = [old, fresh].map((root) => byKey(root));
    [gone, reused] = [new Set(), new Set()];
    change();
    for (const node of gone) if (!reused.has(node)) remove(node);
  }

  // `old` becomes `fresh`.
  function become(old, fresh) {
    within(old, fresh, () => {
      if (old.nodeName !== fresh.nodeName) return replace(old, fresh);
      morph(old, fresh);
      if (old.localName === 'textarea') textarea(old, fresh.textContent); // its text is named, if with all else
    });
  }

  function replace(old, fresh) {
    const parent = old.parentNode;
    place(parent, fresh, old);
    foreign.tell(parent, CHILDREN, childrenOf(parent).map((node) => (node === old ? fresh : node)));
    gone.add(old);
  }

  // The content of `element` becomes `text`, whatever was in it.
  function setText(element, text) {
    if (fields.waits(element, () => setText(element, text))) return;
    if (element.localName === 'textarea') return textarea(element, text);
    const [first, second] = element.childNodes;
    if (first?.nodeType === Node.TEXT_NODE && !second && text) data(first, text, first.data);
    else foreign.ours(() => (element.textContent = text));
    foreign.tell(element, CHILDREN, [...element.childNodes]);
  }

  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) return data(old, fresh.data);
    attributes(old, fresh);
    if (!old.matches(KEPT) && !hasDrawn(old, fresh)) content(old, fresh);
  }

  // Whether a custom element may have filled itself before the page was there, where the server has nothing in it.
  const hasDrawn = (old, fresh) => !fresh.firstChild && old.localName.includes('-') && !foreign.last(old, CHILDREN);

  function data(node, text, last = foreign.last(node, TEXT, node.data)) {
    if (last !== text) foreign.ours(() => (node.data = text));
    foreign.tell(node, TEXT, text);
  }

  function content(parent, fresh) {
    if (fields.waits(parent, () => within(parent, fresh, () => content(parent, fresh)))) return;
    if (parent.localName !== 'textarea') children(parent, [...fresh.childNodes]);
    else if (parent.defaultValue !== fresh.textContent) textarea(parent, fresh.textContent);
  }

  function textarea(field, text) {
    foreign.ours(() => (field.defaultValue = text));
    if (field.value !== text && !fields.isAhead(field)) field.value = text;
  }

  const childrenOf = (parent) => foreign.last(parent, CHILDREN) ?? [...parent.childNodes];

  function children(parent, next) {
    const last = childrenOf(parent);
    for (const node of last) if (!node.isConnected) olds.set(keyOf(node) ?? node, node);
    const partners = partnersOf(parent, last, next);
    const shown = next.map((fresh, at) => partners[at] ?? fresh);
    const absent = new Set(); // others removed them, and the server has not changed them since
    for (const node of partners) if (node) reused.add(node);
    for (const node of last) if (!reused.has(node)) gone.add(node);
    next.forEach((fresh, at) => {
      const {changes} = foreign;
      if (partners[at]) morph(partners[at], fresh);
      if (partners[at]?.isConnected === false && changes === foreign.changes) absent.add(partners[at]);
    });
    arrange(parent, last, shown.filter((node) => !absent.has(node)));
    foreign.tell(parent, CHILDREN, shown);
  }

  // Which old node each of `next` goes on with: that of its key, or else the first of its kind which has no successor.
  function partnersOf(parent, last, next) {
    const free = Map.groupBy(last.filter((node) => !news.has(keyOf(node))), kindOf);
    const own = next.map((node) => olds.get(keyOf(node)));
    return next.map((node, at) => {
      const isFit = own[at]?.nodeName === node.nodeName && !own[at].contains(parent);
      return isFit ? own[at] : free.get(kindOf(node))?.shift();
    });
  }

  // Puts `nodes` in their order, with the fewest moves: those stay whose order has not changed since the `last`.
  function arrange(parent, last, nodes) {
    const places = new Map(last.map((node, at) => [node, at]));
    const staying = stay(nodes.filter((node) => node.parentNode === parent), places);
    const {selectedIndex, selectedOptions} = parent.closest('select') ?? {};
    let before = null;
    for (const node of nodes.toReversed()) {
      if (!staying.has(node)) place(parent, node, before);
      before = node;
    }
    if (selectedIndex < 0) [...selectedOptions].forEach(chooseAsMarked); // the browser chose what came first: the last one
  }

  // What has the focus, or plays, stays in any case: others move around it.
  function stay(nodes, places) {
    const isSorted = nodes.every((node, at) => !at || places.get(nodes[at - 1]) < places.get(node));
    if (isSorted) return new Set(nodes);
    let run = nodes;
    const live = liveElements();
    for (const pin of nodes.filter((node) => live.some((element) => node.contains(element)))) {
      const middle = run.indexOf(pin);
      const isBefore = (node) => places.get(node) < places.get(pin);
      if (middle >= 0) run = run.filter((node, at) => at === middle || isBefore(node) === at < middle);
    }
    return longestRun(run, places);
  }

  // The state comes last: what it can be depends on the type and the bounds.
  function attributes(element, fresh) {
    const state = stateOf(element) || 'id';
    const names = new Set([...element.getAttributeNames(), ...fresh.getAttributeNames(), ...foreign.namesOf(element)]);
    names.delete(state);
    for (const name of [...names, state]) attribute(element, name, fresh);
  }

  // Nothing changes unless the server last said something else.
  function attribute(element, name, fresh) {
    const next = fresh.getAttribute(name);
    const present = element.getAttribute(name);
    const said = foreign.last(element, name, present);
    const last = foreign.last(element, HEARD + name, said);
    if (last === next || fields.mustStay(element, name, () => attribute(element, name, fresh))) return;
    if (present !== said && name in WORDS) foreign.ours(() => merge(element, name, said, next));
    else if (present !== next) foreign.ours(() => setAttribute(element, name, fresh, trusted));
    for (const key of [name, HEARD + name]) foreign.tell(element, key, next);
    fields.write(element, name, next);
    if (name.startsWith('data-htag-on')) listeners.bind(element);
  }

  function place(parent, node, before) {
    if (parent.closest('select') && !node.isConnected) {
      node.remove(); // where it was parsed, the browser has chosen one of those that are not marked, and does so again
      [node, ...node.childNodes].forEach(chooseAsMarked);
    }
    foreign.ours(() => move(parent, node, before), node.isConnected ? 2 : 1); // a move is a removal as well
  }

  function remove(node) {
    foreign.ours(() => node.remove());
  }

  return {become, setText, attributes, arrange, place, remove, childrenOf};
}

const byKey = (root) => new Map([...root.querySelectorAll('[id], [data-htag-id]')].map((node) => [keyOf(node), node]));

// Nodes of one kind can take each other's place. A field of another name is another field.
function kindOf(node) {
  const marks = ['data-htag-key', 'type', 'name'].map((name) => node.getAttribute?.(name));
  return [node.nodeName, Boolean(keyOf(node)), ...marks].join();
}

// What would lose more than its place.
const liveElements = () =>
  [document.activeElement, ...document.querySelectorAll('audio, video, iframe')].filter((one) => one && !one.paused);

// Attributes of which others have words of their own, and how these are told apart.
const WORDS = {
  class: (text) => text.split(/\s+/),
  style: (text) => {
    const {style} = document.createElement('i');
    style.cssText = text;
    return style.cssText.split(/;\s*(?![^(]*\))/); // but not in `url(data:image/png;base64,…)`
  },
};

// Of what the server says, what others removed stays away; what others added stays. In a style, the last one counts.
function merge(element, name, said, next) {
  const texts = [said, next, element.getAttribute(name)];
  const [before, now, present] = texts.map((text) => WORDS[name](text ?? '').filter(Boolean));
  const words = now.filter((word) => present.includes(word) || !before.includes(word));
  const others = present.filter((word) => !now.includes(word) && !before.includes(word));
  if (name === 'class') element.setAttribute(name, [...words, ...others].join(' '));
  else element.style.cssText = [...others, ...words].join('; ');
}

const chooseAsMarked = (option) => (option.selected = option.defaultSelected);

function setAttribute(element, name, fresh, trusted) {
  const next = fresh.getAttributeNode(name);
  if (name === 'srcdoc' && next) element.srcdoc = trusted.createHTML(next.value);
  else if (next) element.setAttributeNode(next.cloneNode());
  else if (name === 'open' && element.close) element.close(); // a modal dialog without the attribute would still be one
  else element.removeAttribute(name);
}

// The longest run of `nodes` whose `places` increase, as a set.
function longestRun(nodes, places) {
  const ends = []; // of the best run of each length, the last index in `nodes`
  const previous = [];
  nodes.forEach((node, at) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places.get(nodes[ends[middle]]) < places.get(node)) low = middle + 1;
      else high = middle;
    }
    previous[at] = ends[low - 1];
    ends[low] = at;
  });
  const run = new Set();
  for (let at = ends.at(-1); at !== undefined; at = previous[at]) run.add(nodes[at]);
  return run;
}
