// The cookie htag_mode=http: no WebSocket and no EventSource. The error comes late, as a real one does.
window.WebSocket = window.EventSource = class extends EventTarget {
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
