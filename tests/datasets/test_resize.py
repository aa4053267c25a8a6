"""One resolution for all: enlarging, padding, cropping, and the modes and damages of picture files."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from windtunnel.datasets.pictures import FORMATS, of_files, open_picture
from windtunnel.datasets.resize import enlarge, pad, to_array
from windtunnel.errors import DataError

NOISE = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), dtype=np.uint8)


def test_enlarging_to_the_same_size_is_the_identity():
    assert np.array_equal(enlarge(NOISE, 8), NOISE)


def test_enlarging_keeps_a_constant_image():
    assert np.unique(enlarge(np.full((1, 8, 8, 1), 201, np.uint8), 33)).tolist() == [201]


def test_enlarging_two_pixels_gives_the_known_ramp():
    pixels = np.array([[0, 200], [0, 200]], np.uint8)[None, :, :, None]
    assert enlarge(pixels, 4)[0, 0, :, 0].tolist() == [0, 50, 150, 200]


@pytest.mark.parametrize("size", [9, 20, 32])
def test_enlarging_is_the_bilinear_interpolation_of_torch(size):
    import torch

    inputs = torch.from_numpy(NOISE.transpose(0, 3, 1, 2)).double()
    expected = torch.nn.functional.interpolate(inputs, size=(size, size), mode="bilinear", align_corners=False)
    assert np.abs(enlarge(NOISE, size).transpose(0, 3, 1, 2) - expected.numpy()).max() <= 0.5 + 1e-9


def test_padding_puts_zeros_around():
    padded = pad(NOISE, 11)
    assert padded.shape == (2, 11, 11, 1)
    assert np.array_equal(padded[:, 1:9, 1:9], NOISE)
    assert padded.sum(dtype=int) == NOISE.sum(dtype=int)


def test_the_shorter_side_is_scaled_and_the_centre_cropped():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = (10, 200, 30)
    middle = to_array(Image.fromarray(wide), 10, 3)
    assert np.array_equal(middle, wide[:, 10:20])
    assert to_array(Image.fromarray(wide), 7, 3).shape == (7, 7, 3)
    assert to_array(Image.fromarray(wide), 40, 1).shape == (40, 40, 1)


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(to_array(Image.fromarray(stripes), 16, 1)[4:-4, 4:-4]) < 10


def test_a_picture_is_turned_upright_as_its_exif_data_say(tmp_path):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    upright = to_array(open_picture(tmp_path / "turned.png"), None, 3)
    assert np.array_equal(upright, np.rot90(pixels, -1))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_common_mode_is_converted(mode, channels):
    grey = Image.fromarray(np.full((5, 5), 255, np.uint8))
    array = to_array(grey.convert("RGB").convert(mode) if mode == "CMYK" else grey.convert(mode), None, channels)
    assert array.shape == (5, 5, channels)
    assert np.unique(array).tolist() == [255]


def test_transparent_palettes_and_16_bit_grey_come_out_right(tmp_path):
    palette = Image.fromarray(np.full((5, 5), 3, np.uint8)).convert("P")
    palette.info["transparency"] = bytes(range(256))
    assert to_array(palette, None, 3).shape == (5, 5, 3)
    deep = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert to_array(open_picture(tmp_path / "deep.png"), None, 1)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floating_point_pixels_are_refused():
    with pytest.raises(DataError, match="floating-point pixels of unknown range"):
        to_array(Image.fromarray(np.zeros((2, 2), np.float32)), None, 1)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_from_files_and_from_memory(kind, tmp_path):
    path = tmp_path / f"image.{kind.lower()}"
    Image.fromarray(np.full((6, 6, 3), 90, np.uint8)).save(path, format=kind)
    for source in (path, path.read_bytes()):
        assert np.abs(to_array(open_picture(source), None, 3).astype(int) - 90).max() <= 3


def broken(tmp_path, kind):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(stream, format="PNG")
    whole = stream.getvalue()
    content = {
        "empty": b"",
        "text": b"this is no image",
        "truncated": whole[: len(whole) // 2],
        "damaged": whole[:60] + bytes(200) + whole[260:],
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "enormous": whole[:16] + struct.pack(">II", 2**20, 2**20) + whole[24:],
    }[kind]
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "damaged", "postscript", "enormous"])
def test_a_damaged_picture_is_an_error_that_names_the_file(kind, tmp_path):
    store = of_files([broken(tmp_path, kind)], 8, 3)
    with pytest.raises(DataError, match=r"bad.png: the image cannot be read \(.+\); expected one of PNG"):
        store[np.array([0])]


def test_a_picture_that_is_gone_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(DataError, match=r"gone.png: the image is missing; restore it"):
        of_files([tmp_path / "gone.png"], 8, 3)[np.array([0])]
