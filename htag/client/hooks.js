// What an app hears of the page, by events on `document`; later.js hears of it in the same way.

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`htag-${name}`, {detail, cancelable: true}));

// What a page needs later than its first click: `load` it, and have it `say` something to the person.
function createLater(source) {
  const script = document.createElement('script');
  const loaded = new Promise((resolve) => (script.onload = resolve));
  return {
    load() {
      script.src = source.replace('htag.js', 'later.js');
      document.head.append(script);
    },
    say: (text, n) => loaded.then(() => tell('notice', {text, n})),
  };
}
