// A pointer that is down protects what is under it: until the click, nothing else comes in its place.

const PRESS_MS = 3000; // at most: who holds a button longer selects text, or sleeps
const CLICK_MS = 50; // after the pointer is up, at most: then there is no click

function createPress() {
  let press; // {target, over: promise, end}

  function begin({target}) {
    press?.end();
    let end;
    const over = new Promise((resolve) => (end = resolve));
    const own = (press = {target, over, end});
    over.then(() => press === own && (press = null));
    setTimeout(end, PRESS_MS);
  }

  const after = (ms) => () => press && setTimeout(press.end, ms);
  addEventListener('pointerdown', begin, true);
  addEventListener('pointerup', after(CLICK_MS), true);
  addEventListener('pointercancel', after(0), true);
  addEventListener('click', after(0), true); // when all have handled it

  const holds = (id) => find(id)?.contains(press.target);

  // Whether what comes, goes or moves in `parent` can move what is pressed away from under the pointer. A slider is dragged
  // anyway, and what it changes is looked at meanwhile.
  const shifts = (parent) => parent !== press.target && parent?.contains(press.target) && press.target.type !== 'range';

  // Whether `node`, or what it is in, has no place in what is to become of `root`.
  function isAbsent(node, root, html) {
    if (node === root) return false;
    const key = keyOf(node);
    return (key && !html.includes(`="${key}"`)) || isAbsent(node.parentNode, root, html);
  }

  function endangers([name, ...rest]) {
    if (isText(name, rest)) return holds(name) && find(name) !== press.target;
    if (name === 'r') return rest.some((id) => holds(id) || shifts(find(id)?.parentNode));
    const [id, html] = rest;
    const element = find(id);
    if (name !== 'h') return name !== 'a' && shifts(element);
    if (!holds(id)) return false;
    const hasOthers = html.split(/<\w/).length - 2 !== element.querySelectorAll('*').length;
    return (hasOthers && shifts(element)) || isAbsent(press.target, element, html);
  }

  // What `ops` have to wait for, if anything.
  return (ops) => press && ops.some(endangers) && press.over;
}
