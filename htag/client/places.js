// What replaced elements would lose: focus and caret, scroll positions, text that the server does not know yet.

const isTick = (element) => element.type === 'checkbox' || element.type === 'radio';
const keyOf = (element) => element.getAttribute?.('id') || element.dataset?.htagId;
const find = (key) => document.getElementById(key) || document.querySelector(`[data-htag-id="${CSS.escape(key)}"]`);

function createPlaces() {
  const typed = new Map(); // key of a field -> callback id of its last `input` event, until the server answers that
  const scrolled = new Set(); // elements that were scrolled

  // Of each: [element, its key, function that gives what it had to the element which takes its place].
  function remember() {
    const places = [];
    const add = (old, give) => old && places.push([old, keyOf(old), give]);
    for (const key of typed.keys()) add(find(key), giveTyped);
    const {activeElement} = document;
    const {selectionStart, selectionEnd, selectionDirection} = activeElement || {};
    add(activeElement, (fresh) => {
      fresh.focus({preventScroll: true});
      if (typeof selectionStart === 'number') fresh.setSelectionRange(selectionStart, selectionEnd, selectionDirection);
    });
    for (const old of scrolled) {
      if (!old.isConnected) scrolled.delete(old);
      const {scrollTop, scrollLeft} = old;
      add(old, (fresh) => scrolled.add(Object.assign(fresh, {scrollTop, scrollLeft}))); // its own event is late
    }
    return places;
  }

  // Leaves a field to the server again once `isOver` says that its event was answered, or never will be.
  function forgetTyped(isOver) {
    for (const [key, callback] of typed) if (isOver(callback)) typed.delete(key);
  }

  return {
    noteTyped: (element, callback) => typed.set(keyOf(element), callback),
    noteScrolled: (element) => scrolled.add(element),
    forgetTyped,
    remember,
  };
}

function giveToSuccessor([old, key, give]) {
  const fresh = !old.isConnected && key && find(key);
  if (fresh && fresh.tagName === old.tagName && fresh.type === old.type) give(fresh, old);
}

function giveTyped(fresh, old) {
  if (isTick(old)) fresh.checked = old.checked;
  else if (old.type !== 'file') fresh.value = old.value; // a file can be chosen by a person only
}
