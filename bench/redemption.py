def measure(bulk):
    return iter(())
