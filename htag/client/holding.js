// What is typed waits: for the end of a composition, and where an element says so, for a pause or its turn. The last word
// of a field counts.

function createHolding({events, patch}) {
  const held = new Set(); // the latest `input` of each field
  const sentAt = new WeakMap(); // field -> when its latest `input` went, in ms

  const earlier = (owner, target) => [...held].find((one) => one.owner === owner && one.target === target);

  function hold(one, isComposing = one.event.isComposing) {
    one.isComposing = isComposing;
    clearTimeout(one.timer);
    held.add(one);
    patch.noteTyped(one.target, one.callback);
    if (isComposing) return;
    const ms = delayOf(one.target, sentAt.get(one.target));
    if (ms > 0) one.timer = setTimeout(release, ms, one);
    else release(one);
  }

  function release(one) {
    clearTimeout(one.timer);
    held.delete(one);
    sentAt.set(one.target, performance.now());
    events.send(one);
  }

  // What was typed before something else comes before it. What is still composed is not typed yet, but lost if it stays.
  // What is typed in `typing` just now is told to several handlers, perhaps.
  function flush(leaving, typing) {
    for (const one of [...held]) if (one.target !== typing && (leaving || !one.isComposing)) release(one);
  }

  // A browser says `input` once more after that, or has said so before.
  function composed({target}) {
    for (const one of held) {
      if (one.target !== target) continue;
      one.isComposing = false;
      clearTimeout(one.timer);
      one.timer = setTimeout(hold, 0, one, false);
    }
  }

  addEventListener('compositionend', composed, true);
  addEventListener('focusout', flush, true);
  addEventListener('pagehide', flush, true);
  return {earlier, hold, flush};
}

// How many ms an `input` of `field` waits, the latest one before it having gone `at`: as the nearest element says that
// says something. A choice is made at once.
function delayOf(field, at) {
  if (field.options || isTick(field)) return 0;
  const {htagDebounce, htagThrottle} = field.closest('[data-htag-debounce], [data-htag-throttle]')?.dataset ?? {};
  return htagDebounce ?? at + Number(htagThrottle) - performance.now();
}
