"""How the tests of this folder start Chromium."""

# --no-sandbox: root in a container has no user namespaces; the rest keeps a browser under test off the network
SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
