def measure(world):
    return iter(())
