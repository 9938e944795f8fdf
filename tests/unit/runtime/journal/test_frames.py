import pytest

from crouter.runtime.journal.frames import BODY_BYTES_MAX, framed, read_frames

BODIES = (b"one", b"a second one", b"x" * BODY_BYTES_MAX)


def laid_out(base: int) -> bytes:
    data = b""
    for body in BODIES:
        data += framed(body, base + len(data))
    return data


def test_records_are_read_as_they_were_written_and_zeros_end_them() -> None:
    data = laid_out(64)
    frames = read_frames(data + bytes(100), 64)
    assert (frames.bodies, frames.end, frames.torn) == (BODIES, 64 + len(data), False)
    assert read_frames(data, 64, records_max=2).bodies == BODIES[:2]


def test_a_record_cut_at_any_byte_is_torn_and_those_before_it_are_whole() -> None:
    data = laid_out(0)
    whole = len(data) - len(framed(BODIES[2], 0))
    for cut in range(whole + 1, len(data)):
        for rest in (b"", bytes(len(data) - cut)):
            frames = read_frames(data[:cut] + rest, 0)
            assert (frames.bodies, frames.end, frames.torn) == (BODIES[:2], whole, True), cut


@pytest.mark.parametrize("place", [0, 3, 4, 7, 8, 10])
def test_a_changed_byte_is_noticed(place: int) -> None:
    data = bytearray(framed(b"one", 0) + bytes(8))
    data[place] ^= 1
    frames = read_frames(bytes(data), 0)
    assert (frames.bodies, frames.torn) == ((), True)


def test_a_record_at_another_place_is_no_record() -> None:
    assert read_frames(framed(b"one", 0), 64).torn
