// The cookie htag_mode is sse or http: no WebSocket. The error comes late, as a real one does.
window.WebSocket = class extends EventTarget {
  readyState = 3; // neither connecting nor open
  constructor() {
    super();
    setTimeout(() => {
      this.onerror?.(new Event('error'));
      this.dispatchEvent(new Event('error'));
    });
  }
  close() {}
};
