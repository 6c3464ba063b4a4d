/* Before the client script, where the app runs in this very page (PyScript): messages go to Python and not to a server;
 * answers come through window.handle_payload. */
window.HTAG_EXT_INIT = true;
window.htag_transport = (message) => window.py_htag_event(JSON.stringify(message));

/* The page's body becomes the app's: the client finds what to replace by this id. */
window.htag_take_page = (id, title) => {
  document.body.dataset.htagId = id;
  document.title = title ?? document.title;
};
