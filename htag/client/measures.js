// What the server's operator sees of browsers: times and numbers, nothing about the person.

const MEASURE_MS = 30000; // ms between two messages about what was measured
const MEASURED = 100; // times of answers in such a message at most

function measure() {
  const empty = () => ({roundtrips: [], aways: [], errors: 0});
  let measured = empty();
  const ownError = ({filename}) => (measured.errors += filename === undefined || filename.startsWith(location.origin));

  function send() {
    const {roundtrips, aways, errors} = measured;
    if (!isServed() || !(roundtrips.length || aways.length || errors)) return;
    window.htag_transport({action: 'measures', ...measured, transport: standing()});
    measured = empty();
  }

  document.addEventListener('htag-answered', ({detail}) => {
    if (measured.roundtrips.length < MEASURED) measured.roundtrips.push(detail.seconds);
  });
  document.addEventListener('htag-connected', ({detail}) => {
    if (detail.awaySeconds && measured.aways.length < MEASURED) measured.aways.push(detail.awaySeconds);
  });
  addEventListener('error', ownError);
  addEventListener('unhandledrejection', ownError);
  addEventListener('pagehide', send);
  setInterval(send, MEASURE_MS);
}
