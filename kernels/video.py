"""Video files: written as h264, read again by time stamp; the only module that knows PyAV."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from kernels.errors import BadVideo
from kernels.files import replacing

Pixels = NDArray[np.uint8]
Colours = Literal["rgb", "luma"]
RATE = 10  # frames a second of the files written here
TOLERANCE = 1e-3  # seconds that rounding may move a time stamp


def write(path: Path, frames: Pixels, times: Sequence[float] | None = None) -> None:
    """Encodes frames [frames, height, width, 3]; the file appears whole (synced, then renamed).

    Args:
        path: the file.
        frames: colours.
        times: seconds at which each frame is shown, in thousandths; None for 10 frames a second.
    """
    unit = Fraction(1, RATE) if times is None else Fraction(1, 1000)
    stamps = range(len(frames)) if times is None else [round(time * 1000) for time in times]
    with replacing(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "22"})
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = unit
        for stamp, pixels in zip(stamps, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamp, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@dataclass(frozen=True)
class Span:
    """The pictures of a file by their time stamps in seconds, sorted, and how many its header promises (0: unsaid)."""

    times: NDArray[np.float64]
    promised: int


def span(path: Path) -> Span:
    """When each picture of a file is shown, told without decoding any.

    Raises:
        BadVideo: the file is no video or holds no picture.
    """
    with _opened(path) as container:
        stamps, base = _stamps(container)
        if not stamps:
            raise BadVideo(path, "holds no picture with a time stamp")
        return Span(np.array([float(stamp * base) for stamp in stamps]), container.streams.video[0].frames)


def read(
    path: Path,
    before_end: Sequence[float],
    colours: Colours = "rgb",
    *,
    size: tuple[int, int] | None = None,
    end: float | None = None,
) -> Pixels:
    """The pictures shown so many seconds before `end`: [moments, height, width], or with 3 colours.

    A picture is chosen by its time stamp, never by its number, so a file with a broken frame rate is read rightly. A
    moment before the file begins takes its first picture. Only what is needed is decoded, from the key frame before.

    Args:
        path: the file.
        before_end: seconds, of each picture wanted.
        colours: "rgb", or "luma" for the brightness plane as it was coded.
        size: height and width that pictures are reduced to, by area; None for those of the file.
        end: seconds on the file's own clock; None for its last picture.

    Raises:
        BadVideo: the file cannot be decoded, or holds no picture.
    """
    with _opened(path) as container:
        stamps, base = _stamps(container)
        if not stamps:
            raise BadVideo(path, "holds no picture with a time stamp")
        times = np.array([float(stamp * base) for stamp in stamps])
        last = times[-1] if end is None else end
        places = np.searchsorted(times, last - np.asarray(before_end) + TOLERANCE, side="right") - 1
        wanted = [stamps[max(place, 0)] for place in places]
        shown = _decoded(container, set(wanted), lambda picture: _pixels(picture, colours, size))
        if missing := set(wanted) - set(shown):
            raise BadVideo(path, f"the picture at {float(min(missing) * base):.2f} s cannot be decoded")
        return np.stack([shown[stamp] for stamp in wanted])


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        with av.open(str(path)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            yield container
    except (FFmpegError, IndexError, OSError) as error:
        raise BadVideo(path, f"cannot be decoded ({error})") from error


def _stamps(container: InputContainer) -> tuple[list[int], Fraction]:
    """The time stamps of all pictures of the first video stream, sorted, and the seconds of their unit."""
    stream = container.streams.video[0]
    packets = container.demux(stream)
    stamps = sorted({packet.pts for packet in packets if packet.pts is not None and not packet.is_discard})
    return stamps, cast("Fraction", stream.time_base)


def _decoded(container: InputContainer, wanted: set[int], made: Callable[[av.VideoFrame], Pixels]) -> dict[int, Pixels]:
    """What is made of each picture wanted, by time stamp; from the key frame before, else from the file's begin."""
    stream = container.streams.video[0]
    shown: dict[int, Pixels] = {}
    for start in (min(wanted), 0):
        container.seek(start, stream=stream, backward=True)
        for picture in container.decode(stream):
            if picture.pts in wanted and picture.pts not in shown and not picture.is_corrupt:
                shown[picture.pts] = made(picture)
            if len(shown) == len(wanted):
                return shown
    return shown


def _pixels(picture: av.VideoFrame, colours: Colours, size: tuple[int, int] | None) -> Pixels:
    if size is not None and size != (picture.height, picture.width):
        picture = picture.reformat(height=size[0], width=size[1], format="yuv420p", interpolation="AREA")
    return _luma(picture) if colours == "luma" else cast("Pixels", picture.to_ndarray(format="rgb24"))


def _luma(picture: av.VideoFrame) -> Pixels:
    """The brightness plane as it was coded, [height, width]; converting to grey costs more than all the decoding."""
    planar = picture if picture.format.name == "yuv420p" else picture.reformat(format="yuv420p")
    plane = planar.planes[0]
    return np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
