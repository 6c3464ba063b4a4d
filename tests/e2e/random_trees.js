// Random trees and random changes, each told three ways: operations, the whole HTML, and a fresh parse.

// mulberry32: a seed gives the same numbers in each run
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = ['div', 'p', 'span', 'b', 'ul', 'section'];
const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

class Trees {
  constructor(seed) {
    this.random = randomOf(seed);
    this.count = 0;
  }

  below = (limit) => Math.floor(this.random() * limit);
  one = (list) => list[this.below(list.length)];

  attributes() {
    const found = {};
    if (this.below(2)) found.class = ['a', 'b', 'c'].filter(() => this.below(2)).join(' ');
    if (this.below(3) === 0) found.style = this.one(['color: red', 'color: blue; margin: 1px', 'width:5px']);
    if (this.below(3) === 0) found.title = this.one(['', 'x', '"<&']);
    return found;
  }

  // A tag; `depth` of what is below it at most. Blocks that a parser would not leave where they are do not occur.
  tag(depth, name = this.one(NAMES.filter((one) => one !== 'p'))) {
    const node = {name, id: `${name}-${++this.count}`, attributes: this.attributes(), content: []};
    this.populate(node, depth);
    return node;
  }

  populate(node, depth) {
    const kind = this.below(4);
    if (depth <= 0 || kind === 0) node.content = this.below(3) ? [this.text()] : [];
    else if (kind === 1) node.content = this.mixed(depth);
    else node.content = Array.from({length: this.below(6)}, () => this.tag(depth - 1));
  }

  text = () => this.one(['', 'one', 'two', '<three> & "four"', '5']);

  mixed(depth) {
    const makers = [() => this.text(), () => ({raw: this.raw()}), () => this.tag(depth - 1), () => this.generated()];
    return Array.from({length: this.below(5)}, () => this.one(makers)());
  }

  raw = () => this.one(['<i>raw</i>', '<i class=x>raw</i><u>more</u>', '<!-- none -->', '<svg><g><circle r="1"/></g></svg>']);
  generated = () => ({...this.tag(0, this.one(['em', 'span'])), isGenerated: true});

  // Changes some tags below `node`, and returns the operations that tell it.
  change(node) {
    const ops = [];
    const isWhole = node.content.some((child) => !isTag(child)) || node.content.some((child) => child.isGenerated);
    if (this.below(4) === 0) {
      node.attributes = this.attributes();
      ops.push(['a', node.id, startTag(node)]);
    }
    const isText = node.content.length <= 1 && node.content.every((child) => typeof child === 'string');
    if (isText && this.below(3) === 0) {
      node.content = [this.text()];
      return [...ops, [node.id, node.content[0]]];
    }
    if (isWhole) return this.below(2) ? [...ops, this.becomeWhole(node)] : ops;
    if (this.below(2)) ops.push(...this.changeChildren(node));
    const kept = node.content.filter((child) => !child.isNew);
    for (const child of node.content) delete child.isNew;
    return [...ops, ...kept.flatMap((child) => this.change(child))];
  }

  becomeWhole(node) {
    const known = node.content.filter((child) => isTag(child) && !child.isGenerated);
    node.content = [...this.mixed(2), ...known.filter(() => this.below(3)).flatMap((tag) => [this.text(), tag])];
    for (const tag of known) this.change(tag);
    this.shuffle(node.content);
    return ['h', node.id, html(node)];
  }

  changeChildren(node) {
    const ops = [];
    const gone = node.content.filter(() => this.below(5) === 0);
    if (gone.length) ops.push(['r', ...gone.map(({id}) => id)]);
    node.content = node.content.filter((child) => !gone.includes(child));
    for (let moves = this.below(3); moves && node.content.length > 1; moves--) ops.push(this.moveOne(node));
    for (let more = this.below(3); more; more--) {
      const at = this.below(node.content.length + 1);
      const fresh = Array.from({length: 1 + this.below(2)}, () => Object.assign(this.tag(2), {isNew: true}));
      ops.push(['i', node.id, node.content[at]?.id ?? null, fresh.map(html).join('')]);
      node.content.splice(at, 0, ...fresh);
    }
    return ops;
  }

  moveOne(node) {
    const moved = node.content.splice(this.below(node.content.length), 1 + this.below(2));
    const at = this.below(node.content.length + 1);
    const op = ['m', node.id, node.content[at]?.id ?? null, ...moved.map(({id}) => id)];
    node.content.splice(at, 0, ...moved);
    return op;
  }

  shuffle(list) {
    for (let at = list.length; at > 1; ) {
      const other = this.below(at--);
      [list[at], list[other]] = [list[other], list[at]];
    }
  }
}

const isTag = (child) => typeof child === 'object' && 'name' in child;
const startTag = ({name, id, attributes}) =>
  `<${[name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escapeText(value)}"`), `id="${id}"`].join(' ')}>`;
const html = (node) => {
  if (typeof node === 'string') return escapeText(node);
  if ('raw' in node) return node.raw;
  return `${startTag(node)}${node.content.map(html).join('')}</${node.name}>`;
};

const parsed = (text) => {
  const holder = document.createElement('div');
  holder.innerHTML = text;
  return holder;
};

// Attributes may come in any order.
const isSame = (one, other) => one.isEqualNode(other);

// Returns what was wrong with this seed.
window.tryTree = async (seed, changes) => {
  const trees = new Trees(seed);
  const root = trees.tag(4, 'section');
  const byOps = document.querySelector('#by-ops');
  byOps.innerHTML = html(root);
  for (let step = 0; step < changes; step++) {
    const before = html(root);
    const isWhole = trees.below(3) === 0;
    const ops = trees.change(root);
    const after = html(root);
    await window.handle_payload({ops: isWhole ? [['h', root.id, after]] : ops});
    const fresh = parsed(after);
    if (!isSame(byOps.firstChild, fresh.firstChild) || byOps.childNodes.length !== 1)
      return {seed, step, isWhole, ops, before, after, shown: byOps.innerHTML};
  }
  return null;
};
