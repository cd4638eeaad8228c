def half(values):
    return values / 2
