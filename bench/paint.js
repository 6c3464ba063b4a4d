// Clicks so many times on `button`, and returns how long each took until `shown` had another text, and until that was
// painted, in ms. An animation frame's callback runs before the frame is painted, a message sent from it after.
window.measureClicks = async ({button, shown, clicks, pause}) => {
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const text = () => document.querySelector(shown).textContent;
  const painted = () =>
    new Promise((done) =>
      requestAnimationFrame(() => {
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => done(performance.now());
        port2.postMessage(null);
      })
    );

  async function click() {
    const before = text();
    const started = performance.now();
    const changed = new Promise((done) => {
      const observer = new MutationObserver(() => {
        if (text() === before) return;
        observer.disconnect();
        done(performance.now());
      });
      observer.observe(document.body, {subtree: true, childList: true, characterData: true});
    });
    document.querySelector(button).click();
    const inDocument = await changed;
    return [inDocument - started, (await painted()) - started];
  }

  const taken = [];
  for (let n = 0; n < clicks; n++) {
    taken.push(await click());
    await sleep(pause * (0.5 + Math.random())); // not in step with the frames
  }
  return taken;
};
