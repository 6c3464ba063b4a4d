// On a page that stands in for the app: asks again from time to time, and loads the page when there is one. A screen
// reader, which would read a page that loads itself aloud each time, is told of that alone.
{
  const BUSY = [429, 502, 503, 504]; // any other answer is one to show
  const seconds = +document.currentScript.dataset.seconds;

  const ask = async () => {
    const request = {cache: 'no-store', headers: {Accept: 'text/html'}, signal: AbortSignal.timeout(30000)};
    const answer = await fetch(location.href, request).catch(() => null); // null: there is no connection
    if (answer && !BUSY.includes(answer.status)) location.reload();
    else wait(Number(answer?.headers.get('Retry-After')) || seconds);
  };
  const wait = (pause) => setTimeout(ask, 1000 * pause);
  wait(seconds);
}
