// What an app hears of the page, by events on `document`. Returns false where it does itself what would follow.
const announce = (name, detail) => document.dispatchEvent(new CustomEvent(`htag-${name}`, {detail, cancelable: true}));

const AGAIN_MS = 1000; // ms until what could not be loaded is tried again

// What a page needs later than its first click. It is loaded until it is there; what is wanted of it waits.
function createLater(page) {
  let loading;
  const attempt = () => page.scripts.load('later.js', {page});
  const load = () => (loading ??= attempt().catch(() => sleep(AGAIN_MS).then(() => load((loading = null)))));
  return {
    load,
    call: (name, ...given) => load().then(() => page.later[name](...given)),
    say: (text, n) => load().then(() => announce('notice', {text, n})), // something to a person
  };
}
