"""The dialog that shows errors, as tests look at it: its script comes with the first error."""

# JavaScript for `[title, text]`, two empty texts where no error was shown
SHOWN_ERROR = """new Promise((resolve) => {
    const look = () => {
        const {heading, trace} = _error_overlay;
        if (!_error_overlay.hasAttribute('show') || heading?.textContent)
            resolve([heading?.textContent ?? '', trace?.textContent ?? '']);
        else setTimeout(look, 10);
    };
    look();
})"""
