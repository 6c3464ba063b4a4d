// Moves nodes, so that they keep what they have: focus, caret, scroll positions, and in new browsers all of it.

function createMoves() {
  const scrolled = new Set(); // elements that were scrolled

  function note({target}) {
    for (const element of scrolled) if (!element.isConnected) scrolled.delete(element);
    scrolled.add(target);
  }

  document.addEventListener('scroll', note, {capture: true, passive: true});

  return function move(parent, node, before) {
    if (!node.isConnected) return parent.insertBefore(node, before);
    const restore = [keepFocus(), ...[...scrolled].filter((element) => node.contains(element)).map(keepScroll)];
    try {
      parent.moveBefore(node, before);
    } catch {
      parent.insertBefore(node, before); // an old browser, or not every node can be moved
    }
    for (const one of restore) one();
  };
}

function keepScroll(element) {
  const {scrollTop, scrollLeft} = element;
  return () => Object.assign(element, {scrollTop, scrollLeft});
}

function keepFocus() {
  const {activeElement} = document;
  const {selectionStart, selectionEnd, selectionDirection} = activeElement ?? {};
  return () => {
    if (activeElement === document.activeElement) return;
    activeElement.focus({preventScroll: true});
    if (typeof selectionStart === 'number') activeElement.setSelectionRange(selectionStart, selectionEnd, selectionDirection);
  };
}
