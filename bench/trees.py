"""What large and deep trees cost. A script like `serve.py`: runs in either environment, by path, and prints JSON.

python bench/trees.py --children 5000 10000 --levels 5000
"""

import argparse
import json
import time

from htag import Tag


def children_seconds(count: int) -> float:
    """Append so many children to a list on a live page, one by one, then remove them one by one, oldest first."""
    page = Tag.App()
    rows = Tag.ul()
    page.add(rows)
    children = [Tag.li(str(number)) for number in range(count)]
    start = time.process_time()
    for child in children:
        rows.add(child)
    for child in children:
        rows.remove(child)
    return time.process_time() - start


def depth_rendered(levels: int) -> bool:
    """Whether a tree that deep renders: every start tag is there."""
    innermost = tag = Tag.div("bottom")
    for _ in range(levels - 1):
        tag = Tag.div(tag)
    try:
        return str(tag).count("<div") == levels and str(innermost) in str(tag)
    except RecursionError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--children", type=int, nargs="+", required=True)
    parser.add_argument("--levels", type=int, required=True)
    options = parser.parse_args()
    seconds = {count: children_seconds(count) for count in options.children}
    print(json.dumps({"children": seconds, "deep": depth_rendered(options.levels)}))


if __name__ == "__main__":
    main()
