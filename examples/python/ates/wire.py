"""msgpack as PROTOCOL.md section 1 limits it. The msgpack library takes more than that: what it lets through is refused here."""
import msgpack

FRAME_MAX = 256 * 1024
NESTING_MAX = 8
INTEGER_MAX = 2**53 - 1


class WireError(ValueError):
    """Bytes that no aTES service sends."""


def encode(value) -> bytes:
    return msgpack.packb(value, use_bin_type=True)


def decode(data: bytes):
    """The one value in data: dict, list, str, bytes, int, bool or None. Raises WireError."""
    if len(data) > FRAME_MAX:
        raise WireError('a frame has at most 256 KiB')
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=True, object_pairs_hook=_map)
    except WireError:
        raise
    except (ValueError, msgpack.UnpackException) as error:  # too short, too long, no UTF-8, no msgpack
        raise WireError(str(error)) from error
    _check(value, 0)
    return value


def _map(pairs):
    made = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise WireError("a map's key is not a text")
        if key in made:
            raise WireError('a map has a key twice')
        made[key] = value
    return made


def _check(value, depth):
    if isinstance(value, (dict, list)):
        if depth == NESTING_MAX:
            raise WireError('maps and lists are nested more than 8 deep')
        for inner in value.values() if isinstance(value, dict) else value:
            _check(inner, depth + 1)
    elif isinstance(value, int):  # bool is one
        if abs(value) > INTEGER_MAX:
            raise WireError('an integer is beyond 2^53-1')
    elif not (value is None or isinstance(value, (str, bytes))):
        raise WireError(f'{type(value).__name__} is none of the types in use')
