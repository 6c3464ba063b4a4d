// Elements whose event waits for the connection.

const MARK_MS = 250; // ms between looks at what waits
const WAITING_STYLE = `:where([data-htag-waiting]) { cursor: progress; outline: 2px dashed GrayText; outline-offset: 2px }`;

function createMarks({queue, log}) {
  let marked = new Set();
  let timer;

  function look() {
    const waiting = queue.filter((message) => 'event' in message && log.secondsOf(message) * 1000 >= NOTICE_MS);
    mark(findAll(waiting.map(({id}) => id)));
  }

  function mark(elements) {
    const next = new Set(elements);
    for (const element of marked) if (!next.has(element)) element.removeAttribute('data-htag-waiting');
    for (const element of next) element.setAttribute('data-htag-waiting', '');
    marked = next;
  }

  return {
    begin: () => (timer ??= setInterval(look, MARK_MS)),
    end() {
      timer = clearInterval(timer);
      mark([]);
    },
  };
}
