"""The measured page for NiceGUI: heading, counter, the button that raises it, and a list with a handler in each row.

A script, run by path in NiceGUI's own environment: python bench/nicegui_page.py nicegui --port 8000 --rows 20
"""

import argparse

from nicegui import ui  # type: ignore[import-not-found]  # in its own environment only


def build(rows: int) -> None:
    """What one visitor sees."""
    clicks = 0

    def show(number: int) -> None:
        nonlocal clicks
        clicks = number
        counter.set_text(str(number))

    ui.html("<h1>Measured</h1>", sanitize=False)
    counter = ui.label("0").props("id=counter")
    ui.button("+", on_click=lambda: show(clicks + 1)).props("id=inc")
    with ui.element("ul"):
        for number in range(rows):
            with ui.element("li").classes("row"):
                ui.label(f"row {number}")
                ui.button("show", on_click=lambda number=number: show(number))


def main() -> None:
    """Serve it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("candidate", choices=["nicegui"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rows", type=int, default=20)
    options = parser.parse_args()
    ui.page("/")(lambda: build(options.rows))
    ui.run(host="127.0.0.1", port=options.port, show=False, reload=False, uvicorn_logging_level="warning")


if __name__ == "__main__":
    main()
