// Moves nodes, so that they keep what they have: focus, caret, scroll positions, and in new browsers all of it.

function createMoves() {
  const scrolled = new Set(); // elements that were scrolled

  document.addEventListener('scroll', ({target}) => target !== document && scrolled.add(target), {capture: true, passive: true});

  return function move(parent, node, before) {
    const restore = node.isConnected ? [restoreFocus(), ...scrollsIn(node)] : [];
    try {
      if (!node.isConnected || !parent.moveBefore) throw null;
      parent.moveBefore(node, before);
    } catch {
      parent.insertBefore(node, before); // not every node can be moved
    }
    for (const one of restore) one();
  };

  function scrollsIn(node) {
    for (const element of scrolled) if (!element.isConnected) scrolled.delete(element);
    const inside = [...scrolled].filter((element) => node.contains(element));
    return inside.map((element) => {
      const {scrollTop, scrollLeft} = element;
      return () => Object.assign(element, {scrollTop, scrollLeft});
    });
  }
}

function restoreFocus() {
  const {activeElement} = document;
  const {selectionStart, selectionEnd, selectionDirection} = activeElement ?? {};
  return () => {
    if (!activeElement || activeElement === document.activeElement) return;
    activeElement.focus({preventScroll: true});
    if (typeof selectionStart === 'number') activeElement.setSelectionRange(selectionStart, selectionEnd, selectionDirection);
  };
}
