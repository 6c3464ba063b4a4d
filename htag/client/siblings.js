// Other tabs of this page. Where two first ones are asked for at once, each gets a session, and one's cookie replaces the
// other's: that tab would go on in a session of its own, and lose all that was done in it when its connection ends.

function createSiblings({basePath, connection, link, isServed}) {
  let channel;
  try {
    channel = new BroadcastChannel(`htag ${basePath}`);
  } catch {
    return; // forbidden, as cookies are then
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows: a channel has one origin
  const tell = () => channel.postMessage(window.HTAG_SESSION);
  // the server alone knows which session the cookie names: this tab tells its own again then, or is loaded again
  channel.onmessage = ({data}) => data === window.HTAG_SESSION || connection.comeAgain();
  document.addEventListener('htag-connected', tell);
  if (isServed(link)) tell();
}
