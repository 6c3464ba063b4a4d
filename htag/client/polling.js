// Plain HTTP: what is new is asked for again and again.

const POLL = 1000; // ms between polls in plain HTTP: a clock on the page still ticks

function createPolling({link, posts, pause, isServed, sleep, jitter, spanOf}) {
  let polling = false;

  return async function startPolling() {
    link.level = 'http';
    if (polling) return;
    polling = true;
    while (link.level === 'http' && link.state !== 'left') {
      const wasServed = isServed(link);
      await posts.poll();
      const worksAgain = !wasServed && isServed(link);
      if (worksAgain) pause.end(); // the server is back, perhaps with its WebSocket
      await sleep(jitter(isServed(link) ? POLL : Math.max(POLL, spanOf(link))));
    }
    polling = false;
  };
}
