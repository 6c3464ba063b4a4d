// A pointer that is down protects what is under it: until the click, nothing else comes in its place.

const PRESS_MS = 3000; // at most: who holds a button longer selects text, or sleeps
const CLICK_MS = 50; // after the pointer is up, at most: then there is no click

function createPress({freshOf}) {
  let press = null; // {target, over: promise, end}

  function begin({target}) {
    const own = {target};
    own.over = new Promise((resolve) => {
      own.end = () => {
        if (press === own) press = null;
        resolve();
      };
    });
    press?.end();
    press = own;
    setTimeout(own.end, PRESS_MS);
  }

  const after = (ms) => () => press && setTimeout(press.end, ms);
  for (const [name, listener] of Object.entries({
    pointerdown: begin,
    pointerup: after(CLICK_MS),
    click: after(0), // when all have handled it
    pointercancel: after(0),
  }))
    addEventListener(name, listener, true);

  const holds = (id) => find(id)?.contains(press.target);
  const dangers = {
    r: (...ids) => ids.some(holds),
    m: (parent, before, ...ids) => ids.some(holds),
    h: (id, html) => holds(id) && isAbsent(press.target, find(id), html),
  };

  // Whether `target`, or what it is in, has no place in what is to become of `root`.
  function isAbsent(target, root, html) {
    const fresh = byKey(freshOf(root, html));
    for (let node = target; node !== root; node = node.parentNode) if (keyOf(node) && !fresh.has(keyOf(node))) return true;
    return false;
  }

  function endangers([name, ...rest]) {
    if (rest.length > 1 || name === 'r') return dangers[name]?.(...rest);
    return holds(name) && find(name) !== press.target;
  }

  // What `ops` have to wait for, if anything.
  return (ops) => (press && ops.some(endangers) ? press.over : undefined);
}
