"""Runs the named operation in a fresh process, and prints the time it took and the process's peak memory."""

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
