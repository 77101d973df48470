"""msgpack by hand: nothing that is tested writes what it is tested with."""


def head(kind, width, number):
    """A first byte and a big-endian number behind it."""
    return bytes([kind]) + number.to_bytes(width, 'big', signed=number < 0)


def _sized(size, fixed, fixed_max, kinds):
    if fixed is not None and size <= fixed_max:
        return bytes([fixed | size])
    for kind, width in kinds:
        if size < 1 << 8 * width:
            return head(kind, width, size)
    raise ValueError(size)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return _sized(len(data), 0xa0, 31, ((0xd9, 1), (0xda, 2), (0xdb, 4))) + data


def binary(data):
    return _sized(len(data), None, 0, ((0xc4, 1), (0xc5, 2), (0xc6, 4))) + data


def _integer(number):
    if -32 <= number < 128:
        return number.to_bytes(1, 'big', signed=number < 0)
    if number > 0:
        return _sized(number, None, 0, ((0xcc, 1), (0xcd, 2), (0xce, 4), (0xcf, 8)))
    for kind, width in ((0xd0, 1), (0xd1, 2), (0xd2, 4), (0xd3, 8)):
        if number >= -(1 << 8 * width - 1):
            return head(kind, width, number)
    raise ValueError(number)


def pack(value):
    """The shortest encoding; maps in the order of their keys' insertion."""
    if value is None or isinstance(value, bool):
        return {None: b'\xc0', False: b'\xc2', True: b'\xc3'}[value]
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bytes):
        return binary(value)
    if isinstance(value, list):
        return _sized(len(value), 0x90, 15, ((0xdc, 2), (0xdd, 4))) + b''.join(map(pack, value))
    return _sized(len(value), 0x80, 15, ((0xde, 2), (0xdf, 4))) + b''.join(text(k) + pack(v) for k, v in value.items())
