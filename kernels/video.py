"""Video files: written as h264, read again by time stamp; the only module that knows PyAV."""

from collections.abc import Sequence
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


def write(path: Path, frames: Pixels) -> None:
    """Encodes frames [frames, height, width, 3] at 10 a second; the file appears whole (synced, then renamed)."""
    with replacing(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "22"})
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, RATE)
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read(path: Path, before_end: Sequence[float], colours: Colours = "rgb") -> Pixels:
    """The pictures shown so many seconds before the file's last: [moments, height, width], or with 3 colours.

    A picture is chosen by its time stamp, never by its number, so a file with a broken frame rate is read rightly. A
    moment before the file begins takes its first picture.

    Raises:
        BadVideo: the file cannot be decoded or holds no picture.
    """
    try:
        with av.open(str(path)) as container:
            shown = _shown(container)
    except (FFmpegError, IndexError, OSError) as error:
        raise BadVideo(path, f"cannot be decoded ({error})") from error
    if not shown:
        raise BadVideo(path, "holds no picture")
    times = np.array(sorted(shown))
    wanted = np.searchsorted(times, times[-1] - np.asarray(before_end) + TOLERANCE, side="right") - 1
    pictures = [shown[float(times[max(index, 0)])] for index in wanted]
    return np.stack(
        [_luma(picture) if colours == "luma" else picture.to_ndarray(format="rgb24") for picture in pictures]
    )


def _luma(picture: av.VideoFrame) -> Pixels:
    """The brightness plane as it was coded, [height, width]; converting to grey costs more than all the decoding."""
    planar = picture if picture.format.name == "yuv420p" else picture.reformat(format="yuv420p")
    plane = planar.planes[0]
    return np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _shown(container: InputContainer) -> dict[float, av.VideoFrame]:
    """Every picture of the first video stream by its time stamp in seconds."""
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    base = cast("Fraction", stream.time_base)
    return {float(frame.pts * base): frame for frame in container.decode(stream) if frame.pts is not None}
