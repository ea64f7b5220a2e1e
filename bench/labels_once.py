"""In a fresh process: runs the operation that is named, and says how long it took and how large the process became."""

import sys

import django


def main() -> None:
    """Print seconds and MiB."""
    django.setup()
    from bench import timing
    from bench.import_once import largest_size
    from console import operations

    taken = timing.seconds(lambda: operations.run(int(sys.argv[1])))
    print(f"{taken:.3f} {largest_size():.0f}")


if __name__ == "__main__":
    main()
