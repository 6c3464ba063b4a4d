// What the server's operator sees of browsers: times and numbers, nothing about the person.

const MEASURE_MS = 30000; // ms between two messages about what was measured
const MEASURED = 100; // times of answers in such a message at most

function measure({outbox, link, isServed, isOurs}) {
  const empty = () => ({roundtrips: [], aways: [], errors: 0});
  let measured = empty();
  let transport = isServed(link) ? link.state : null; // the latest
  // no extension's; a handler or snippet of the app is of no file, but called by this page's script
  function count({filename, error, reason}) {
    if (isOurs(`${filename} ${(error ?? reason)?.stack}`)) measured.errors++;
  }

  function send(by) {
    const {roundtrips, aways, errors} = measured;
    if (transport && (roundtrips.length || aways.length || errors)) by({action: 'measures', ...measured, transport});
    measured = empty();
  }

  document.addEventListener('htag-answered', ({detail}) => {
    if (measured.roundtrips.length < MEASURED) measured.roundtrips.push(detail.seconds);
  });
  document.addEventListener('htag-connected', ({detail}) => {
    ({transport} = detail);
    if (detail.awaySeconds && measured.aways.length < MEASURED) measured.aways.push(detail.awaySeconds);
  });
  addEventListener('error', count);
  addEventListener('unhandledrejection', count);
  addEventListener('pagehide', () => send(outbox.sayLast));
  setInterval(() => isServed(link) && send(outbox.enqueue), MEASURE_MS);
}
